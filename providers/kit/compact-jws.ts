/** The strict reader that stands before every signature check. */

import { ProofError } from '../contract/errors.ts'
import type { NumericDate } from '../contract/proof.ts'
import { isJsonObject, type JsonObject, memberOf, parseStrictJson } from '../contract/strict-json.ts'

/** Longest proof we look at, in characters: 16 KiB, twice the largest token that a platform is known to send. */
export const MAX_PROOF_LENGTH = 16_384

/** Longest JOSE header, in characters of its encoded form. Real ones stay below 300. */
export const MAX_HEADER_LENGTH = 2_732

/** Deepest nesting of a header or a claims set. */
export const MAX_JSON_DEPTH = 16

const MAX_KEY_ID_LENGTH = 256

/** A well-formed compact JWS. Nothing in it is verified. */
export interface CompactJws {
  readonly algorithm: string
  readonly keyId: string | undefined
  readonly claims: JsonObject
  readonly signingInput: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Reads a compact JWS whose payload is a JSON object.
 *
 * Refuses what lenient readers let through: base64url that is not canonical, padding, white space, a byte order mark,
 * invalid UTF-8, members named twice, deep nesting, a `typ` other than `JWT`, nested and encrypted tokens, and every header
 * parameter that names a key or changes how the token is read.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7515.html#section-5.2 RFC 7515 section 5.2}
 * @see {@link https://www.rfc-editor.org/rfc/rfc8725.html#section-3 RFC 8725 section 3}
 */
export function readCompactJws(proof: string): CompactJws {
  if (proof.length > MAX_PROOF_LENGTH) throw new ProofError('proof_too_large', 'the proof is longer than 16 KiB')
  const parts = splitCompact(proof)
  const header = decodeObject(parts.header, 'header')
  checkHeader(header)
  return {
    algorithm: String(memberOf(header, 'alg')),
    keyId: readKeyId(header),
    claims: decodeObject(parts.payload, 'claims set'),
    signingInput: Buffer.from(proof.slice(0, parts.header.length + 1 + parts.payload.length), 'latin1'),
    signature: decodeCanonical(parts.signature, 'signature'),
  }
}

/**
 * Gives the `iss` that a proof claims, to choose a trusted issuer by; undefined where it has none that could be one. It reads
 * leniently and so proves nothing: whoever is chosen by it reads the proof again, strictly.
 */
export function readIssuerHint(proof: string): string | undefined {
  const start = proof.indexOf('.') + 1
  const end = proof.indexOf('.', start)
  if (start === 0 || end === -1 || proof.length > MAX_PROOF_LENGTH) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(proof.slice(start, end), 'base64url').toString())
    const issuer = isJsonObject(claims) ? memberOf(claims, 'iss') : undefined
    return typeof issuer === 'string' ? issuer : undefined
  } catch {
    return undefined
  }
}

/** Gives the `exp` of a proof that its holder is about to present; 0 where it has none. Throws where it is no JWS. */
export function readExpiry(proof: string): NumericDate {
  const expiresAt = memberOf(readCompactJws(proof).claims, 'exp')
  return typeof expiresAt === 'number' ? expiresAt : 0
}

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/

function splitCompact(proof: string): { header: string; payload: string; signature: string } {
  const [, header, payload, signature] = COMPACT.exec(proof) ?? []
  if (header === undefined || payload === undefined || signature === undefined) {
    throw new ProofError('proof_malformed', 'the proof is not a compact JWS: three base64url parts joined by dots')
  }
  if (header.length > MAX_HEADER_LENGTH) throw new ProofError('proof_malformed', 'the JOSE header is longer than 2 KiB')
  return { header, payload, signature }
}

/** Two spellings of one signature would be two proofs to anything that compares text, so only the canonical one passes. */
function decodeCanonical(encoded: string, part: string): Buffer {
  const bytes = Buffer.from(encoded, 'base64url')
  if (bytes.toString('base64url') !== encoded) {
    throw new ProofError('proof_malformed', `the ${part} is not canonical base64url`)
  }
  return bytes
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeObject(encoded: string, part: string): JsonObject {
  const bytes = decodeCanonical(encoded, part)
  let value: unknown
  try {
    value = parseStrictJson(utf8.decode(bytes), MAX_JSON_DEPTH)
  } catch (cause) {
    throw new ProofError('proof_malformed', `the ${part} is not JSON with one meaning`, { cause })
  }
  if (!isJsonObject(value)) throw new ProofError('proof_malformed', `the ${part} is not a JSON object`)
  return value
}

/** Parameters that bring a key along, name where to get one, or change what was signed. None has a place in a platform's proof. */
const FORBIDDEN_PARAMETERS = [
  'crit',
  'b64',
  'jku',
  'jwk',
  'x5u',
  'x5c',
  'cty',
  'zip',
  'enc',
  'epk',
  'p2c',
  'p2s',
] as const

function checkHeader(header: JsonObject): void {
  for (const name of FORBIDDEN_PARAMETERS) {
    if (Object.hasOwn(header, name)) {
      throw new ProofError('header_forbidden', `the JOSE header has a member ${name}`, { facts: { member: name } })
    }
  }
  if (typeof memberOf(header, 'alg') !== 'string') throw new ProofError('proof_malformed', 'alg is not a string')
  const type = memberOf(header, 'typ')
  if (Object.hasOwn(header, 'typ') && (typeof type !== 'string' || type.toUpperCase() !== 'JWT')) {
    throw new ProofError('type_not_accepted', 'typ is there and is not JWT: this token was made for another purpose')
  }
}

const PRINTABLE_ASCII = /^[\x21-\x7e]+$/

function readKeyId(header: JsonObject): string | undefined {
  if (!Object.hasOwn(header, 'kid')) return undefined
  const keyId = memberOf(header, 'kid')
  if (typeof keyId !== 'string' || keyId.length > MAX_KEY_ID_LENGTH || !PRINTABLE_ASCII.test(keyId)) {
    throw new ProofError('proof_malformed', 'kid is not a short string of printable ASCII')
  }
  return keyId
}
