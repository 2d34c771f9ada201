/** Brings the signing keys in and out of their sealed form. */

import { createPublicKey, type KeyObject } from 'node:crypto'
import { SettingsError } from '../../providers/contract/errors.ts'
import type { Sealer } from '../store/seal.ts'
import type { KeyTable, StoredKey, StoredRing } from '../store/store.ts'
import { refuseStore } from './key-source.ts'
import { parsePrivateKey } from './private-keys.ts'
import { type PublicKey, publicHalfOf, type RingKey } from './signing-key.ts'

/** A key of the store. One that is read has its private half where the store holds that; nothing else of it is ever written. */
export interface HeldKey extends PublicKey {
  readonly privateKey: KeyObject | undefined
}

/** All keys at one moment, withdrawn ones among them. */
export interface OpenRing {
  readonly version: number
  /** Seconds in which some broker was up, when the ring was put in. */
  readonly uptime: number
  readonly keys: readonly HeldKey[]
}

/** The signing keys of a store, as somebody with its key-encryption key sees them. */
export interface RingStore {
  /** Throws {@link SettingsError} where a key cannot be opened, or anybody without the key-encryption key changed anything. */
  read(): Promise<OpenRing>
  /** Puts a ring in the place of another. Gives false, and changes nothing, where that is not the stored one any more. */
  write(before: OpenRing, after: Omit<OpenRing, 'version'>): Promise<boolean>
}

/**
 * Gives access to the signing keys of a store. What was opened once is not opened again while it stays as it was, and a key that
 * is written as it was read stays sealed as it is; a copy of it is sealed anew.
 */
export function createRingStore(table: KeyTable, sealer: Sealer): RingStore {
  let last: { readonly text: string; readonly ring: OpenRing } | undefined
  const sealed = new WeakMap<HeldKey, StoredKey>()
  let opened: ReadonlyMap<string, HeldKey> = new Map()

  const openAll = (keys: readonly StoredKey[]): readonly HeldKey[] => {
    const found = new Map<string, HeldKey>()
    for (const key of keys) {
      const text = rowText(key)
      const held = opened.get(text) ?? openKey(key, sealer)
      found.set(text, held)
      sealed.set(held, key)
    }
    opened = found
    return [...found.values()]
  }
  return {
    async read() {
      const stored = await table.signingKeys()
      if (last !== undefined && stored.version < last.ring.version) {
        refuseStore(
          'an older state of it was put back, in which revoked keys may be good again: restart if that is meant',
        )
      }
      const text = `${codeText(stored)} ${stored.code}`
      if (last === undefined || last.text !== text) last = { text, ring: openRing(stored, openAll, sealer) }
      return last.ring
    },
    write({ version }, { uptime, keys }) {
      const ring = { version: version + 1, uptime, keys: keys.map((key) => sealed.get(key) ?? sealKey(key, sealer)) }
      return table.replaceSigningKeys({ ...ring, code: sealer.authenticate(codeText(ring)) })
    },
  }
}

function openRing(
  stored: StoredRing,
  openAll: (keys: readonly StoredKey[]) => readonly HeldKey[],
  sealer: Sealer,
): OpenRing {
  const { version, uptime, keys, code } = stored
  const opened = openAll(keys)
  const isEmpty = version === 0 && uptime === 0 && keys.length === 0
  if (!isEmpty && !sealer.isAuthentic(codeText(stored), code)) {
    refuseStore('its signing keys were changed by hand: one was taken out, put back, or comes from another version')
  }
  return { version, uptime, keys: opened }
}

function sealKey(key: HeldKey, sealer: Sealer): StoredKey {
  const { publicKey, privateKey, ...row } = key
  const secret =
    key.held === 'store' && privateKey !== undefined
      ? privateKey.export({ type: 'pkcs8', format: 'der' })
      : publicKey.export({ type: 'spki', format: 'der' })
  return { ...row, sealed: sealer.seal(secret, contextOf(row)) }
}

function openKey({ sealed, ...row }: StoredKey, sealer: Sealer): HeldKey {
  const der = naming(row.keyId, () => sealer.open(sealed, contextOf(row)))
  try {
    if (row.held === 'file') {
      return { ...row, publicKey: createPublicKey({ key: der, type: 'spki', format: 'der' }), privateKey: undefined }
    }
    const privateKey = parsePrivateKey(der)
    return { ...row, publicKey: publicHalfOf(privateKey), privateKey }
  } catch {
    return refuseStore(`what is kept as the key ${row.keyId} is no key`)
  }
}

/** Says which key it is that cannot be opened. */
function naming<T>(keyId: string, open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    throw new SettingsError(error.problems.map((problem) => ({ ...problem, message: `${problem.message} (${keyId})` })))
  }
}

/** What a sealed key is authenticated with, so that no row can pass for another, or for one in another state or of another time. */
function contextOf(key: RingKey): string {
  return JSON.stringify(['chancery signing key', ...membersOf(key)])
}

/** What the code of a ring is made over, so that no key can be taken out, none put back, and no wait cut short. */
function codeText({ version, uptime, keys }: Omit<StoredRing, 'code'>): string {
  const rows = keys.map(rowText)
  return JSON.stringify(['chancery key ring', version, uptime, ...rows.sort()])
}

function rowText(key: StoredKey): string {
  return JSON.stringify([...membersOf(key), key.sealed])
}

function membersOf(key: RingKey): readonly (string | number)[] {
  const { keyId, algorithm, state, held, publishedAt, since, publishedUptime, sinceUptime } = key
  return [keyId, algorithm, state, held, publishedAt, since, publishedUptime, sinceUptime]
}
