/** Compact JWS of any text and any bytes, signed by whoever is asked: what no library would make, and a broker must refuse. */

import { constants, createHmac, KeyObject, sign } from 'node:crypto'
import type { StandInKey } from '../../providers/kit/stand-in-keys.ts'

/** Signs the bytes that stand before the second dot. */
export type Signer = (signingInput: Buffer) => Buffer

/** What a segment is made of: text and bytes as they are, anything else as JSON. */
export type Part = string | Uint8Array | object

/** Gives the base64url of a part. */
export function encodePart(part: Part): string {
  const isRaw = typeof part === 'string' || part instanceof Uint8Array
  return Buffer.from(isRaw ? part : JSON.stringify(part)).toString('base64url')
}

/** Makes a compact JWS of a header and a payload. */
export function rawJws(header: Part, payload: Part, signer: Signer): string {
  return joinSegments(encodePart(header), encodePart(payload), signer)
}

/** Makes one of two segments as they are spelled, canonical or not, so that the signature is about that spelling. */
export function joinSegments(header: string, payload: string, signer: Signer): string {
  const signingInput = `${header}.${payload}`
  return `${signingInput}.${signer(Buffer.from(signingInput)).toString('base64url')}`
}

/** Signs as a cluster's API server does, whatever it is given. */
export function signerOf(key: StandInKey): Signer {
  return signWith(KeyObject.from(key.privateKey), key.algorithm)
}

const HASHES = { '256': 'sha256', '384': 'sha384', '512': 'sha512' } as const

type JwsAlgorithm = `${'RS' | 'PS' | 'ES'}${keyof typeof HASHES}`

/** Signs with a private key of any size, under any algorithm that fits its type. */
export function signWith(key: KeyObject, algorithm: JwsAlgorithm): Signer {
  const hash = HASHES[algorithm.slice(2) as keyof typeof HASHES]
  const padding = algorithm.startsWith('PS') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING
  const options = algorithm.startsWith('ES')
    ? { key, dsaEncoding: 'ieee-p1363' as const }
    : { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
  return (signingInput) => sign(hash, signingInput, options)
}

/** Signs with a shared secret, as the HS algorithms do. */
export function hmacSigner(secret: string | Uint8Array, bits: keyof typeof HASHES = '256'): Signer {
  return (signingInput) => createHmac(HASHES[bits], secret).update(signingInput).digest()
}

/** Puts these bytes where a signature should be. */
export function constantSigner(signature: Uint8Array): Signer {
  return () => Buffer.from(signature)
}
