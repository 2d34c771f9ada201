/** One exchange: a proof goes to the broker, a token comes back. */

import type { NumericDate } from '../../providers/contract/proof.ts'
import { type JsonObject, memberOf, readJsonObject } from '../../providers/contract/strict-json.ts'
import { DESCRIPTIONS, type Description } from '../oauth/errors.ts'
import {
  ACCESS_TOKEN_TYPE,
  type IssuedTokenType,
  JWT_TYPE,
  SCOPE_TOKEN,
  TOKEN_EXCHANGE_GRANT,
} from '../oauth/vocabulary.ts'
import { codeOf, type WorkloadProof } from './proof-file.ts'
import { readBounded } from './read-bounded.ts'
import type { BrokerAnswer, ClientPorts, TokenTarget } from './settings.ts'
import { TokenSourceError, type TokenSourceErrorCode } from './token-source-error.ts'

/** Time for one answer, in seconds: twice what the broker gives an upstream. */
const ANSWER_SECONDS = 10

/** Largest answer that is read, in bytes. A token has less than a tenth of it. */
const MAX_ANSWER_BYTES = 65_536

/** Deepest nesting of an answer: none of ours has any. */
const MAX_DEPTH = 4

/** Longest life that is believed of a token, in seconds. A broker's own limit is an hour. */
const MAX_LIFE_SECONDS = 86_400

/** A token as the broker gave it. */
export interface IssuedToken {
  readonly accessToken: string
  readonly issuedTokenType: IssuedTokenType
  readonly lifeSeconds: number
  readonly expiresAt: NumericDate
  /** The same moment by the clock that nobody can set. */
  readonly endsAtElapsed: number
  readonly scope: string | undefined
}

/**
 * Sends a proof to the broker's token endpoint.
 *
 * Follows no redirect, and reads no answer that is larger than 64 KiB or not there after ten seconds. Throws
 * {@link TokenSourceError}; of an error's text it repeats only the broker's own published sentences, as anything else might hold
 * the proof. A token's expiry is counted from before it was asked for.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693.html#section-2 RFC 8693 section 2}
 */
export async function exchangeProof(
  endpoint: string,
  proof: WorkloadProof,
  target: TokenTarget,
  { askBroker, now, elapsed, deadline }: Pick<ClientPorts, 'askBroker' | 'now' | 'elapsed' | 'deadline'>,
  signal: AbortSignal,
): Promise<IssuedToken> {
  const asked = { at: now(), elapsed: elapsed() }
  const limit = AbortSignal.any([signal, deadline(ANSWER_SECONDS)])
  let response: BrokerAnswer
  let text: string | undefined
  try {
    response = await askBroker(endpoint, {
      headers: { accept: 'application/json' },
      body: formOf(proof, target),
      signal: limit,
    })
    text = await readBounded(response, MAX_ANSWER_BYTES)
  } catch (error) {
    signal.throwIfAborted()
    throw unreachable(endpoint, error, limit.aborted)
  }
  const answer = {
    status: response.status,
    requestId: requestIdOf(response),
    body: text && readJsonObject(text, MAX_DEPTH),
  }
  if (answer.status !== 200) throw asError(answer, readRetryAfter(response.headers.get('retry-after'), now()))
  return readToken(answer, asked)
}

function formOf({ subjectToken, subjectTokenType }: WorkloadProof, { audience, scope }: TokenTarget): URLSearchParams {
  return new URLSearchParams({
    grant_type: TOKEN_EXCHANGE_GRANT,
    subject_token: subjectToken,
    subject_token_type: subjectTokenType,
    ...(audience === undefined ? {} : { audience }),
    ...(scope === undefined ? {} : { scope }),
  })
}

interface Answer {
  readonly status: number
  readonly requestId: string | undefined
  readonly body: JsonObject | undefined | ''
}

function requestIdOf({ headers }: BrokerAnswer): string | undefined {
  const id = headers.get('x-request-id') ?? ''
  return /^[A-Za-z0-9_-]{1,64}$/.test(id) ? id : undefined
}

/** What RFC 6750 lets stand behind `Bearer`. */
const BEARER_TOKEN = /^[A-Za-z0-9._~+/-]+=*$/

/** @see {@link https://www.rfc-editor.org/rfc/rfc8693.html#section-2.2.1 RFC 8693 section 2.2.1} */
function readToken(
  { requestId, body }: Answer,
  asked: { readonly at: NumericDate; readonly elapsed: number },
): IssuedToken {
  const fault = (what: string): TokenSourceError =>
    new TokenSourceError('broker_answer_invalid', `the broker answers 200 with ${what}`, { requestId })
  if (!body) throw fault('something that is not a JSON object')
  const accessToken = memberOf(body, 'access_token')
  const issuedTokenType = memberOf(body, 'issued_token_type')
  const tokenType = memberOf(body, 'token_type')
  const lifeSeconds = memberOf(body, 'expires_in')
  const scope = memberOf(body, 'scope')
  if (memberOf(body, 'error') !== undefined) throw fault('an error')
  if (typeof accessToken !== 'string' || !BEARER_TOKEN.test(accessToken)) throw fault('no access_token')
  if (issuedTokenType !== ACCESS_TOKEN_TYPE && issuedTokenType !== JWT_TYPE) throw fault('no issued_token_type of ours')
  if (typeof tokenType !== 'string' || tokenType.toLowerCase() !== 'bearer')
    throw fault('a token_type other than Bearer')
  if (typeof lifeSeconds !== 'number' || !Number.isInteger(lifeSeconds) || lifeSeconds < 1) throw fault('no expires_in')
  if (lifeSeconds > MAX_LIFE_SECONDS) throw fault('an expires_in of more than a day')
  if (scope !== undefined && !isScopeList(scope)) throw fault('a scope that is no list of scopes')
  return {
    accessToken,
    issuedTokenType,
    lifeSeconds,
    scope,
    expiresAt: asked.at + lifeSeconds,
    endsAtElapsed: asked.elapsed + lifeSeconds,
  }
}

/** Nothing, or scopes separated by single spaces: it is shown on terminals. */
function isScopeList(value: unknown): value is string {
  return typeof value === 'string' && (value === '' || value.split(' ').every((scope) => SCOPE_TOKEN.test(scope)))
}

const SENTENCES: ReadonlyMap<unknown, Description> = new Map(
  (Object.keys(DESCRIPTIONS) as Description[]).map((name) => [DESCRIPTIONS[name], name]),
)

function asError({ status, requestId, body }: Answer, retryAfterSeconds: number | undefined): TokenSourceError {
  const error = body ? memberOf(body, 'error') : undefined
  const description = SENTENCES.get(body ? memberOf(body, 'error_description') : undefined)
  const said = description === undefined ? `status ${status}` : DESCRIPTIONS[description]
  const options = { requestId, retryAfterSeconds }
  if (status === 429 || status === 503) {
    return new TokenSourceError('broker_unavailable', `the broker gives no token now: ${said}`, options)
  }
  if (status >= 500) return new TokenSourceError('broker_failed', `the broker fails: ${said}`, { requestId })
  const code = status === 400 || status === 413 ? codeFor(error, description) : undefined
  if (code !== undefined) {
    const advice = code === 'proof_refused' ? adviceFor(requestId) : undefined
    return new TokenSourceError(code, `the broker refuses: ${said}`, { requestId, advice })
  }
  const what = status >= 300 && status < 400 ? 'a redirect, which is never followed' : `status ${status}`
  return new TokenSourceError('broker_answer_invalid', `the broker answers with ${what}`, { requestId })
}

function codeFor(error: unknown, description: Description | undefined): TokenSourceErrorCode | undefined {
  if (error === 'invalid_target') return 'target_refused'
  if (error === 'invalid_scope') return 'scope_refused'
  if (description === 'subject_token_refused') return 'proof_refused'
  return error === 'invalid_request' || error === 'unsupported_grant_type' ? 'request_refused' : undefined
}

/** Callers are told nothing about a refused proof. Whoever has the audit trail can see all of it. */
function adviceFor(requestId: string | undefined): string | undefined {
  if (requestId === undefined) return undefined
  return `ask your platform team to run chancery explain --federation PATH --audit FILE --request-id ${requestId}`
}

/**
 * In seconds; what lies between us and the broker may name a date.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110.html#section-10.2.3 RFC 9110 section 10.2.3}
 */
function readRetryAfter(value: string | null, now: NumericDate): number | undefined {
  if (value === null) return undefined
  if (/^\d{1,6}$/.test(value)) return Number(value)
  const date = / GMT$/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil(date / 1_000 - now))
}

function unreachable(endpoint: string, error: unknown, isLate: boolean): TokenSourceError {
  const { host } = new URL(endpoint)
  const inner = error instanceof Error && error.cause !== undefined ? error.cause : error
  if (isLate) {
    return new TokenSourceError('broker_too_slow', `the broker at ${host} does not answer within ${ANSWER_SECONDS} s`)
  }
  const code = codeOf(inner)
  if (OF_CERTIFICATE.test(code)) {
    return new TokenSourceError('broker_untrusted', `the certificate of ${host} does not hold (${code})`)
  }
  return new TokenSourceError('broker_unreachable', `the broker at ${host} cannot be reached (${code})`)
}

/** How OpenSSL and Node begin what they say of a certificate. */
const OF_CERTIFICATE = /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH)/
