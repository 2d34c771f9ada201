/** Reads the envelope in which a signed request travels: percent-encoded JSON, as Google's clients send it. */

import { ProofError } from '../contract/errors.ts'
import { isJsonObject, type JsonObject, memberOf, parseStrictJson } from '../contract/strict-json.ts'
import { readAmzDate } from './amz-date.ts'
import { readAuthorization } from './authorization.ts'
import { findEndpoint, type StsEndpoint } from './endpoints.ts'
import { type Headers, readHeaders } from './envelope-headers.ts'
import {
  ACTION,
  AUDIENCE_HEADER,
  bodyOf,
  GOOGLE_AUDIENCE_HEADER,
  type RequestShape,
  SIGNABLE_HEADERS,
  type SignedRequest,
} from './signed-request.ts'

/** Longest envelope, in characters: as long as any proof. */
const MAX_ENVELOPE_LENGTH = 16_384

const MAX_DEPTH = 4

/**
 * Reads an envelope.
 *
 * Refuses every method, URL and body but those of the two shapes; a header named twice or written in a way that readers disagree
 * on; a signature over anything but the closed set of headers, or not over the audience. It says nothing of who signed, or when.
 */
export function readEnvelope(proof: string): SignedRequest {
  const envelope = decode(proof)
  const { endpoint, shape } = readUrl(memberOf(envelope, 'url'))
  if (memberOf(envelope, 'method') !== 'POST') throw malformed('the method is not POST')
  const body = memberOf(envelope, 'body') ?? ''
  if (body !== bodyOf(shape)) throw malformed('the body is not that of GetCallerIdentity')
  const headers = readHeaders(memberOf(envelope, 'headers'))
  const authorization = readAuthorization(headers.require('authorization'))
  const { accessKeyId, signedHeaders, signature } = authorization
  checkSignedHeaders(signedHeaders, headers, shape)
  const date = headers.require('x-amz-date')
  if (authorization.scopeDate !== date.slice(0, 8)) throw malformed('the credential scope is of another day')
  if (authorization.region !== endpoint.region) throw malformed('the credential scope is of another region')
  if (headers.require('host') !== endpoint.host) throw malformed('the host header is not the host of the URL')
  const audienceHeader = chooseAudienceHeader(signedHeaders)
  return {
    shape,
    endpoint,
    accessKeyId,
    date,
    signedAt: readAmzDate(date),
    sessionToken: headers.get('x-amz-security-token'),
    audienceHeader,
    audience: headers.require(audienceHeader),
    signedHeaders,
    signature,
  }
}

/** Characters that percent-encoding leaves as they are, `+`, which Go and Java write for a space, and `/`, which Python leaves. */
const ENCODED = /^(?:[A-Za-z0-9\-_.!~*'()+/]|%[0-9A-Fa-f]{2})+$/

function decode(proof: string): JsonObject {
  if (proof.length > MAX_ENVELOPE_LENGTH) throw new ProofError('proof_too_large', 'the envelope is longer than 16 KiB')
  if (FOREIGN_BEGINNING.test(proof)) throw foreign()
  if (!ENCODED.test(proof)) throw malformed('the envelope is not percent-encoded JSON')
  let value: unknown
  try {
    value = parseStrictJson(decodeURIComponent(proof.replaceAll('+', ' ')), MAX_DEPTH)
  } catch (cause) {
    throw malformed('the envelope is not JSON with one meaning', cause)
  }
  if (!isJsonObject(value)) throw malformed('the envelope is not an object')
  const unknown = Object.keys(value).filter((name) => !['url', 'method', 'headers', 'body'].includes(name))
  if (unknown.some((name) => FOREIGN_MEMBER.test(name))) throw foreign()
  if (unknown.length > 0) throw malformed('a member is too many')
  return value
}

/** Tokens of aws-iam-authenticator, and Teleport's raw requests. Neither names this broker. */
const FOREIGN_BEGINNING = /^(k8s-aws-v1\.|(GET|POST) \/)/

/** The fields of Vault and Infisical, and the headers that Conjur takes as an object. */
const FOREIGN_MEMBER = /^(iam_?http_?request|iam_?request|authorization$|host$|x-amz-)/i

function foreign(): ProofError {
  return new ProofError(
    'envelope_foreign',
    `this is the envelope of another tool: sign ${AUDIENCE_HEADER}, and send url, method, headers and body`,
  )
}

/** What may follow the host in the URL, and which shape it makes. Google's libraries write no slash before the query. */
const REMAINDERS: ReadonlyMap<string, RequestShape> = new Map([
  ['/', 'chancery'],
  [`?${ACTION}`, 'google'],
  [`/?${ACTION}`, 'google'],
])

/** The URL is never parsed: a parser would make one host of many spellings. It is a constant around a host of the table, or nothing. */
function readUrl(url: unknown): { endpoint: StsEndpoint; shape: RequestShape } {
  const [, host = '', remainder = ''] =
    typeof url === 'string' ? (/^https:\/\/([a-z0-9.-]{1,128})([/?].{0,128})$/.exec(url) ?? []) : []
  const endpoint = findEndpoint(host)
  const shape = REMAINDERS.get(remainder)
  if (endpoint === undefined || shape === undefined)
    throw malformed('the URL is not that of GetCallerIdentity at an STS host')
  return { endpoint, shape }
}

/** Headers that every signature must be over. */
const ALWAYS_SIGNED = ['host', 'x-amz-date'] as const

function checkSignedHeaders(signed: readonly string[], headers: Headers, shape: RequestShape): void {
  for (const name of signed) {
    if (!SIGNABLE_HEADERS.has(name)) throw malformed('a header is signed that is not in the closed set')
  }
  for (const name of ALWAYS_SIGNED) {
    if (!signed.includes(name)) throw malformed(`${name} is not signed`)
  }
  if (signed.includes('x-amz-security-token') !== (headers.get('x-amz-security-token') !== undefined)) {
    throw malformed('the session token is there and not signed, or signed and not there')
  }
  for (const [name, constant] of SIGNABLE_HEADERS) {
    const value = headers.get(name)
    if (constant !== undefined && value !== undefined && value !== constant(shape)) {
      throw malformed(`${name} is not what it must be`)
    }
  }
}

/** Without a signed audience, whoever else is shown the request could bring it here. */
function chooseAudienceHeader(signed: readonly string[]): SignedRequest['audienceHeader'] {
  const [header, ...others] = ([AUDIENCE_HEADER, GOOGLE_AUDIENCE_HEADER] as const).filter((name) =>
    signed.includes(name),
  )
  if (header === undefined)
    throw new ProofError('audience_not_signed', `${AUDIENCE_HEADER} is not among the signed headers`)
  if (others.length > 0) throw new ProofError('audience_not_single', 'two audience headers are signed')
  return header
}

function malformed(message: string, cause?: unknown): ProofError {
  return new ProofError('proof_malformed', message, cause === undefined ? {} : { cause })
}
