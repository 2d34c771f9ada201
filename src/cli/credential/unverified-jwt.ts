/** A look into a JWT that says nothing of who made it. */

import { type JsonObject, readJsonObject } from '../../../providers/contract/strict-json.ts'

/** What a JWT says. Anybody can write it. */
export interface UnverifiedJwt {
  readonly header: JsonObject
  readonly claims: JsonObject
}

/** Longest that is looked at, in characters. */
const MAX_LENGTH = 65_536

const MAX_DEPTH = 16

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*$/

/** Reads header and claims of a JWT. Undefined for whatever is not one: three base64url parts, the first two of them JSON objects. */
export function readUnverifiedJwt(token: string): UnverifiedJwt | undefined {
  const [, header = '', claims = ''] = (token.length <= MAX_LENGTH && COMPACT.exec(token)) || []
  const read = { header: readPart(header), claims: readPart(claims) }
  return read.header === undefined || read.claims === undefined
    ? undefined
    : { header: read.header, claims: read.claims }
}

function readPart(part: string): JsonObject | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(part, 'base64url'))
    return readJsonObject(text, MAX_DEPTH)
  } catch {
    return undefined
  }
}
