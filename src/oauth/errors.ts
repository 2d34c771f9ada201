/** What a caller is told when it gets no token. Both lists are closed, and published in `src/README.md`. */

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749.html#section-5.2 RFC 6749 section 5.2} */
export type ErrorCode =
  | 'invalid_request'
  | 'invalid_target'
  | 'invalid_scope'
  | 'unsupported_grant_type'
  | 'temporarily_unavailable'
  | 'server_error'

/** Every sentence that a caller may read. None holds a part of a proof, of an upstream's answer or of configuration. */
export const DESCRIPTIONS = {
  subject_token_refused: 'subject token refused',
  method_not_allowed: 'this path does not take that method',
  path_unknown: 'there is nothing at this path',
  request_malformed: 'the HTTP request is malformed',
  media_type_unsupported: 'the body must be application/x-www-form-urlencoded',
  body_too_large: 'the body is larger than 64 KiB',
  body_unreadable: 'the body is not a form, or was not sent whole',
  head_too_large: 'the header fields are too large',
  request_too_slow: 'the request was not complete in time',
  parameter_repeated: 'a parameter is there more than once',
  parameter_in_query: 'parameters belong in the body, not in the query',
  parameter_missing: 'grant_type, subject_token and subject_token_type are required',
  grant_type_unsupported: 'grant_type must be urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type_unsupported: 'subject_token_type is not one that this broker takes',
  requested_token_type_unsupported: 'requested_token_type must be an access token or a JWT',
  actor_unsupported: 'actor_token and actor_token_type are not accepted: delegation is off',
  authorization_unsupported: 'leave the Authorization header out: the subject token is the credential',
  target_ambiguous: 'name one target, in audience or resource',
  target_missing: 'name the target in audience: this identity has several, or none',
  target_refused: 'this identity may not have a token for that target',
  scope_malformed: 'scope must be a list of scopes separated by single spaces',
  scope_refused: 'this identity may not have that scope at that target',
  upstream_unavailable: 'the subject token cannot be checked now: try again',
  broker_unavailable: 'no token can be issued now: try again',
  too_busy: 'too many requests: try again',
  internal: 'an unexpected error: report the request id',
} as const

export type Description = keyof typeof DESCRIPTIONS

/** An answer without a token: its status, its RFC 6749 error code and one of our sentences. */
export interface WireError {
  readonly status: 400 | 404 | 405 | 408 | 413 | 415 | 429 | 431 | 500 | 503
  readonly error: ErrorCode
  readonly description: Description
  readonly retryAfterSeconds?: number
}

/** What can be wrong with a request before its proof is looked at. */
export const REQUEST_FAULTS = [
  'method_not_allowed',
  'media_type_unsupported',
  'body_too_large',
  'body_unreadable',
  'parameter_repeated',
  'parameter_in_query',
  'parameter_missing',
  'grant_type_unsupported',
  'subject_token_type_unsupported',
  'requested_token_type_unsupported',
  'actor_unsupported',
  'authorization_unsupported',
  'target_ambiguous',
  'scope_malformed',
] as const satisfies readonly Description[]

export type RequestFault = (typeof REQUEST_FAULTS)[number]

/** A request that cannot be read as a token exchange. */
export class OAuthError extends Error {
  readonly fault: RequestFault

  constructor(fault: RequestFault) {
    super(DESCRIPTIONS[fault])
    this.name = 'OAuthError'
    this.fault = fault
  }
}
