import { OAuthError } from './errors.ts'
import {
  ACCESS_TOKEN_TYPE,
  GOOGLE_SCOPE_PREFIX,
  type IssuedTokenType,
  JWT_TYPE,
  SCOPE_TOKEN,
  TOKEN_EXCHANGE_GRANT,
} from './vocabulary.ts'

/** A token exchange as it was asked for. Nothing in it is verified. */
export interface TokenExchangeRequest {
  readonly subjectToken: string
  readonly subjectTokenType: string
  /** What `audience` and `resource` name, each once, as they were written. */
  readonly targets: readonly string[]
  /** Undefined where the request names no scope of ours. */
  readonly scopes: readonly string[] | undefined
  readonly requestedTokenType: IssuedTokenType | undefined
}

/** Every parameter that this endpoint reads. None of them may stand in the query. */
const PARAMETERS: ReadonlySet<string> = new Set([
  'grant_type',
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'audience',
  'resource',
  'scope',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
])

const REPEATABLE: ReadonlySet<string> = new Set(['audience', 'resource'])

/** More parameters than any client sends, and few enough to look through. */
const MAX_PARAMETERS = 64

/**
 * Reads a token exchange request from a form body and the query beside it.
 *
 * Refuses a repeated parameter, except `audience` and `resource`; one of ours in the query; and an actor, as delegation is off.
 * Takes what real clients send: white space around the subject token, empty parameters, Google's default scopes, client
 * credentials and parameters that it does not know, all of which change nothing.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693.html#section-2.1 RFC 8693 section 2.1}
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749.html#section-3.2 RFC 6749 section 3.2}
 */
export function parseTokenRequest(form: URLSearchParams, query: URLSearchParams): TokenExchangeRequest {
  refuseQuery(query)
  refuseRepetition(form)
  const grantType = parameterOf(form, 'grant_type')
  if (grantType === undefined) throw new OAuthError('parameter_missing')
  if (grantType !== TOKEN_EXCHANGE_GRANT) throw new OAuthError('grant_type_unsupported')
  if (parameterOf(form, 'actor_token') !== undefined || parameterOf(form, 'actor_token_type') !== undefined) {
    throw new OAuthError('actor_unsupported')
  }
  const subjectToken = trim(parameterOf(form, 'subject_token') ?? '')
  const subjectTokenType = parameterOf(form, 'subject_token_type')
  if (subjectToken === '' || subjectTokenType === undefined) throw new OAuthError('parameter_missing')
  return {
    subjectToken,
    subjectTokenType,
    targets: readTargets(form),
    scopes: readScopes(parameterOf(form, 'scope')),
    requestedTokenType: readRequestedTokenType(parameterOf(form, 'requested_token_type')),
  }
}

function refuseQuery(query: URLSearchParams): void {
  for (const name of query.keys()) {
    if (PARAMETERS.has(name)) throw new OAuthError('parameter_in_query')
  }
}

function refuseRepetition(form: URLSearchParams): void {
  const seen = new Set<string>()
  let count = 0
  for (const name of form.keys()) {
    if (++count > MAX_PARAMETERS) throw new OAuthError('body_unreadable')
    if (seen.has(name) && !REPEATABLE.has(name)) throw new OAuthError('parameter_repeated')
    seen.add(name)
  }
}

/** A parameter without a value counts as absent. @see {@link https://www.rfc-editor.org/rfc/rfc6749.html#section-3.1 RFC 6749 section 3.1} */
function parameterOf(form: URLSearchParams, name: string): string | undefined {
  const value = form.get(name)
  return value === null || value === '' ? undefined : value
}

/** Google's file source sends the file as it is, final newline included. */
function trim(value: string): string {
  return value.replace(/^[ \t\r\n]+/, '').replace(/(?<![ \t\r\n])[ \t\r\n]+$/, '')
}

function readTargets(form: URLSearchParams): readonly string[] {
  const named = [...form.getAll('audience'), ...form.getAll('resource')].filter((value) => value !== '')
  return [...new Set(named)]
}

function readScopes(scope: string | undefined): readonly string[] | undefined {
  if (scope === undefined) return undefined
  const scopes = scope.split(' ')
  if (!scopes.every((name) => SCOPE_TOKEN.test(name))) throw new OAuthError('scope_malformed')
  const ours = scopes.filter((name) => !name.startsWith(GOOGLE_SCOPE_PREFIX))
  return ours.length === 0 ? undefined : [...new Set(ours)]
}

function readRequestedTokenType(requested: string | undefined): IssuedTokenType | undefined {
  if (requested === undefined || requested === ACCESS_TOKEN_TYPE || requested === JWT_TYPE) return requested
  throw new OAuthError('requested_token_type_unsupported')
}
