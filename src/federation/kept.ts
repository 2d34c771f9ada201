/** The last good documents, in the store, so that a broken one cannot take the broker down at its next start. */

import { createHash } from 'node:crypto'
import type { Sealer } from '../store/seal.ts'
import type { KeptDocument, Store } from '../store/store.ts'

/** A document that is relied on, as small as it can be. */
export interface PackedDocument {
  /** Whose it is; undefined for the platform's. */
  readonly delegation: string | undefined
  readonly file: string
  /** Of its text: `sha256:` and hex. */
  readonly digest: string
  /** Its text, as a gzip file. */
  readonly packed: Uint8Array
}

export interface KeptDocuments {
  /** Keeps these and forgets all others. Writes only what has changed. */
  keep(documents: readonly PackedDocument[]): Promise<void>
  /** Gives what was kept, less what nobody with our key has kept. */
  restore(): Promise<readonly PackedDocument[]>
  /** Gives each of them the code that the first key-encryption key makes; those that are not authentic keep theirs. */
  renewCodes(): Promise<void>
}

/** Keeps documents in a store, each with a code that only a holder of the key-encryption key can make. */
export function createKeptDocuments(store: Store, sealer: Sealer): KeptDocuments {
  let known: ReadonlyMap<string, PackedDocument> = new Map()
  return {
    async keep(documents) {
      const changed = documents.filter((document) => !isSame(document, known.get(document.delegation ?? '')))
      const rows = changed.map((document): KeptDocument => {
        const { delegation = '', file, digest, packed } = document
        return { delegation, file, digest, packed, code: sealer.authenticate(textOf(document)) }
      })
      const delegations = documents.map(({ delegation = '' }) => delegation)
      await store.keepDocuments(rows, delegations)
      known = new Map(documents.map((document) => [document.delegation ?? '', document]))
    },
    async restore() {
      return (await readAuthentic(store, sealer)).map(({ document }) => document)
    },
    async renewCodes() {
      for (const { row, document } of await readAuthentic(store, sealer)) {
        await store.recodeDocument(row, sealer.authenticate(textOf(document)))
      }
    },
  }
}

async function readAuthentic(
  store: Store,
  sealer: Sealer,
): Promise<readonly { readonly row: KeptDocument; readonly document: PackedDocument }[]> {
  const rows = await store.keptDocuments()
  return rows.flatMap((row) => {
    const { delegation, file, digest, packed, code } = row
    const document = { delegation: delegation === '' ? undefined : delegation, file, digest, packed }
    return sealer.isAuthentic(textOf(document), code) ? [{ row, document }] : []
  })
}

function isSame(one: PackedDocument, other: PackedDocument | undefined): boolean {
  return one.digest === other?.digest && one.file === other.file
}

/** What a code is made of: one document cannot be passed off as another's, or as another file's. */
function textOf({ delegation, file, digest, packed }: PackedDocument): string {
  return JSON.stringify([delegation ?? null, file, digest, createHash('sha256').update(packed).digest('hex')])
}
