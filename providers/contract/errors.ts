/** What a provider throws on purpose. Anything else that leaves a provider is a bug. */

/** Why a proof is refused. Closed: the audit record and `explain` know every one. */
export const PROOF_REFUSALS = [
  'proof_too_large',
  'proof_malformed',
  'envelope_foreign',
  'header_forbidden',
  'type_not_accepted',
  'algorithm_not_allowed',
  'issuer_not_trusted',
  'key_id_missing',
  'key_unknown',
  'key_unsuitable',
  'signature_invalid',
  'audience_mismatch',
  'audience_not_single',
  'audience_not_signed',
  'proof_expired',
  'proof_not_yet_valid',
  'proof_lifetime_too_long',
  'proof_replayed',
  'claim_missing',
  'claim_invalid',
  'claim_forbidden',
  'claims_inconsistent',
  'principal_not_accepted',
  'endpoint_not_accepted',
  'subject_not_live',
  'review_mismatch',
] as const

/** Why a proof could not be judged: somebody else's trouble, worth another try. */
export const PROOF_OUTAGES = [
  'upstream_unreachable',
  'upstream_timeout',
  'upstream_address_refused',
  'upstream_redirected',
  'upstream_encoded',
  'upstream_too_large',
  'upstream_status',
  'upstream_malformed',
  'upstream_busy',
  'file_unreadable',
] as const

export type ProofRefusalCode = (typeof PROOF_REFUSALS)[number]
export type ProofOutageCode = (typeof PROOF_OUTAGES)[number]
export type ProofErrorCode = ProofRefusalCode | ProofOutageCode

/** A few chosen strings and numbers for the operator's log. Never the proof, a token, a key, or all claims. */
export type Facts = Readonly<Record<string, string | number | boolean>>

/** Whose proof it was, as far as it is known: both values stand in the federation document. */
export interface ProofOrigin {
  readonly trustedIssuer: string
  readonly issuer: string
}

/** A proof that is refused, or that cannot be judged now. `code` is for programs, `message` for operators; callers see neither. */
export class ProofError extends Error {
  readonly code: ProofErrorCode
  readonly facts: Facts
  readonly origin: ProofOrigin | undefined

  constructor(
    code: ProofErrorCode,
    message: string,
    options: { facts?: Facts; cause?: unknown; origin?: ProofOrigin } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'ProofError'
    this.code = code
    this.facts = options.facts ?? {}
    this.origin = options.origin
  }

  /** The same error with the trusted issuer that it concerns; an origin already known stays. */
  from(origin: ProofOrigin): ProofError {
    if (this.origin !== undefined) return this
    return new ProofError(this.code, this.message, { facts: this.facts, cause: this.cause, origin })
  }
}

/** One thing that is wrong in a setting: where, in what way, and what to do. */
export interface SettingsProblem {
  /** Keys from the outermost setting inwards. */
  readonly path: readonly (string | number)[]
  readonly code: string
  readonly message: string
}

/** Settings that cannot be used. Thrown while a document is loaded or the process starts, never while serving. */
export class SettingsError extends Error {
  readonly problems: readonly SettingsProblem[]

  constructor(problems: readonly SettingsProblem[]) {
    super(problems.map((problem) => problem.message).join('; '))
    this.name = 'SettingsError'
    this.problems = problems
  }
}
