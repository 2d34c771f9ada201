/** How a packed federation is taken apart and put together again, to cross processes in small pieces. */

import type { PackedFederation } from '../federation/packed-federation.ts'
import type { PackedTable } from '../federation/packed-table.ts'

/** A table without its bytes. */
interface TableOutline {
  readonly key: PackedTable['key']
  readonly slotsLength: number
  readonly recordsLength: number
}

/** A packed federation without the bytes of its tables. */
export type FederationOutline = Omit<PackedFederation, 'identities' | 'bindings'> & {
  readonly identities: TableOutline
  readonly bindings: TableOutline
}

export function outlineOf({ identities, bindings, ...rest }: PackedFederation): FederationOutline {
  return { ...rest, identities: outlineTable(identities), bindings: outlineTable(bindings) }
}

function outlineTable({ key, slots, records }: PackedTable): TableOutline {
  return { key, slotsLength: slots.length, recordsLength: records.length }
}

/** Gives room for what an outline leaves out. All of it is to be written to: clearing it first would hold up whoever waits. */
export function emptyOf({ identities, bindings, ...rest }: FederationOutline): PackedFederation {
  return { ...rest, identities: emptyTable(identities), bindings: emptyTable(bindings) }
}

function emptyTable({ key, slotsLength, recordsLength }: TableOutline): PackedTable {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(slotsLength * Uint32Array.BYTES_PER_ELEMENT)
  return {
    key,
    slots: new Uint32Array(buffer, byteOffset, slotsLength),
    records: Buffer.allocUnsafeSlow(recordsLength),
  }
}

/** Gives the bytes of the tables, in the order in which they are sent. Writing to them fills the tables. */
export function tablesOf({ identities, bindings }: PackedFederation): readonly Uint8Array[] {
  return [identities, bindings].flatMap(({ slots, records }) => [
    new Uint8Array(slots.buffer, slots.byteOffset, slots.byteLength),
    records,
  ])
}
