/** Signing keys as rows of a database, whichever it is. */

import type { StoredKey, StoredRing } from './store.ts'

/** A row of the ring joined with one of its keys, as a driver gives it. */
export type KeyRow = Readonly<Record<string, unknown>>

/** Reads a ring. Throws where there is no row: a store that has lost its count has lost its keys. */
export function toRing(rows: readonly KeyRow[]): StoredRing {
  const [first] = rows
  if (first === undefined) throw new Error('the store does not know its signing keys')
  return {
    version: Number(first.version),
    uptime: Number(first.uptime),
    code: String(first.code),
    keys: rows.filter(({ key_id: keyId }) => keyId !== null).map(toKey),
  }
}

function toKey(row: KeyRow): StoredKey {
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

/** The columns of a key, in the order of {@link valuesOf}. */
export const KEY_COLUMNS = 'key_id, algorithm, state, held, published_at, since, published_uptime, since_uptime, sealed'

/** Gives the values of a key's row. */
export function valuesOf(key: StoredKey): readonly (string | number)[] {
  const { keyId, algorithm, state, held, publishedAt, since, publishedUptime, sinceUptime, sealed } = key
  return [keyId, algorithm, state, held, publishedAt, since, publishedUptime, sinceUptime, sealed]
}
