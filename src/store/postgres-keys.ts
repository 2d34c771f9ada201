/** Signing keys in the PostgreSQL store. */

import type { PostgresPool, Row } from './postgres-pool.ts'
import type { KeyTable, StoredKey, StoredRing } from './store.ts'

const READ = `SELECT pg_is_in_recovery() AS is_replica, *
  FROM chancery.key_ring LEFT JOIN chancery.signing_keys ON true WHERE id = 1 ORDER BY published_at, key_id COLLATE "C"`

const ADVANCE =
  'UPDATE chancery.key_ring SET version = $1, uptime = $2, code = $3 WHERE id = 1 AND version = $1 - 1 RETURNING id'

const ADD = `INSERT INTO chancery.signing_keys
  (key_id, algorithm, state, held, published_at, since, published_uptime, since_uptime, sealed)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

/** Creates the table of a database that is migrated. Throws where a replica answers, which may be behind. */
export function createKeyTable(pool: PostgresPool): KeyTable {
  return {
    signingKeys: async () => toRing(await pool.read(READ)),
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

/** A store that has lost its count has lost its keys. */
function toRing(rows: readonly Row[]): StoredRing {
  const [first] = rows
  if (first === undefined) throw new Error('the store does not know its signing keys')
  if (first.is_replica !== false) throw new Error('the database is a replica: name the primary')
  return {
    version: Number(first.version),
    uptime: Number(first.uptime),
    code: String(first.code),
    keys: rows.filter(({ key_id: keyId }) => keyId !== null).map(toKey),
  }
}

function toKey(row: Row): StoredKey {
  return {
    keyId: String(row.key_id),
    algorithm: String(row.algorithm) as StoredKey['algorithm'],
    state: String(row.state) as StoredKey['state'],
    held: String(row.held) as StoredKey['held'],
    publishedAt: Number(row.published_at),
    since: Number(row.since),
    publishedUptime: Number(row.published_uptime),
    sinceUptime: Number(row.since_uptime),
    sealed: String(row.sealed),
  }
}

function valuesOf(key: StoredKey): readonly (string | number)[] {
  const { keyId, algorithm, state, held, publishedAt, since, publishedUptime, sinceUptime, sealed } = key
  return [keyId, algorithm, state, held, publishedAt, since, publishedUptime, sinceUptime, sealed]
}
