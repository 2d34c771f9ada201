/** The keys that tokens are signed with, and those that verify them. */

import { calculateJwkThumbprint, type JWK } from 'jose'
import { type KeySource, refuseStore } from './key-source.ts'
import { type PublicKey, type SigningAlgorithm, toPublicJwk } from './signing-key.ts'

/** Signs with one key. */
export interface Signer {
  readonly keyId: string
  readonly algorithm: SigningAlgorithm
  readonly sign: (input: Buffer) => Buffer | Promise<Buffer>
}

/** One moment's keys. Immutable: an exchange that began with it ends with it. */
export interface KeyRing {
  /** Gives the key that signs now. There is one for each algorithm. */
  signerFor(algorithm: SigningAlgorithm): Signer
  /** The public halves of all keys, and nothing else. */
  readonly jwks: { readonly keys: readonly JWK[] }
}

/**
 * Builds the ring of these keys. Throws {@link SettingsError} where one is not what it is called (its id is not the thumbprint of
 * its public half, or it is no key of its algorithm), and where an algorithm has no current key.
 */
export async function createKeyRing(keys: readonly PublicKey[], sign: KeySource['sign']): Promise<KeyRing> {
  const published = await Promise.all(keys.map(publish))
  const current = {
    ES256: findSigner(keys, 'ES256', sign),
    RS256: findSigner(keys, 'RS256', sign),
  }
  return { jwks: { keys: published }, signerFor: (algorithm) => current[algorithm] }
}

function findSigner(keys: readonly PublicKey[], algorithm: SigningAlgorithm, sign: KeySource['sign']): Signer {
  const { keyId } =
    keys.find((candidate) => candidate.algorithm === algorithm && candidate.state === 'current') ??
    refuseStore(`no ${algorithm} key is current`)
  return { keyId, algorithm, sign: (input) => sign(keyId, input) }
}

async function publish({ keyId, algorithm, publicKey }: PublicKey): Promise<JWK> {
  const jwk = toPublicJwk(publicKey)
  if (!isOf(jwk, algorithm)) refuseStore(`the key ${keyId} is no ${algorithm} key`)
  if ((await calculateJwkThumbprint(jwk)) !== keyId) refuseStore(`the key ${keyId} is not what its id says`)
  return { ...jwk, kid: keyId, alg: algorithm, use: 'sig' }
}

function isOf({ kty, crv }: JWK, algorithm: SigningAlgorithm): boolean {
  return algorithm === 'ES256' ? crv === 'P-256' : kty === 'RSA'
}
