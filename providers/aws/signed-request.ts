/** What is taken from a signed GetCallerIdentity request. Everything else in the envelope is compared with a constant, or dropped. */

import type { NumericDate } from '../contract/proof.ts'
import type { StsEndpoint } from './endpoints.ts'

/** The token type of a signed request, as Google's clients name it. */
export const AWS4_REQUEST_TYPE = 'urn:ietf:params:aws:token-type:aws4_request'

/** The query that names the action: in the body of our shape, in the URL of Google's. */
export const ACTION = 'Action=GetCallerIdentity&Version=2011-06-15'

/** How old a signature may be, in seconds. STS itself takes one for fifteen minutes, whatever its signer wished. */
export const MAX_AGE_SECONDS = 300

/** The header that binds a request to this broker. It must be signed. */
export const AUDIENCE_HEADER = 'x-chancery-audience'

/** The same, in requests made by Google's auth libraries. */
export const GOOGLE_AUDIENCE_HEADER = 'x-goog-cloud-target-resource'

/** Ours is a POST with a body; in Google's the action is in the query and the body is empty. There is no third. */
export type RequestShape = 'chancery' | 'google'

/** A signed request in values that have been checked for form. Nothing says yet that the signature holds. */
export interface SignedRequest {
  readonly shape: RequestShape
  readonly endpoint: StsEndpoint
  readonly accessKeyId: string
  /** `x-amz-date` as it was signed, and as seconds. */
  readonly date: string
  readonly signedAt: NumericDate
  /** Undefined for the keys of an IAM user. */
  readonly sessionToken: string | undefined
  readonly audienceHeader: typeof AUDIENCE_HEADER | typeof GOOGLE_AUDIENCE_HEADER
  readonly audience: string
  /** Sorted, from the closed set. */
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

/** Headers that may be signed, and the constant that each must be signed with; what is undefined is the request's own. */
export const SIGNABLE_HEADERS: ReadonlyMap<string, ((shape: RequestShape) => string) | undefined> = new Map([
  ['accept', () => 'application/json'],
  ['content-length', (shape: RequestShape) => String(bodyOf(shape).length)],
  ['content-type', () => 'application/x-www-form-urlencoded; charset=utf-8'],
  ['host', undefined],
  ['x-amz-content-sha256', (shape: RequestShape) => BODY_DIGESTS[shape]],
  ['x-amz-date', undefined],
  ['x-amz-security-token', undefined],
  [AUDIENCE_HEADER, undefined],
  [GOOGLE_AUDIENCE_HEADER, undefined],
])

const BODY_DIGESTS: Readonly<Record<RequestShape, string>> = {
  chancery: 'ab821ae955788b0e33ebd34c208442ccfc2d406e2edc5e7a39bd6458fbb4f843',
  google: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
}

/** Gives the body of a shape. */
export function bodyOf(shape: RequestShape): string {
  return shape === 'chancery' ? ACTION : ''
}

/** What goes to STS: the request that must have been signed, or the signature will not hold. */
export interface RebuiltRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * Builds the request again from constants and the few values that were taken. Whatever else the caller signed, STS will find that
 * the signature does not hold.
 *
 * @see {@link https://words.filippo.io/dispatches/reconstruct-vs-validate/ Reconstruct, don't validate}
 */
export function rebuild(request: SignedRequest): RebuiltRequest {
  const { shape, endpoint, accessKeyId, date, signedHeaders, signature, sessionToken } = request
  const scope = `${date.slice(0, 8)}/${endpoint.region}/sts/aws4_request`
  // A body is read by its type, signed or not.
  const needed = shape === 'chancery' ? [...signedHeaders, 'content-type'] : signedHeaders
  const constants = [...SIGNABLE_HEADERS].flatMap(([name, constant]) =>
    constant !== undefined && needed.includes(name) ? [[name, constant(shape)] as const] : [],
  )
  return {
    path: shape === 'chancery' ? '/' : `/?${ACTION}`,
    headers: {
      ...Object.fromEntries(constants),
      host: endpoint.host,
      'x-amz-date': date,
      [request.audienceHeader]: request.audience,
      ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`,
    },
    body: bodyOf(shape),
  }
}
