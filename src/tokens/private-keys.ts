/** Makes private keys, and signs with them. */

import { createPrivateKey, generateKeyPair, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { SigningAlgorithm } from './signing-key.ts'

const generate = promisify(generateKeyPair)

/** Modulus of an RS256 key that we make, in bits. Tokens live an hour, keys two months. */
const RSA_BITS = 2_048

/** Length of r and of s in an ES256 signature. @see {@link https://www.rfc-editor.org/rfc/rfc7518.html#section-3.4 RFC 7518 section 3.4} */
const P256_BYTES = 32

/** Makes a private key of an algorithm. */
export async function makePrivateKey(algorithm: SigningAlgorithm): Promise<KeyObject> {
  const { privateKey } =
    algorithm === 'ES256'
      ? await generate('ec', { namedCurve: 'P-256' })
      : await generate('rsa', { modulusLength: RSA_BITS })
  return privateKey
}

/** Reads a private key in PKCS#8. Throws where it is none. */
export function parsePrivateKey(der: Buffer): KeyObject {
  return createPrivateKey({ key: der, type: 'pkcs8', format: 'der' })
}

/** Signs, and gives the signature as JWS has it. */
export function signJws(privateKey: KeyObject, algorithm: SigningAlgorithm, input: Buffer): Buffer {
  const signature = sign('sha256', input, privateKey)
  return algorithm === 'ES256' ? toFixedWidth(signature) : signature
}

/**
 * Turns OpenSSL's DER signature into the fixed-width form of JWS: SEQUENCE { INTEGER r, INTEGER s } of at most 72 bytes, so every
 * length is one byte. Node's own conversion (`dsaEncoding`) halves the rate of signing; see `src/decisions.md`.
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
