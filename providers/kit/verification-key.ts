/** Public keys from a JWK Set, and the signatures that they verify. */

import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { isJsonObject, type JsonObject, memberOf } from '../contract/strict-json.ts'

/** Signature algorithms that a platform may use. @see {@link https://www.rfc-editor.org/rfc/rfc7518.html#section-3.1 RFC 7518 section 3.1} */
export type SignatureAlgorithm = 'RS256' | 'ES256' | 'ES384' | 'ES512'

/** A key that may verify, and with which algorithm alone. */
export interface VerificationKey {
  readonly keyId: string
  readonly algorithm: SignatureAlgorithm
  readonly key: KeyObject
}

/** A key of a set that we will not use, and why; the words are ours. */
export interface UnusableKey {
  readonly unusable: string
}

interface Scheme {
  readonly hash: string
  readonly keyType: 'RSA' | 'EC'
  readonly curve?: string
  /** Length of an ECDSA signature: r and s, each as long as the field. @see RFC 7518 section 3.4 */
  readonly signatureLength?: number
}

const SCHEMES: Readonly<Record<SignatureAlgorithm, Scheme>> = {
  RS256: { hash: 'sha256', keyType: 'RSA' },
  ES256: { hash: 'sha256', keyType: 'EC', curve: 'P-256', signatureLength: 64 },
  ES384: { hash: 'sha384', keyType: 'EC', curve: 'P-384', signatureLength: 96 },
  ES512: { hash: 'sha512', keyType: 'EC', curve: 'P-521', signatureLength: 132 },
}

/** Curves of EC keys, and what is signed with each. */
export const ALGORITHM_OF_CURVE: ReadonlyMap<unknown, SignatureAlgorithm> = new Map([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
])

/** Members of a JWK that only a private or a symmetric key has. @see {@link https://www.rfc-editor.org/rfc/rfc7518.html#section-6 RFC 7518 section 6} */
export const PRIVATE_MEMBERS: readonly string[] = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

const MIN_RSA_BITS = 2_048
/** Above this a verification is slow enough to be a weapon. */
const MAX_RSA_BITS = 8_192

/**
 * Imports one member of a JWK Set.
 *
 * Refuses private and symmetric keys, keys for encryption, RSA below 2,048 or above 8,192 bits or with an even or tiny exponent,
 * unknown curves, and an `alg` that does not fit. A key without `alg` gets the one algorithm that its type allows: what a token's header
 * asks for never decides.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517.html#section-4 RFC 7517 section 4}
 */
export function importVerificationKey(jwk: unknown): VerificationKey | UnusableKey {
  if (!isJsonObject(jwk)) return { unusable: 'not_an_object' }
  const keyId = memberOf(jwk, 'kid')
  if (typeof keyId !== 'string' || keyId === '') return { unusable: 'no_key_id' }
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member))) return { unusable: 'private' }
  if (!isForVerification(jwk)) return { unusable: 'not_for_signatures' }
  const algorithm = algorithmOf(jwk)
  if (algorithm === undefined) return { unusable: 'key_type' }
  const named = memberOf(jwk, 'alg')
  if (named !== undefined && named !== algorithm) return { unusable: 'algorithm' }
  const key = importPublic(jwk)
  if (key === undefined) return { unusable: 'material' }
  const weakness = findWeakness(key)
  return weakness === undefined ? { keyId, algorithm, key } : { unusable: weakness }
}

/** Verifies a JWS signature with a key made for this algorithm. False for a signature of the wrong length or encoding. */
export function isSignatureValid(key: VerificationKey, signingInput: Uint8Array, signature: Uint8Array): boolean {
  const scheme = SCHEMES[key.algorithm]
  if (scheme.keyType === 'RSA') return verify(scheme.hash, signingInput, key.key, signature)
  if (signature.length !== scheme.signatureLength) return false
  return verify(scheme.hash, signingInput, { key: key.key, dsaEncoding: 'ieee-p1363' }, signature)
}

function isForVerification(jwk: JsonObject): boolean {
  const use = memberOf(jwk, 'use')
  const operations = memberOf(jwk, 'key_ops')
  if (use !== undefined && use !== 'sig') return false
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
}

function algorithmOf(jwk: JsonObject): SignatureAlgorithm | undefined {
  const keyType = memberOf(jwk, 'kty')
  if (keyType === 'RSA') return 'RS256'
  return keyType === 'EC' ? ALGORITHM_OF_CURVE.get(memberOf(jwk, 'crv')) : undefined
}

/** Only the members that make up the key are handed on, so that nothing else in a stranger's JWK is interpreted. */
function importPublic(jwk: JsonObject): KeyObject | undefined {
  const members = memberOf(jwk, 'kty') === 'RSA' ? ['kty', 'n', 'e'] : ['kty', 'crv', 'x', 'y']
  const key = Object.fromEntries(members.map((name) => [name, memberOf(jwk, name)]))
  if (!Object.values(key).every((value) => typeof value === 'string')) return undefined
  try {
    return createPublicKey({ key, format: 'jwk' })
  } catch {
    return undefined
  }
}

function findWeakness(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType !== 'rsa') return undefined
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (modulusLength < MIN_RSA_BITS) return 'rsa_too_short'
  if (modulusLength > MAX_RSA_BITS) return 'rsa_too_long'
  if (publicExponent < 3n || publicExponent % 2n === 0n || publicExponent > 0xffff_ffffn) return 'rsa_exponent'
  return undefined
}
