/** Signs claims into a compact JWS. */

import { sign } from 'node:crypto'
import type { Grant } from '../policy/decide.ts'
import type { AccessTokenClaims } from './claims.ts'
import type { SigningKey } from './key-ring.ts'

/** Length of r and of s in an ES256 signature. @see {@link https://www.rfc-editor.org/rfc/rfc7518.html#section-3.4 RFC 7518 section 3.4} */
const P256_BYTES = 32

/**
 * Mints a token: a JWS that any stock library verifies.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068.html#section-2.1 RFC 9068 section 2.1}
 */
export function mint(claims: AccessTokenClaims, tokenType: Grant['tokenType'], key: SigningKey): string {
  const header = encode({ alg: key.algorithm, kid: key.keyId, typ: tokenType })
  const signingInput = `${header}.${encode(claims)}`
  return `${signingInput}.${signatureOf(signingInput, key).toString('base64url')}`
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function signatureOf(signingInput: string, key: SigningKey): Buffer {
  const signature = sign('sha256', Buffer.from(signingInput, 'latin1'), key.privateKey)
  return key.algorithm === 'ES256' ? toFixedWidth(signature) : signature
}

/**
 * Turns OpenSSL's DER signature into the fixed-width form of JWS: SEQUENCE { INTEGER r, INTEGER s } of at most 72 bytes, so every
 * length is one byte. Node's own conversion (`dsaEncoding`) halves the rate of signing; see the decisions in `src/README.md`.
 */
function toFixedWidth(der: Buffer): Buffer {
  const fixed = Buffer.alloc(2 * P256_BYTES)
  const rLength = der[3] ?? 0
  const sLength = der[5 + rLength] ?? 0
  placeInteger(fixed, P256_BYTES, der.subarray(4, 4 + rLength))
  placeInteger(fixed, 2 * P256_BYTES, der.subarray(6 + rLength, 6 + rLength + sLength))
  return fixed
}

/** Writes an unsigned integer so that it ends at `end`: DER leaves leading zeros out, and puts one before a high first bit. */
function placeInteger(target: Buffer, end: number, integer: Buffer): void {
  const digits = integer.length > P256_BYTES ? integer.subarray(integer.length - P256_BYTES) : integer
  digits.copy(target, end - digits.length)
}
