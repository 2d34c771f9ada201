import type { PostgresPool, Session } from './postgres-pool.ts'
import type { KeptDocument, Store } from './store.ts'

/** Documents may be large, and are kept while nobody waits. */
const DOCUMENT_MS = 30_000

const KEEP = `INSERT INTO chancery.kept_documents (delegation, file, digest, packed, code) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (delegation) DO UPDATE
  SET file = excluded.file, digest = excluded.digest, packed = excluded.packed, code = excluded.code`

const RECODE = `UPDATE chancery.kept_documents SET code = $1
  WHERE delegation = $2 AND file = $3 AND digest = $4 AND code = $5`

/** Keeps documents in a database that is migrated. */
export function createKeptRows(pool: PostgresPool): Pick<Store, 'keptDocuments' | 'keepDocuments' | 'recodeDocument'> {
  /** One process at a time, as two that keep the same documents in another order would wait for each other. */
  const write = (work: (session: Session) => Promise<void>): Promise<void> =>
    pool.transaction(work, { lock: 'documents', statementMs: DOCUMENT_MS })
  return {
    async keptDocuments() {
      const read = ({ query }: Session) =>
        query('SELECT delegation, file, digest, packed, code FROM chancery.kept_documents')
      const rows = await pool.transaction(read, { statementMs: DOCUMENT_MS })
      return rows.map(({ delegation, file, digest, packed, code }) => ({
        delegation: String(delegation),
        file: String(file),
        digest: String(digest),
        packed: new Uint8Array(packed),
        code: String(code),
      }))
    },
    keepDocuments: (documents, delegations) =>
      write(async ({ query }) => {
        for (const document of documents) await query(KEEP, valuesOf(document))
        await query('DELETE FROM chancery.kept_documents WHERE delegation <> ALL ($1::text[])', [[...delegations]])
      }),
    recodeDocument: ({ delegation, file, digest, code }, newCode) =>
      write(async ({ query }) => {
        await query(RECODE, [newCode, delegation, file, digest, code])
      }),
  }
}

/** The driver would take text for bytes. */
function valuesOf({ delegation, file, digest, packed, code }: KeptDocument): readonly unknown[] {
  return [delegation, file, digest, Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength), code]
}
