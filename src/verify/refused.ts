/** What a verifier throws on purpose: a token that is refused, and keys that cannot be had. */

/**
 * Why a token is refused, with the sentence that its bearer may read. Closed, and published in `README.md`. No sentence holds a
 * part of a token, so each can stand in a log and in a `WWW-Authenticate` header.
 */
export const REFUSALS = {
  token_too_large: 'the token is longer than 16 KiB',
  token_malformed: 'the token is not a compact JWS in its one canonical spelling',
  header_forbidden: 'the header has a member that may not decide how a token is verified',
  type_not_accepted: 'the token is of another type',
  algorithm_not_allowed: 'the token is signed with an algorithm that is not accepted',
  issuer_mismatch: 'the token is from another issuer',
  key_unknown: 'the issuer publishes no key of this id',
  key_unsuitable: 'the key of this id is not for this algorithm',
  signature_invalid: 'the signature is not by the issuer',
  audience_mismatch: 'the token is for another audience',
  token_expired: 'the token has expired',
  token_not_yet_valid: 'the token is from the future',
  lifetime_too_long: 'the token lives longer than its issuer gives',
  claim_missing: 'the token lacks a claim that every token of its issuer has',
  claim_invalid: 'the token has a claim that its issuer would not write',
  trust_domain_mismatch: 'the token is about an identity of another trust domain',
  scope_missing: 'the token lacks a scope that is required',
} as const

export type TokenRefusalCode = keyof typeof REFUSALS

/** A token that is refused. Says why, and holds no part of the token. */
export class TokenRefused extends Error {
  readonly code: TokenRefusalCode
  /** The claim, header member or scope that it is about, in the verifier's words. Empty where that says nothing more. */
  readonly detail: string

  constructor(code: TokenRefusalCode, detail = '') {
    super(REFUSALS[code])
    this.name = 'TokenRefused'
    this.code = code
    this.detail = detail
  }
}

/** Why the issuer's keys could not be had. Closed, and published in `README.md`. */
export const KEY_FAULTS = {
  unreachable: 'the issuer cannot be reached',
  timeout: 'the issuer did not answer in time',
  redirected: 'the issuer answered with a redirect',
  status: 'the issuer answered with a status other than 200',
  too_large: 'the key set is too large',
  malformed: 'the answer is not a key set with a usable key',
} as const

export type KeyFaultCode = keyof typeof KEY_FAULTS

/**
 * Keys that could not be had, so that nothing can be said of a token: neither a refusal nor an acceptance. Whoever asked may ask
 * again after `retryAfterSeconds`, a whole number from 1 to 30.
 */
export class KeysUnavailable extends Error {
  readonly code: KeyFaultCode
  readonly retryAfterSeconds: number

  constructor(code: KeyFaultCode, retryAfterSeconds: number, cause?: unknown) {
    super(KEY_FAULTS[code], cause === undefined ? undefined : { cause })
    this.name = 'KeysUnavailable'
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
  }
}
