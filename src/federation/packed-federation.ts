/** A proven federation in the form in which it is handed over and served from: see `packed-table`. */

import {
  type Binding,
  type BindingIndex,
  cellKeyOf,
  createGroupFinder,
  groupByOwner,
  type Shape,
  type ShapeKind,
} from './bindings.ts'
import type { IdentityEntry } from './document.ts'
import { type Identities, toIdentity } from './identity.ts'
import { type Condition, findUnsatisfied, type Match } from './match.ts'
import { createTableWriter, openTable, type PackedTable, type TableWriter } from './packed-table.ts'
import type { FederationHead, ProvenFederation } from './proven.ts'

/** One shape of one group's bindings. Its bindings stand under its place in the list. */
interface PackedShape extends ShapeKind {
  readonly group: string
  readonly trustedIssuer: string
  readonly delegation: string | undefined
}

export interface PackedFederation {
  readonly head: FederationHead
  readonly shapes: readonly PackedShape[]
  readonly identities: PackedTable
  readonly bindings: PackedTable
  readonly size: number
}

/** An identity as a record. */
type IdentityRecord = readonly [name: string, entry: IdentityEntry]

/** A binding as a record: its shape has the rest. Each condition is its values, or its prefix. */
type BindingRecord = readonly [
  shape: number,
  name: string,
  identity: string,
  entry: string,
  isSuspended: boolean,
  isShadow: boolean,
  conditions: readonly (string | readonly string[])[],
]

/** Packs a federation. */
export function packFederation({ head, parts }: ProvenFederation): PackedFederation {
  const identities = createTableWriter()
  for (const part of parts) {
    for (const [name, entry] of Object.entries(part.identities)) {
      identities.addKey(name, identities.addRecord([name, entry] satisfies IdentityRecord))
    }
  }
  const all = parts.flatMap((part) => part.bindings)
  const bindings = createTableWriter()
  const shapes: PackedShape[] = []
  for (const [group, own] of groupByOwner(all)) {
    for (const shape of own) {
      addShape(bindings, shape, shapes.length)
      const { attributes, prefixed, prefixLength } = shape
      const [first] = shape.cells.values()
      const { trustedIssuer = '', delegation } = first?.[0] ?? {}
      shapes.push({ group, trustedIssuer, delegation, attributes, prefixed, prefixLength })
    }
  }
  return { head, shapes, identities: identities.finish(), bindings: bindings.finish(), size: all.length }
}

function addShape(writer: TableWriter, { attributes, cells }: Shape, number: number): void {
  const places = new Map<Binding, number>()
  for (const [key, cell] of cells) {
    for (const binding of cell) {
      const place = places.get(binding) ?? writer.addRecord(recordOf(binding, attributes, number))
      places.set(binding, place)
      writer.addKey(keyOf(number, key), place)
    }
  }
}

function keyOf(shape: number, cellKey: string): string {
  return `${shape}/${cellKey}`
}

function recordOf(binding: Binding, attributes: readonly string[], shape: number): BindingRecord {
  const { name, match, identity, entry, isSuspended, isShadow, trustedIssuer: _, delegation: __, ...rest } = binding
  // What a binding may have one day must not be lost here: this line then does not compile.
  rest satisfies Record<string, never>
  return [
    shape,
    name,
    identity,
    entry,
    isSuspended,
    isShadow,
    attributes.map((attribute) => spell(match.get(attribute))),
  ]
}

function spell(condition: Condition | undefined): string | readonly string[] {
  if (condition === undefined) return []
  return condition.kind === 'exact' ? condition.values : condition.prefix
}

/** Opens the bindings of a packed federation. */
export function openBindings({ head, shapes, bindings, size }: PackedFederation): BindingIndex {
  const table = openTable(bindings)
  const findGroups = createGroupFinder(head.territories)
  const numbered = shapes.map((shape, number) => ({ shape, number }))
  const groups = Map.groupBy(numbered, ({ shape }) => shape.group)
  const toBinding = (record: unknown): Binding => bindingOf(record as BindingRecord, shapes)
  return {
    size,
    findAll: (trustedIssuer, attributes) =>
      findGroups(trustedIssuer, attributes)
        .flatMap((group) => groups.get(group) ?? [])
        .flatMap(({ shape, number }) => {
          const key = cellKeyOf(shape, attributes)
          return key === undefined ? [] : table.find(keyOf(number, key)).map(toBinding)
        })
        // A table may give the record of another key.
        .filter(({ match }) => findUnsatisfied(match, attributes) === undefined),
    bindingsOf: (trustedIssuer) =>
      [...table.all()].map(toBinding).filter((binding) => binding.trustedIssuer === trustedIssuer),
  }
}

function bindingOf(record: BindingRecord, shapes: readonly PackedShape[]): Binding {
  const [number, name, identity, entry, isSuspended, isShadow, conditions] = record
  const shape = shapes[number]
  if (shape === undefined) throw new RangeError('a binding is of no shape')
  const { trustedIssuer, attributes, delegation } = shape
  const match: Match = new Map(attributes.map((attribute, index) => [attribute, conditionOf(conditions[index] ?? [])]))
  const own = delegation === undefined ? {} : { delegation }
  return { name, trustedIssuer, match, identity, entry, isSuspended, isShadow, ...own }
}

function conditionOf(spelt: string | readonly string[]): Condition {
  return typeof spelt === 'string' ? { kind: 'prefix', prefix: spelt } : { kind: 'exact', values: spelt }
}

/** Opens the identities of a packed federation. */
export function openIdentities({ identities }: PackedFederation): Identities {
  const table = openTable(identities)
  return {
    get(name) {
      const found = table
        .find(name)
        .map(toIdentityRecord)
        .find(([own]) => own === name)
      return found === undefined ? undefined : toIdentity(found[1])
    },
    *keys() {
      for (const record of table.all()) yield toIdentityRecord(record)[0]
    },
    *[Symbol.iterator]() {
      for (const [name, entry] of [...table.all()].map(toIdentityRecord)) yield [name, toIdentity(entry)]
    },
  }
}

function toIdentityRecord(record: unknown): IdentityRecord {
  return record as IdentityRecord
}
