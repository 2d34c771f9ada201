/** Signing keys in the PostgreSQL store. */

import { KEY_COLUMNS, toRing, valuesOf } from './key-rows.ts'
import type { PostgresPool, Row } from './postgres-pool.ts'
import type { KeyTable } from './store.ts'

const READ = `SELECT pg_is_in_recovery() AS is_replica, *
  FROM chancery.key_ring LEFT JOIN chancery.signing_keys ON true WHERE id = 1 ORDER BY published_at, key_id COLLATE "C"`

const ADVANCE =
  'UPDATE chancery.key_ring SET version = $1, uptime = $2, code = $3 WHERE id = 1 AND version = $1 - 1 RETURNING id'

const ADD = `INSERT INTO chancery.signing_keys
  (${KEY_COLUMNS})
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

/** Creates the table of a database that is migrated. Throws where a replica answers, which may be behind. */
export function createKeyTable(pool: PostgresPool): KeyTable {
  return {
    async signingKeys() {
      const rows = await pool.read(READ)
      refuseReplica(rows)
      return toRing(rows)
    },
    replaceSigningKeys: ({ version, uptime, keys, code }) =>
      pool.transaction(async ({ query }) => {
        // Of several callers the first locks the row, and the others see what it made of it.
        const advanced = await query(ADVANCE, [version, uptime, code])
        if (advanced.length === 0) return false
        await query('DELETE FROM chancery.signing_keys')
        for (const key of keys) await query(ADD, valuesOf(key))
        return true
      }),
  }
}

function refuseReplica([first]: readonly Row[]): void {
  if (first !== undefined && first.is_replica !== false) throw new Error('the database is a replica: name the primary')
}
