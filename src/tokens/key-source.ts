/** Makes new signing keys, and brings those of the store in and out of their sealed form. */

import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { NumericDate } from '../../providers/contract/proof.ts'
import type { Sealer } from '../store/seal.ts'
import type { Store, StoredKey } from '../store/store.ts'
import { keyIdOf, refuseStore, SIGNING_ALGORITHMS, type SigningAlgorithm, type SigningKey } from './key-ring.ts'

const generate = promisify(generateKeyPair)

/** Modulus of an RS256 key, in bits. Tokens live an hour, keys two months. */
const RSA_BITS = 2_048

/**
 * Gives the ring's keys, making one of each algorithm where the store has none. Of several processes that start on one empty
 * store, one makes the keys and all use them.
 *
 * Throws {@link SettingsError} where a key cannot be opened, or what opens is no key: a new ring is never made in place of one
 * that is there.
 */
export async function loadSigningKeys(store: Store, sealer: Sealer, now: NumericDate): Promise<readonly SigningKey[]> {
  const stored = await store.signingKeys()
  if (stored.length > 0) return stored.map((key) => openKey(key, sealer))
  const made = await Promise.all(SIGNING_ALGORITHMS.map((algorithm) => makeKey(algorithm, now)))
  await store.addFirstSigningKeys(made.map((key) => sealKey(key, sealer)))
  const kept = await store.signingKeys()
  return kept.map((key) => openKey(key, sealer))
}

async function makeKey(algorithm: SigningAlgorithm, now: NumericDate): Promise<SigningKey> {
  const { privateKey } =
    algorithm === 'ES256'
      ? await generate('ec', { namedCurve: 'P-256' })
      : await generate('rsa', { modulusLength: RSA_BITS })
  return { keyId: await keyIdOf(privateKey), algorithm, state: 'current', publishedAt: now, privateKey }
}

function sealKey(key: SigningKey, sealer: Sealer): StoredKey {
  const { keyId, algorithm, state, publishedAt } = key
  const der = key.privateKey.export({ type: 'pkcs8', format: 'der' })
  return { keyId, algorithm, state, publishedAt, sealed: sealer.seal(der, contextOf(key)) }
}

function openKey(stored: StoredKey, sealer: Sealer): SigningKey {
  const { keyId, algorithm, state, publishedAt } = stored
  const der = sealer.open(stored.sealed, contextOf(stored))
  return { keyId, algorithm, state, publishedAt, privateKey: parsePrivateKey(der, keyId) }
}

function parsePrivateKey(der: Buffer, keyId: string): KeyObject {
  try {
    return createPrivateKey({ key: der, type: 'pkcs8', format: 'der' })
  } catch {
    return refuseStore(`what is kept as the key ${keyId} is no private key`)
  }
}

/** What a sealed key is authenticated with, so that no row can pass for another, or for one in another state. */
function contextOf(key: Omit<StoredKey, 'sealed'>): string {
  return JSON.stringify(['chancery signing key', key.keyId, key.algorithm, key.state, key.publishedAt])
}
