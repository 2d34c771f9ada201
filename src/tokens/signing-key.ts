/** What a signing key is: its halves, its name, and where it stands. */

import { createPublicKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import type { StoredKey } from '../store/store.ts'

export type SigningAlgorithm = StoredKey['algorithm']

/** A key is published before it signs, signs, and stays published until the last token that it signed has expired. */
export type KeyState = StoredKey['state']

/** All that rotation needs to know of a key. */
export type RingKey = Omit<StoredKey, 'sealed'>

/** A key of which everybody may know this much. */
export interface PublicKey extends RingKey {
  readonly publicKey: KeyObject
}

export const SIGNING_ALGORITHMS: readonly SigningAlgorithm[] = ['ES256', 'RS256']

/** Whether verifiers are told of a key. */
export function isPublished({ state }: Pick<RingKey, 'state'>): boolean {
  return state !== 'withdrawn'
}

/** Gives the id of a key: the SHA-256 thumbprint of its public half. @see {@link https://www.rfc-editor.org/rfc/rfc7638.html RFC 7638} */
export async function keyIdOf(key: KeyObject): Promise<string> {
  return await calculateJwkThumbprint(toPublicJwk(key))
}

/** Gives the public half of a key. Members are named one by one, so that no private one can ever be among them. Throws for what is neither EC nor RSA. */
export function toPublicJwk(key: KeyObject): JWK {
  const { kty, crv, x, y, n, e } = publicHalfOf(key).export({ format: 'jwk' })
  if (kty === 'EC' && crv !== undefined && x !== undefined && y !== undefined) return { kty, crv, x, y }
  if (kty === 'RSA' && n !== undefined && e !== undefined) return { kty, n, e }
  throw new Error('a signing key is EC or RSA')
}

/** Gives the public half of a key, be it public already. */
export function publicHalfOf(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key
}
