/** Signing keys that no store has seen. */

import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createKeyRing, type KeyRing, type Signer } from '../../src/tokens/key-ring.ts'
import type { KeySource } from '../../src/tokens/key-source.ts'
import { signJws } from '../../src/tokens/private-keys.ts'
import { keyIdOf, type PublicKey, publicHalfOf, type SigningAlgorithm } from '../../src/tokens/signing-key.ts'

const NOW = 1_768_478_400

export interface MadeKey extends PublicKey {
  readonly privateKey: KeyObject
}

/** Makes a key under its right id. Other members may be wrong. */
export async function makeSigningKey(algorithm: SigningAlgorithm, parts: Partial<MadeKey> = {}): Promise<MadeKey> {
  const { privateKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const used = parts.privateKey ?? privateKey
  const times = { publishedAt: NOW, since: NOW, publishedUptime: 0, sinceUptime: 0 }
  const halves = { publicKey: publicHalfOf(used), privateKey: used }
  return { keyId: await keyIdOf(used), algorithm, state: 'current', held: 'store', ...times, ...halves, ...parts }
}

/** Signs as a source does that holds these keys. */
export function signerOf(keys: readonly MadeKey[]): KeySource['sign'] {
  return (keyId, input) => {
    const key = keys.find((candidate) => candidate.keyId === keyId)
    if (key === undefined) throw new Error('the key does not sign')
    return signJws(key.privateKey, key.algorithm, input)
  }
}

/** Makes the ring of these keys. */
export function ringOf(keys: readonly MadeKey[]): Promise<KeyRing> {
  return createKeyRing(keys, signerOf(keys))
}

/** Gives what signs with a key. */
export function signingWith(key: MadeKey): Signer {
  const { keyId, algorithm } = key
  return { keyId, algorithm, sign: (input) => signerOf([key])(keyId, input) }
}
