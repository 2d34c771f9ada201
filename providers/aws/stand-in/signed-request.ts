/** Signed `GetCallerIdentity` requests as workloads send them to a broker, with every part open to being bent by a test. */

import { toAmzDate } from './authenticate.ts'
import { type Header, scopeText, signatureOf } from './sigv4.ts'
import { endpointOf } from './sts-hosts.ts'

/** The content of a subject token of type `urn:ietf:params:aws:token-type:aws4_request`. */
export interface SignedRequest {
  readonly url: string
  readonly method: string
  readonly headers: readonly Header[]
  /** Absent in the form of Google's clients. */
  readonly body?: string
}

export interface SigningCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** What to sign. Whatever is left out is as an honest client has it. */
export interface SigningWish {
  /** The value of the audience header. */
  readonly audience: string
  /** Ours has the action in its body, Google's in its query; each has its own audience header. */
  readonly shape?: 'chancery' | 'google'
  readonly host?: string
  /** Of the scope; by default the host's. */
  readonly region?: string
  readonly service?: string
  /** Seconds. */
  readonly date: number
  /** In place of `date` in `x-amz-date`; the scope's date is its first eight characters. */
  readonly amzDate?: string
  /** Of the scope; by default that of `x-amz-date`. */
  readonly scopeDate?: string
  readonly method?: string
  readonly query?: string
  readonly body?: string
  readonly audienceHeader?: string
  /** More headers to send and sign. */
  readonly headers?: Readonly<Record<string, string>>
  /** Headers, by their names in lower case, that are sent and not signed. */
  readonly unsigned?: readonly string[]
  /** Headers, by their names in lower case, that are neither sent nor signed. */
  readonly without?: readonly string[]
}

const ACTION = 'Action=GetCallerIdentity&Version=2011-06-15'

const CONTENT_TYPE = 'application/x-www-form-urlencoded; charset=utf-8'

/** Gives a request that STS takes for genuine, but for what the wish bends. */
export function createSignedRequest(credentials: SigningCredentials, wish: SigningWish): SignedRequest {
  const { shape = 'chancery', host = 'sts.us-east-1.amazonaws.com', method = 'POST' } = wish
  const isGoogles = shape === 'google'
  const query = wish.query ?? (isGoogles ? ACTION : '')
  const body = wish.body ?? (isGoogles ? '' : ACTION)
  const amzDate = wish.amzDate ?? toAmzDate(wish.date)
  const audienceHeader = wish.audienceHeader ?? (isGoogles ? 'x-goog-cloud-target-resource' : 'x-chancery-audience')
  const { sessionToken } = credentials
  const all: Readonly<Record<string, string>> = {
    ...(isGoogles ? {} : { 'content-type': CONTENT_TYPE }),
    host,
    'x-amz-date': amzDate,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
    [audienceHeader]: wish.audience,
    ...wish.headers,
  }
  const headers = Object.entries(all)
    .map(([key, value]) => ({ key, value }))
    .filter(({ key }) => wish.without?.includes(key.toLowerCase()) !== true)
  const signedHeaders = headers
    .map(({ key }) => key.toLowerCase())
    .filter((name) => wish.unsigned?.includes(name) !== true)
    .toSorted()
  const region = wish.region ?? endpointOf(host)?.region ?? 'us-east-1'
  const scope = { date: wish.scopeDate ?? amzDate.slice(0, 8), region, service: wish.service ?? 'sts' }
  const raw = { method, target: query === '' ? '/' : `/?${query}`, headers, body }
  const { accessKeyId, secretAccessKey } = credentials
  const signature = signatureOf(raw, { secretAccessKey, scope, amzDate, signedHeaders })
  const credential = `Credential=${accessKeyId}/${scopeText(scope)}`
  const authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`
  return {
    // Google's libraries leave the slash before the query out.
    url: isGoogles ? `https://${host}?${query}` : `https://${host}/${query === '' ? '' : `?${query}`}`,
    method,
    headers: [...headers, { key: 'authorization', value: authorization }],
    ...(isGoogles ? {} : { body }),
  }
}

/** Writes a request as a subject token: JSON, percent-encoded. */
export function encodeSignedRequest(request: SignedRequest): string {
  return encodeURIComponent(JSON.stringify(request))
}

/** Gives a request with another value in one header, which no signature covers any more. */
export function withHeader(request: SignedRequest, name: string, value: string): SignedRequest {
  const headers = request.headers.map((header) => (header.key.toLowerCase() === name ? { ...header, value } : header))
  return { ...request, headers }
}
