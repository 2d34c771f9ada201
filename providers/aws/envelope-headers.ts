/** The header list of an envelope, in which each name has one value. */

import { ProofError } from '../contract/errors.ts'
import { isJsonObject, memberOf } from '../contract/strict-json.ts'
import { GOOGLE_AUDIENCE_HEADER } from './signed-request.ts'

/** By lower-case name. */
export interface Headers {
  get(name: string): string | undefined
  /** Throws where it is absent. */
  require(name: string): string
}

/** Most headers of an envelope. Clients send five. */
const MAX_HEADERS = 32

/** Longest value: session tokens are the longest, and have no promised end. */
const MAX_VALUE_LENGTH = 8_192

const TOKEN = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/
/** Printable ASCII, not beginning or ending with a space: one spelling, and nothing that ends a header. */
const VALUE = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/

/** Headers about the connection, about another date or another method: no signer writes them, and a proxy might obey them. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'date'],
  ...['x-http-method', 'x-http-method-override', 'x-method-override'],
])

/**
 * Reads the list of `{ "key", "value" }`. Names are compared without case.
 *
 * Refuses a name that is there twice, but for one exact repetition of Google's audience header, which its Java library sends; a
 * value with control characters or beyond ASCII; and headers that change how a request is framed. Others are dropped unread.
 */
export function readHeaders(list: unknown): Headers {
  if (!Array.isArray(list) || list.length > MAX_HEADERS) throw malformed('headers is not a list of bearable length')
  const headers = new Map<string, string>()
  let repetitions = 0
  for (const entry of list as readonly unknown[]) {
    const { name, value } = readEntry(entry)
    if (FORBIDDEN.has(name)) throw malformed('a header changes how the request is read')
    const earlier = headers.get(name)
    if (earlier !== undefined && (name !== GOOGLE_AUDIENCE_HEADER || earlier !== value || ++repetitions > 1)) {
      throw malformed('a header is there twice')
    }
    headers.set(name, value)
  }
  const get = (name: string): string | undefined => headers.get(name)
  return { get, require: (name) => get(name) ?? missing(name) }
}

function readEntry(entry: unknown): { name: string; value: string } {
  if (!isJsonObject(entry) || Object.keys(entry).length !== 2) throw malformed('a header is not a key and a value')
  const key = memberOf(entry, 'key')
  const value = memberOf(entry, 'value')
  if (typeof key !== 'string' || typeof value !== 'string') throw malformed('a header is not a key and a value')
  const name = key.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
  if (!TOKEN.test(name)) throw malformed('a header has a name that is none')
  if (value.length > MAX_VALUE_LENGTH || !VALUE.test(value)) {
    throw malformed('a header has a value that is not printable ASCII')
  }
  return { name, value }
}

function missing(name: string): never {
  throw malformed(`the header ${name} is missing`)
}

function malformed(message: string): ProofError {
  return new ProofError('proof_malformed', message)
}
