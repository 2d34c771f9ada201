/** Why an exchange gave no token, and what its caller is told. */

import {
  type Facts,
  PROOF_OUTAGES,
  PROOF_REFUSALS,
  ProofError,
  type ProofOrigin,
  type ProofOutageCode,
  type ProofRefusalCode,
} from '../../providers/contract/errors.ts'
import type { RefusalReason } from '../audit/reasons.ts'
import { OAuthError, type WireError } from '../oauth/errors.ts'

/** Whose proof it was, as far as it is known. */
export interface RefusalOrigin {
  readonly trustedIssuer: string
  readonly issuer: ProofOrigin['issuer'] | undefined
}

/** An exchange that ends without a token. `facts` are for the operator's log. */
export class Refusal extends Error {
  readonly reason: RefusalReason
  readonly origin: RefusalOrigin | undefined
  readonly facts: Facts

  constructor(
    reason: RefusalReason,
    options: { origin?: RefusalOrigin | undefined; facts?: Facts; cause?: unknown } = {},
  ) {
    super(`refused: ${reason}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Refusal'
    this.reason = reason
    this.origin = options.origin
    this.facts = options.facts ?? {}
  }
}

/** Makes a refusal of whatever was thrown. What nobody threw on purpose is a bug, and is called one. */
export function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof OAuthError) return new Refusal(error.fault, { cause: error })
  if (error instanceof ProofError) {
    return new Refusal(error.code, { origin: error.origin, facts: error.facts, cause: error })
  }
  return new Refusal('internal', { cause: error })
}

/** Seconds after which a caller may try again, where nobody knows better. */
const RETRY_AFTER_SECONDS = 2

/**
 * Gives the answer to a refusal. A refused proof is always the same one, whatever is wrong with it: garbage, forged and unmapped
 * look alike.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693.html#section-2.2.2 RFC 8693 section 2.2.2}
 */
export function toWireError({ reason, facts }: Refusal): WireError {
  if (isProofRefusal(reason)) return SUBJECT_TOKEN_REFUSED
  if (isProofOutage(reason)) return unavailable('upstream_unavailable', retryAfterOf(facts))
  switch (reason) {
    case 'proof_predates_store':
    case 'issuer_suspended':
    case 'binding_missing':
    case 'binding_suspended':
    case 'identity_malformed':
    case 'identity_suspended':
      return SUBJECT_TOKEN_REFUSED
    case 'store_unavailable':
    case 'store_full':
    case 'key_unavailable':
    case 'audit_unavailable':
    case 'not_ready':
      return unavailable('broker_unavailable', RETRY_AFTER_SECONDS)
    case 'too_busy':
      return { ...unavailable('too_busy', RETRY_AFTER_SECONDS), status: 429 }
    case 'target_ambiguous':
    case 'target_missing':
    case 'target_refused':
      return { status: 400, error: 'invalid_target', description: reason }
    case 'scope_malformed':
    case 'scope_refused':
      return { status: 400, error: 'invalid_scope', description: reason }
    case 'grant_type_unsupported':
      return { status: 400, error: 'unsupported_grant_type', description: reason }
    case 'method_not_allowed':
      return { status: 405, error: 'invalid_request', description: reason }
    case 'media_type_unsupported':
      return { status: 415, error: 'invalid_request', description: reason }
    case 'body_too_large':
      return { status: 413, error: 'invalid_request', description: reason }
    case 'body_unreadable':
    case 'parameter_repeated':
    case 'parameter_in_query':
    case 'parameter_missing':
    case 'subject_token_type_unsupported':
    case 'requested_token_type_unsupported':
    case 'actor_unsupported':
    case 'authorization_unsupported':
      return { status: 400, error: 'invalid_request', description: reason }
    case 'internal':
      return { status: 500, error: 'server_error', description: reason }
  }
}

const SUBJECT_TOKEN_REFUSED: WireError = { status: 400, error: 'invalid_request', description: 'subject_token_refused' }

function isProofRefusal(reason: RefusalReason): reason is ProofRefusalCode {
  return PROOF_REFUSALS.some((code) => code === reason)
}

function isProofOutage(reason: RefusalReason): reason is ProofOutageCode {
  return PROOF_OUTAGES.some((code) => code === reason)
}

function unavailable(
  description: 'upstream_unavailable' | 'broker_unavailable' | 'too_busy',
  seconds: number,
): WireError {
  return { status: 503, error: 'temporarily_unavailable', description, retryAfterSeconds: seconds }
}

function retryAfterOf(facts: Facts): number {
  const seconds = facts.retry_after_seconds
  return typeof seconds === 'number' ? Math.ceil(seconds) : RETRY_AFTER_SECONDS
}
