/** How a service answers a caller, whatever its framework: RFC 6750 in one place. */

import { SettingsError } from '../../providers/contract/errors.ts'
import type { Principal } from './principal.ts'
import { KeysUnavailable, TokenRefused } from './refused.ts'
import { isScope, readScopeSetting } from './settings.ts'
import type { Verifier } from './verifier.ts'

export interface BearerOptions {
  /** Scopes that a caller must have here, beyond those of the verifier. */
  readonly scope?: string | readonly string[]
  /** What the service calls itself in `WWW-Authenticate`; by default the verifier's audience. */
  readonly realm?: string
  /** Is told of every token that was refused and of keys that could not be had, for a log or a metric. */
  readonly observe?: (error: TokenRefused | KeysUnavailable) => void
}

/** An answer that a service gives in place of its own. */
export interface BearerAnswer {
  readonly status: 400 | 401 | 403 | 503
  readonly headers: Readonly<Record<string, string>>
  /** JSON, or nothing. */
  readonly body: string
}

export type BearerOutcome = { readonly principal: Principal } | { readonly answer: BearerAnswer }

/** Looks at the values of a request's `Authorization` header, in order: none, one, or more than there should be. */
export type Authenticate = (authorization: readonly string[]) => Promise<BearerOutcome>

/**
 * Gives what judges the `Authorization` header of each request.
 *
 * The token is taken from there alone: in a query it would be logged, in a form it could be another site's. No credentials, or
 * those of another scheme, are answered 401 with a bare challenge; a header that is there twice or holds no one token, 400; a
 * refused token, 401; a missing scope, 403; keys that cannot be had, 503. Whatever else is thrown is a bug, and is thrown on.
 *
 * Throws {@link SettingsError} for a realm that cannot stand in a header, and for a malformed scope.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750.html#section-3 RFC 6750 section 3}
 */
export function createAuthenticate(verifier: Verifier, options: BearerOptions = {}): Authenticate {
  const { scope, realm = verifier.audience, observe = () => undefined } = options
  const scopes = readScopeSetting(scope)
  if (!PRINTABLE.test(realm)) throw settingsError('realm', 'must be printable ASCII')
  if (!scopes.every(isScope))
    throw settingsError('scope', 'must be scopes, or one text of them separated by single spaces')
  const challenge = `Bearer realm="${realm.replaceAll(/["\\]/g, '\\$&')}"`
  const required = { scope: scopes }
  return async (authorization) => {
    const credentials = readCredentials(authorization)
    if (credentials === 'none') return { answer: refuse(401, challenge) }
    if (credentials === 'malformed') return { answer: refuse(400, challenge, 'invalid_request', MALFORMED) }
    try {
      return { principal: await verifier.verify(credentials.token, required) }
    } catch (error) {
      if (!(error instanceof TokenRefused) && !(error instanceof KeysUnavailable)) throw error
      observe(error)
      return { answer: answerTo(error, challenge) }
    }
  }
}

function settingsError(name: string, message: string): SettingsError {
  return new SettingsError([{ path: [name], code: 'setting_invalid', message: `${name} ${message}` }])
}

const PRINTABLE = /^[\x20-\x7e]+$/

const MALFORMED = 'the Authorization header must hold one token, once'

/** @see {@link https://www.rfc-editor.org/rfc/rfc6750.html#section-2.1 RFC 6750 section 2.1} */
const CREDENTIALS = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i

function readCredentials(values: readonly string[]): { readonly token: string } | 'none' | 'malformed' {
  const [value = ''] = values
  if (values.length > 1) return 'malformed'
  if (!/^bearer(?: |,|$)/i.test(value)) return 'none'
  const [, token] = CREDENTIALS.exec(value) ?? []
  return token === undefined ? 'malformed' : { token }
}

function answerTo(error: TokenRefused | KeysUnavailable, challenge: string): BearerAnswer {
  if (error instanceof KeysUnavailable) {
    const headers = { 'content-type': 'application/json', 'retry-after': String(error.retryAfterSeconds) }
    return { status: 503, headers, body: bodyOf('temporarily_unavailable', 'the token cannot be checked now') }
  }
  if (error.code !== 'scope_missing') return refuse(401, challenge, 'invalid_token', error.message)
  return refuse(403, `${challenge}, scope="${error.detail}"`, 'insufficient_scope', error.message)
}

/** Descriptions are ours, without quotation marks or anything that a caller sent. */
function refuse(status: 400 | 401 | 403, challenge: string, error?: string, description = ''): BearerAnswer {
  if (error === undefined) return { status, headers: { 'www-authenticate': challenge }, body: '' }
  const headers = {
    'content-type': 'application/json',
    'www-authenticate': `${challenge}, error="${error}", error_description="${description}"`,
  }
  return { status, headers, body: bodyOf(error, description) }
}

function bodyOf(error: string, description: string): string {
  return JSON.stringify({ error, error_description: description })
}
