/** Brings the signing keys in and out of their sealed form. */

import { createPublicKey, type KeyObject } from 'node:crypto'
import { SettingsError } from '../../providers/contract/errors.ts'
import type { Sealer } from '../store/seal.ts'
import type { KeyTable, StoredKey, StoredRing } from '../store/store.ts'
import { refuseStore } from './key-source.ts'
import { parsePrivateKey } from './private-keys.ts'
import { type PublicKey, publicHalfOf, type RingKey } from './signing-key.ts'

/** A key of the store, with its private half where the store holds that. */
export interface HeldKey extends PublicKey {
  readonly privateKey: KeyObject | undefined
}

/** All keys at one moment, withdrawn ones among them. */
export interface OpenRing {
  readonly version: number
  readonly keys: readonly HeldKey[]
  /** What was noted last. */
  readonly uptime: number
}

/** The signing keys of a store, as somebody with its key-encryption key sees them. */
export interface RingStore {
  /** Throws {@link SettingsError} where a key cannot be opened, or anybody without the key-encryption key changed anything. */
  read(): Promise<OpenRing>
  /** Puts these keys in the place of a ring's. Gives false, and changes nothing, where it is not the stored one any more. */
  write(before: OpenRing, keys: readonly HeldKey[]): Promise<boolean>
  noteUptime(seconds: number): Promise<void>
}

/** Gives access to the signing keys of a store. What was opened once is not opened again while it stays as it was. */
export function createRingStore(table: KeyTable, sealer: Sealer): RingStore {
  let last: { readonly ring: string; readonly version: number; readonly keys: readonly HeldKey[] } | undefined
  return {
    async read() {
      const { ring, uptime } = await table.signingKeys()
      const text = textOf(ring)
      if (last === undefined || last.ring !== text)
        last = { ring: text, version: ring.version, keys: openRing(ring, sealer) }
      if (uptime.seconds > 0 && !sealer.isAuthentic(uptimeText(uptime.seconds), uptime.code)) {
        refuseStore('the uptime that its keys are rotated by was changed by hand')
      }
      return { version: ring.version, keys: last.keys, uptime: uptime.seconds }
    },
    write(before, keys) {
      const ring = { version: before.version + 1, keys: keys.map((key) => sealKey(key, sealer)) }
      return table.replaceSigningKeys({ ...ring, code: sealer.authenticate(codeText(ring)) })
    },
    noteUptime: (seconds) => table.noteUptime({ seconds, code: sealer.authenticate(uptimeText(seconds)) }),
  }
}

function openRing(ring: StoredRing, sealer: Sealer): readonly HeldKey[] {
  const { version, keys, code } = ring
  if (version === 0 && keys.length === 0) return []
  const opened = keys.map((key) => openKey(key, sealer))
  if (!sealer.isAuthentic(codeText(ring), code)) {
    refuseStore('its signing keys were changed by hand: one was taken out, put back, or comes from another version')
  }
  return opened
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

/** What the code of a ring is made over, so that no key can be taken out, and none put back. */
function codeText({ version, keys }: Omit<StoredRing, 'code'>): string {
  const rows = keys.map((key) => JSON.stringify([...membersOf(key), key.sealed]))
  return JSON.stringify(['chancery key ring', version, ...rows.sort()])
}

function textOf(ring: StoredRing): string {
  return `${codeText(ring)} ${ring.code}`
}

function uptimeText(seconds: number): string {
  return JSON.stringify(['chancery uptime', seconds])
}

function membersOf(key: RingKey): readonly (string | number | null)[] {
  const { keyId, algorithm, state, held, publishedAt, since, publishedUptime, sinceUptime } = key
  return [keyId, algorithm, state, held, publishedAt, since, publishedUptime, sinceUptime]
}
