/**
 * AWS Signature Version 4, as the receiving side computes it: from a request as it was sent to the signature that it should have.
 *
 * @see {@link https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html Create a signed AWS API request}
 */

import { createHash, createHmac } from 'node:crypto'

/** One header of a request. A list of them can repeat a name, as requests can. */
export interface Header {
  readonly key: string
  readonly value: string
}

/** A request as it was sent, before anybody parsed it. */
export interface RawRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: readonly Header[]
  readonly body: string
}

/** What a signature is good for. */
export interface CredentialScope {
  /** `YYYYMMDD` */
  readonly date: string
  readonly region: string
  readonly service: string
}

export interface Signing {
  readonly secretAccessKey: string
  readonly scope: CredentialScope
  /** The value of `x-amz-date`. */
  readonly amzDate: string
  /** Names in lower case. They are covered in the order of the alphabet, whatever their order here. */
  readonly signedHeaders: readonly string[]
}

/** Gives the signature that a request should have, as 64 hexadecimal digits. */
export function signatureOf(request: RawRequest, signing: Signing): string {
  const { secretAccessKey, scope, amzDate, signedHeaders } = signing
  const text = stringToSign(canonicalRequest(request, signedHeaders), amzDate, scope)
  return hmac(signingKey(secretAccessKey, scope), text).toString('hex')
}

/** Gives what is hashed of a request. A signed header that the request does not have is taken for an empty one. */
export function canonicalRequest(
  { method, target, headers, body }: RawRequest,
  signedHeaders: readonly string[],
): string {
  const queryStart = target.indexOf('?')
  const path = queryStart < 0 ? target : target.slice(0, queryStart)
  const query = queryStart < 0 ? '' : target.slice(queryStart + 1)
  const names = signedHeaders.toSorted()
  const lines = names.map((name) => `${name}:${canonicalValue(headers, name)}\n`).join('')
  return [method, canonicalPath(path), canonicalQuery(query), lines, names.join(';'), sha256(body)].join('\n')
}

/** Gives what is signed of a canonical request. */
export function stringToSign(canonical: string, amzDate: string, scope: CredentialScope): string {
  return ['AWS4-HMAC-SHA256', amzDate, scopeText(scope), sha256(canonical)].join('\n')
}

/** Gives a scope as `Credential` writes it behind the access key's id. */
export function scopeText({ date, region, service }: CredentialScope): string {
  return `${date}/${region}/${service}/aws4_request`
}

function signingKey(secretAccessKey: string, { date, region, service }: CredentialScope): Buffer {
  const dateKey = hmac(Buffer.from(`AWS4${secretAccessKey}`), date)
  return hmac(hmac(hmac(dateKey, region), service), 'aws4_request')
}

function canonicalValue(headers: readonly Header[], name: string): string {
  return headers
    .filter(({ key }) => key.toLowerCase() === name)
    .map(({ value }) => value.trim().replaceAll(/\s+/g, ' '))
    .join(',')
}

/** Every service but S3 takes out what a path has in vain, and encodes what is left once more. */
function canonicalPath(path: string): string {
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment)
  }
  const end = kept.length > 0 && path.endsWith('/') ? '/' : ''
  return `/${kept.map(encode).join('/')}${end}`
}

function canonicalQuery(query: string): string {
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...rest] = pair.split('=')
      return { name: encode(decode(name)), value: encode(decode(rest.join('='))) }
    })
  return pairs
    .toSorted((a, b) => compare(a.name, b.name) || compare(a.value, b.value))
    .map(({ name, value }) => `${name}=${value}`)
    .join('&')
}

/** The order of code units. */
function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

function encode(text: string): string {
  const hex = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, hex)
}

/** A text that is wrongly encoded stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
