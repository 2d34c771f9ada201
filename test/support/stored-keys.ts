/** Rows of signing keys. Nothing is read into their members. */

import type { StoredKey, StoredRing } from '../../src/store/store.ts'

/** Makes a row. */
export function storedKey(keyId: string, parts: Partial<StoredKey> = {}): StoredKey {
  const at = 1_768_478_400
  const times = { publishedAt: at, since: at, publishedUptime: 5, sinceUptime: 6 }
  return { keyId, algorithm: 'ES256', state: 'current', held: 'store', ...times, sealed: `sealed ${keyId}`, ...parts }
}

/** Makes a ring of rows, the first one unless told otherwise. */
export function storedRing(keys: readonly StoredKey[], version = 1): StoredRing {
  return { version, uptime: 60 * version, keys, code: `code of ${version}` }
}

/** The ring of two keys that one caller puts in. */
export function ringOfPair(caller: string, version = 1): StoredRing {
  return storedRing([storedKey(`${caller} 1`), storedKey(`${caller} 2`, { algorithm: 'RS256' })], version)
}
