/** Signing keys that no store has seen. */

import { generateKeyPairSync } from 'node:crypto'
import { keyIdOf, type SigningAlgorithm, type SigningKey } from '../../src/tokens/key-ring.ts'

/** Makes a key under its right id. Other members may be wrong. */
export async function makeSigningKey(
  algorithm: SigningAlgorithm,
  parts: Partial<SigningKey> = {},
): Promise<SigningKey> {
  const { privateKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const keyId = await keyIdOf(parts.privateKey ?? privateKey)
  return { keyId, algorithm, state: 'current', publishedAt: 1_768_478_400, privateKey, ...parts }
}
