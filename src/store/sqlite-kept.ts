import type { DatabaseSync } from 'node:sqlite'
import { inTransaction, whenFree } from './sqlite-transaction.ts'
import type { Store } from './store.ts'

/** Keeps documents in an open database. */
export function createKeptRows(
  database: DatabaseSync,
): Pick<Store, 'keptDocuments' | 'keepDocuments' | 'recodeDocument'> {
  const all = database.prepare('SELECT delegation, file, digest, packed, code FROM kept_documents')
  const delegationsOf = database.prepare('SELECT delegation FROM kept_documents')
  const keep = database.prepare(
    'INSERT OR REPLACE INTO kept_documents (delegation, file, digest, packed, code) VALUES (?, ?, ?, ?, ?)',
  )
  const recode = database.prepare(
    'UPDATE kept_documents SET code = ? WHERE delegation = ? AND file = ? AND digest = ? AND code = ?',
  )
  const forget = database.prepare('DELETE FROM kept_documents WHERE delegation = ?')
  return {
    async keptDocuments() {
      return all.all().map(({ delegation, file, digest, packed, code }) => ({
        delegation: String(delegation),
        file: String(file),
        digest: String(digest),
        packed: packed instanceof Uint8Array ? packed : new Uint8Array(),
        code: String(code),
      }))
    },
    async keepDocuments(documents, delegations) {
      const stays = new Set(delegations)
      await whenFree(() =>
        inTransaction(database, () => {
          for (const { delegation, file, digest, packed, code } of documents) {
            keep.run(delegation, file, digest, packed, code)
          }
          for (const { delegation } of delegationsOf.all()) {
            if (!stays.has(String(delegation))) forget.run(String(delegation))
          }
        }),
      )
    },
    async recodeDocument({ delegation, file, digest, code }, newCode) {
      await whenFree(() => recode.run(newCode, delegation, file, digest, code))
    },
  }
}
