/** The keys that tokens are signed with, and those that verify them. */

import { createPublicKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { SettingsError } from '../../providers/contract/errors.ts'
import type { NumericDate } from '../../providers/contract/proof.ts'
import type { StoredKey } from '../store/store.ts'

export type SigningAlgorithm = StoredKey['algorithm']

/** A key is published before it signs, signs, and stays published until the last token that it signed has expired. */
export type KeyState = StoredKey['state']

/** A private key of the ring. */
export interface SigningKey {
  /** RFC 7638 thumbprint of the public half. */
  readonly keyId: string
  readonly algorithm: SigningAlgorithm
  readonly state: KeyState
  readonly publishedAt: NumericDate
  readonly privateKey: KeyObject
}

/** One moment's keys. Immutable: an exchange that began with it ends with it. */
export interface KeyRing {
  /** Gives the key that signs now. There is one for each algorithm. */
  signerFor(algorithm: SigningAlgorithm): SigningKey
  /** The public halves, computed from the private ones, and nothing else. */
  readonly jwks: { readonly keys: readonly JWK[] }
}

export const SIGNING_ALGORITHMS: readonly SigningAlgorithm[] = ['ES256', 'RS256']

/**
 * Builds the ring of these keys. Throws {@link SettingsError} where one is not what its row says (its id is not the thumbprint of
 * its public half, or it is no key of its algorithm), and where an algorithm has no current key.
 */
export async function createKeyRing(keys: readonly SigningKey[]): Promise<KeyRing> {
  const published = await Promise.all(keys.map(publish))
  const current = {
    ES256: findCurrent(keys, 'ES256'),
    RS256: findCurrent(keys, 'RS256'),
  }
  return { jwks: { keys: published }, signerFor: (algorithm) => current[algorithm] }
}

function findCurrent(keys: readonly SigningKey[], algorithm: SigningAlgorithm): SigningKey {
  const key = keys.find((candidate) => candidate.algorithm === algorithm && candidate.state === 'current')
  return key ?? refuseStore(`no ${algorithm} key is current`)
}

/** Gives the id of a key: the SHA-256 thumbprint of its public half. @see {@link https://www.rfc-editor.org/rfc/rfc7638.html RFC 7638} */
export async function keyIdOf(privateKey: KeyObject): Promise<string> {
  return await calculateJwkThumbprint(publicHalf(privateKey))
}

async function publish(key: SigningKey): Promise<JWK> {
  const jwk = publicHalf(key.privateKey)
  if (!isOf(jwk, key.algorithm)) refuseStore(`the key ${key.keyId} is no ${key.algorithm} key`)
  if ((await calculateJwkThumbprint(jwk)) !== key.keyId) refuseStore(`the key ${key.keyId} is not what its id says`)
  return { ...jwk, kid: key.keyId, alg: key.algorithm, use: 'sig' }
}

/** Members are named one by one, so that no private one can ever be among them. */
function publicHalf(privateKey: KeyObject): JWK {
  const { kty, crv, x, y, n, e } = createPublicKey(privateKey).export({ format: 'jwk' })
  if (kty === 'EC' && crv !== undefined && x !== undefined && y !== undefined) return { kty, crv, x, y }
  if (kty === 'RSA' && n !== undefined && e !== undefined) return { kty, n, e }
  return refuseStore('a signing key is EC or RSA')
}

function isOf({ kty, crv }: JWK, algorithm: SigningAlgorithm): boolean {
  return algorithm === 'ES256' ? crv === 'P-256' : kty === 'RSA'
}

/** Refuses signing keys of a store that nobody but its owner can mend. */
export function refuseStore(problem: string): never {
  const message = `--store: ${problem}: restore the store from a backup, or start with a new one`
  throw new SettingsError([{ path: ['--store'], code: 'store_unusable', message }])
}
