/** Signing keys in the embedded store. */

import type { DatabaseSync } from 'node:sqlite'
import { inTransaction, whenFree } from './sqlite-transaction.ts'
import type { KeyTable, StoredKey, StoredRing } from './store.ts'

type Row = Readonly<Record<string, unknown>>

/** Creates the table of a database that is migrated. The guard throws where the database is not what others use any more. */
export function createKeyTable(database: DatabaseSync, guard: () => void): KeyTable {
  const statements = {
    // One statement sees one moment.
    read: database.prepare(
      'SELECT * FROM key_ring LEFT JOIN signing_keys ON true WHERE id = 1 ORDER BY published_at, key_id',
    ),
    advance: database.prepare('UPDATE key_ring SET version = ?, uptime = ?, code = ? WHERE id = 1 AND version = ? - 1'),
    clear: database.prepare('DELETE FROM signing_keys'),
    add: database.prepare(
      'INSERT INTO signing_keys (key_id, algorithm, state, held, published_at, since, published_uptime, since_uptime, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ),
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

/** A store that has lost its count has lost its keys. */
function toRing(rows: readonly Row[]): StoredRing {
  const [first] = rows
  if (first === undefined) throw new Error('the store does not know its signing keys')
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
