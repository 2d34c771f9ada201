/** The keys of a stand-in: made, published and signed with as a platform does, and forged with as it never would. */

import { createHash } from 'node:crypto'
import { CompactSign, type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK } from 'jose'
import type { SignatureAlgorithm } from './verification-key.ts'

export interface StandInKey {
  readonly keyId: string
  readonly algorithm: SignatureAlgorithm
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  /** The public half as it is published, with `alg` and `use`. */
  readonly jwk: JWK
}

export type Claims = Readonly<Record<string, unknown>>

/** Makes a signing key. Without an id it gets the one that a Kubernetes API server would give it: the hash of its public half. */
export async function generateStandInKey(algorithm: SignatureAlgorithm, id?: string): Promise<StandInKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  const pem = await exportSPKI(publicKey)
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
  const keyId = id ?? createHash('sha256').update(der).digest('base64url')
  const jwk = { ...(await exportJWK(publicKey)), kid: keyId, alg: algorithm, use: 'sig' }
  return { keyId, algorithm, privateKey, publicKey, jwk }
}

/** Signs any claims: what a platform does in the end, and how tests forge what it never would. */
export async function signClaims(claims: Claims, key: StandInKey, header: Claims = {}): Promise<string> {
  const payload = Buffer.from(JSON.stringify(claims))
  return await new CompactSign(payload)
    .setProtectedHeader({ alg: key.algorithm, kid: key.keyId, ...header })
    .sign(key.privateKey)
}
