/** Public keys from our broker's JWK Set. */

import { type CryptoKey, importJWK } from 'jose'
import { isJsonObject, type JsonObject, memberOf } from '../../providers/contract/strict-json.ts'

/** Signature algorithms that our broker uses. There are no others, and `none` is not one. */
export type TokenAlgorithm = 'ES256' | 'RS256'

/** A key that may verify, and with which algorithm alone. */
export interface PublicKey {
  readonly keyId: string
  readonly algorithm: TokenAlgorithm
  /** What the key is, for comparison: two keys of one id must be one key. */
  readonly material: string
  readonly key: CryptoKey
}

const MIN_RSA_BITS = 2_048
/** The most that our broker takes. Longer ones only cost time. */
const MAX_RSA_BITS = 4_096

/**
 * Imports one member of a JWK Set; undefined where it is not a key that our broker would sign access tokens with.
 *
 * That leaves out private and symmetric keys, keys not marked for signatures, keys without `kid` or `alg`, an `alg` that does not
 * fit the type or the curve, and RSA outside 2,048 to 4,096 bits or with an exponent other than 65537 and above.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517.html#section-4 RFC 7517 section 4}
 */
export async function importPublicKey(jwk: unknown): Promise<PublicKey | undefined> {
  if (!isJsonObject(jwk)) return undefined
  const keyId = memberOf(jwk, 'kid')
  if (typeof keyId !== 'string' || keyId === '' || memberOf(jwk, 'use') !== 'sig') return undefined
  if (['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'].some((member) => Object.hasOwn(jwk, member)))
    return undefined
  const algorithm = algorithmOf(jwk)
  if (algorithm === undefined) return undefined
  // Only the members that make up the key are handed on, so that nothing else in the JWK is interpreted.
  const names = algorithm === 'RS256' ? ['kty', 'n', 'e'] : ['kty', 'crv', 'x', 'y']
  const members = names.map((name) => [name, memberOf(jwk, name)] as const)
  if (!members.every(([, value]) => typeof value === 'string')) return undefined
  const key = await importOrNothing(Object.fromEntries(members), algorithm)
  if (key === undefined || isWeak(key)) return undefined
  return { keyId, algorithm, key, material: JSON.stringify(members) }
}

function algorithmOf(jwk: JsonObject): TokenAlgorithm | undefined {
  const [named, type] = ['alg', 'kty'].map((name) => memberOf(jwk, name))
  if (named === 'RS256' && type === 'RSA') return 'RS256'
  // That the curve is P-256 is seen when the key is imported for this algorithm.
  return named === 'ES256' && type === 'EC' ? 'ES256' : undefined
}

async function importOrNothing(jwk: JsonObject, algorithm: TokenAlgorithm): Promise<CryptoKey | undefined> {
  try {
    const key = await importJWK(jwk, algorithm)
    return key instanceof Uint8Array ? undefined : key
  } catch {
    return undefined
  }
}

function isWeak(key: CryptoKey): boolean {
  const { modulusLength, publicExponent } = key.algorithm as Partial<RsaParameters>
  if (modulusLength === undefined || publicExponent === undefined) return false
  const exponent = BigInt(`0x${Buffer.from(publicExponent).toString('hex')}`)
  return modulusLength < MIN_RSA_BITS || modulusLength > MAX_RSA_BITS || exponent < 65_537n || exponent % 2n === 0n
}

interface RsaParameters {
  readonly modulusLength: number
  readonly publicExponent: Uint8Array
}
