/** The one place that turns an outcome into bytes. */

import { DESCRIPTIONS, type WireError } from '../oauth/errors.ts'

/** An answer, before it is handed to whatever server sends it. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** How long verifiers may keep our keys and metadata, in seconds; a key is public for a day before it signs. */
const PUBLISHED_MAX_AGE_SECONDS = 300

const COMMON = { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' } as const

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749.html#section-5.1 RFC 6749 section 5.1} */
const NEVER_STORED = { ...COMMON, 'cache-control': 'no-store', pragma: 'no-cache' } as const

/** Answers with something that belongs to the asker alone. */
export function answerPrivately(status: number, body: object, requestId: string): Answer {
  return { status, headers: { ...NEVER_STORED, 'x-request-id': requestId }, body: JSON.stringify(body) }
}

/** Answers with something public that may be kept for five minutes. */
export function answerPublicly(body: object, requestId: string): Answer {
  const cacheControl = `public, max-age=${PUBLISHED_MAX_AGE_SECONDS}`
  return {
    status: 200,
    headers: { ...COMMON, 'cache-control': cacheControl, 'x-request-id': requestId },
    body: JSON.stringify(body),
  }
}

/**
 * Answers with an error: exactly `error` and `error_description`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749.html#section-5.2 RFC 6749 section 5.2}
 */
export function answerError(
  wire: WireError,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const body = { error: wire.error, error_description: DESCRIPTIONS[wire.description] }
  const answer = answerPrivately(wire.status, body, requestId)
  const retry = wire.retryAfterSeconds === undefined ? {} : { 'retry-after': String(wire.retryAfterSeconds) }
  return { ...answer, headers: { ...answer.headers, ...retry, ...headers } }
}
