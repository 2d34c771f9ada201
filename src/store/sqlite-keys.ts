/** Signing keys in the embedded store. */

import type { DatabaseSync } from 'node:sqlite'
import { KEY_COLUMNS, toRing, valuesOf } from './key-rows.ts'
import { inTransaction, whenFree } from './sqlite-transaction.ts'
import type { KeyTable } from './store.ts'

/** Creates the table of a database that is migrated. The guard throws where the database is not what others use any more. */
export function createKeyTable(database: DatabaseSync, guard: () => void): KeyTable {
  const statements = {
    // One statement sees one moment.
    read: database.prepare(
      'SELECT * FROM key_ring LEFT JOIN signing_keys ON true WHERE id = 1 ORDER BY published_at, key_id',
    ),
    advance: database.prepare('UPDATE key_ring SET version = ?, uptime = ?, code = ? WHERE id = 1 AND version = ? - 1'),
    clear: database.prepare('DELETE FROM signing_keys'),
    add: database.prepare(`INSERT INTO signing_keys (${KEY_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
  }
  return {
    signingKeys: () =>
      whenFree(() => {
        guard()
        return toRing(statements.read.all())
      }),
    replaceSigningKeys: ({ version, uptime, keys, code }) =>
      whenFree(() =>
        inTransaction(database, () => {
          guard()
          if (statements.advance.run(version, uptime, code, version).changes === 0) return false
          statements.clear.run()
          for (const key of keys) statements.add.run(...valuesOf(key))
          return true
        }),
      ),
  }
}
