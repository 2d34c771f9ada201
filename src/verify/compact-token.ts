/** The strict reader that stands before every signature check. */

import { isJsonObject, type JsonObject, memberOf, parseStrictJson } from '../../providers/contract/strict-json.ts'
import { TokenRefused } from './refused.ts'

/** Longest token that is looked at, in characters: the most that Node takes of all header fields together. Ours stay below 2 KiB. */
export const MAX_TOKEN_LENGTH = 16_384

/** Longest JOSE header, in characters of its encoded form. Ours have 130. */
export const MAX_HEADER_LENGTH = 1_024

/** Deepest nesting of a header or a claims set. */
export const MAX_JSON_DEPTH = 16

/** A well-formed compact JWS. Nothing in it is verified. */
export interface UnverifiedToken {
  readonly algorithm: string
  readonly keyId: string
  readonly type: string
  readonly claims: JsonObject
}

/**
 * Reads a compact JWS whose payload is a JSON object.
 *
 * Refuses what lenient readers let through: base64url that is not canonical, padding, white space, a byte order mark, invalid
 * UTF-8, members named twice, deep nesting, and every header member but `alg`, `kid` and `typ`, which are all that our broker
 * writes: so no key that the token brings along, and nothing that changes how it is read.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7515.html#section-5.2 RFC 7515 section 5.2}
 * @see {@link https://www.rfc-editor.org/rfc/rfc8725.html#section-3 RFC 8725 section 3}
 */
export function readCompactToken(token: string): UnverifiedToken {
  if (typeof token !== 'string') throw new TokenRefused('token_malformed')
  if (token.length > MAX_TOKEN_LENGTH) throw new TokenRefused('token_too_large')
  const [, header, payload, signature] = COMPACT.exec(token) ?? []
  if (header === undefined || payload === undefined || signature === undefined) {
    throw new TokenRefused('token_malformed', 'segments')
  }
  if (header.length > MAX_HEADER_LENGTH) throw new TokenRefused('token_malformed', 'header')
  const { alg, kid, typ } = readHeader(decodeObject(header, 'header'))
  decodeCanonical(signature, 'signature')
  return { algorithm: alg, keyId: kid, type: typ, claims: decodeObject(payload, 'claims') }
}

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/

/** Two spellings of one token would be two tokens to anything that compares text, so only the canonical one passes. */
function decodeCanonical(encoded: string, part: string): Buffer {
  const bytes = Buffer.from(encoded, 'base64url')
  if (bytes.toString('base64url') !== encoded) throw new TokenRefused('token_malformed', part)
  return bytes
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeObject(encoded: string, part: string): JsonObject {
  const bytes = decodeCanonical(encoded, part)
  let value: unknown
  try {
    value = parseStrictJson(utf8.decode(bytes), MAX_JSON_DEPTH)
  } catch {
    // Without its cause: some parsers quote what they could not read.
    throw new TokenRefused('token_malformed', part)
  }
  if (!isJsonObject(value)) throw new TokenRefused('token_malformed', part)
  return value
}

const MEMBERS = ['alg', 'kid', 'typ'] as const

/** Members that RFC 7515 and 7797 define and that may not decide anything here. Others are refused too, but not named: the sender chose them. */
const NAMED = ['crit', 'b64', 'jku', 'jwk', 'x5u', 'x5c', 'x5t', 'x5t#S256', 'cty', 'zip', 'enc'] as const

function readHeader(header: JsonObject): Readonly<Record<(typeof MEMBERS)[number], string>> {
  const known: readonly string[] = MEMBERS
  const foreign = Object.keys(header).find((name) => !known.includes(name))
  if (foreign !== undefined) throw new TokenRefused('header_forbidden', NAMED.find((name) => name === foreign) ?? '')
  return { alg: readMember(header, 'alg'), kid: readMember(header, 'kid'), typ: readMember(header, 'typ') }
}

const SHORT_PRINTABLE = /^[\x21-\x7e]{1,256}$/

function readMember(header: JsonObject, name: (typeof MEMBERS)[number]): string {
  const value = memberOf(header, name)
  if (typeof value !== 'string' || !SHORT_PRINTABLE.test(value)) throw new TokenRefused('token_malformed', name)
  return value
}
