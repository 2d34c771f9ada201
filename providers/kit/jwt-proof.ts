/** The checks that every JWT proof passes, in the one order in which they are made. */

import { type Facts, ProofError } from '../contract/errors.ts'
import type { NumericDate } from '../contract/proof.ts'
import { memberOf } from '../contract/strict-json.ts'
import { type ClaimsLedger, createClaimsLedger } from './claims.ts'
import { type CompactJws, readCompactJws } from './compact-jws.ts'
import type { KeySet } from './key-set.ts'
import { isSignatureValid, type SignatureAlgorithm } from './verification-key.ts'

/** How far two clocks may differ, in seconds. It never prolongs a proof that may be used again. */
export const CLOCK_SKEW_SECONDS = 60

/** Claims that mark a token made for something other than proving a workload: a browser's login, a delegated user, a logout. */
const FOREIGN_CLAIMS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'scp', 'cnf'] as const

/** What a provider demands of its platform's tokens. Every member is required: no check has a switch. */
export interface JwtRules {
  /** Longest `exp` less `iat`, in seconds. */
  readonly maxLifetimeSeconds: number
  readonly proofAudiences: readonly string[]
  /** Whether the same proof may come again; then its `exp` is taken without any skew. */
  readonly isReusable: boolean
}

/** A JWT of one trusted issuer whose signature holds, and whose audience and times are as they must be. */
export interface CheckedJwt {
  readonly audience: string
  readonly issuedAt: NumericDate
  readonly expiresAt: NumericDate
  /** Everything but `iss`, `aud`, `iat`, `nbf` and `exp` is still to be accounted for. */
  readonly claims: ClaimsLedger
}

/** Reads a JWT and its exact issuer. Refuses bad form and an algorithm that the provider does not take. */
export function openJwt(proof: string, algorithms: readonly SignatureAlgorithm[]): { jws: CompactJws; issuer: string } {
  const jws = readCompactJws(proof)
  if (!algorithms.some((algorithm) => algorithm === jws.algorithm)) {
    throw new ProofError('algorithm_not_allowed', 'the proof is signed with an algorithm that is not on the list')
  }
  const issuer = memberOf(jws.claims, 'iss')
  if (typeof issuer !== 'string') throw new ProofError('issuer_not_trusted', 'the proof names no issuer')
  return { jws, issuer }
}

/** Checks the signature with the key that the proof names, if that key is one of these and made for the proof's algorithm. */
export async function verifyJwtSignature(jws: CompactJws, keys: KeySet): Promise<void> {
  if (jws.keyId === undefined) throw new ProofError('key_id_missing', 'the proof names no key')
  const key = await keys.find(jws.keyId)
  if (key.algorithm !== jws.algorithm) {
    throw new ProofError('key_unsuitable', 'the key that the proof names is for another algorithm')
  }
  if (!isSignatureValid(key, jws.signingInput, jws.signature)) {
    throw new ProofError('signature_invalid', 'the signature does not hold')
  }
}

/**
 * Checks audience and times.
 *
 * `aud` has exactly one value, and it is one of the trusted issuer's proof audiences; `exp` and `iat` are there.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7519.html#section-4.1 RFC 7519 section 4.1}
 * @see {@link https://www.rfc-editor.org/rfc/rfc8725.html#section-3.9 RFC 8725 section 3.9}
 */
export function checkJwtClaims(jws: CompactJws, rules: JwtRules, now: NumericDate): CheckedJwt {
  const claims = createClaimsLedger(jws.claims)
  claims.ignore('iss')
  const audience = checkAudience(claims.take('aud'), rules.proofAudiences)
  const { issuedAt, expiresAt } = checkTimes(claims, rules, now)
  claims.forbid(...FOREIGN_CLAIMS)
  return { audience, issuedAt, expiresAt, claims }
}

/** The refusal of an issuer that no trusted issuer names. It is told to the operator when it is short and plain. */
export function untrustedIssuer(issuer: string): ProofError {
  return new ProofError('issuer_not_trusted', 'no trusted issuer has this iss', { facts: plainFacts('issuer', issuer) })
}

function checkAudience(aud: unknown, proofAudiences: readonly string[]): string {
  if (Array.isArray(aud) && aud.length > 1) {
    throw new ProofError(
      'audience_not_single',
      'the proof was made for several parties; each of them could bring it here',
    )
  }
  const audience: unknown = Array.isArray(aud) ? aud[0] : aud
  if (typeof audience !== 'string' || !proofAudiences.includes(audience)) {
    throw new ProofError('audience_mismatch', 'the proof was made for another audience', {
      facts: plainFacts('audience', audience),
    })
  }
  return audience
}

/**
 * What an unverified proof says of itself may be read by an operator, but only where it cannot be mistaken for anything else, and
 * has no place for a credential: no `@`, no `?`.
 */
export function plainFacts(name: string, value: unknown): Facts {
  return typeof value === 'string' && /^[\x21-\x3e\x41-\x7e]{1,200}$/.test(value) ? { [name]: value } : {}
}

function checkTimes(
  claims: ClaimsLedger,
  rules: JwtRules,
  now: NumericDate,
): { issuedAt: NumericDate; expiresAt: NumericDate } {
  const expiresAt = claims.requireInteger('exp')
  const issuedAt = claims.requireInteger('iat')
  const notBefore = claims.optionalInteger('nbf')
  const grace = rules.isReusable ? 0 : CLOCK_SKEW_SECONDS
  if (expiresAt + grace <= now) {
    throw new ProofError('proof_expired', 'the proof has expired', { facts: { expired_seconds_ago: now - expiresAt } })
  }
  const start = Math.max(issuedAt, notBefore ?? issuedAt)
  if (start > now + CLOCK_SKEW_SECONDS) {
    throw new ProofError('proof_not_yet_valid', 'the proof is not valid yet', {
      facts: { valid_in_seconds: start - now },
    })
  }
  const lifetime = expiresAt - issuedAt
  if (start >= expiresAt) throw new ProofError('claims_inconsistent', 'the proof expires before it begins')
  if (lifetime > rules.maxLifetimeSeconds) {
    throw new ProofError('proof_lifetime_too_long', 'the proof lives longer than this provider accepts', {
      facts: { lifetime_seconds: lifetime, allowed_seconds: rules.maxLifetimeSeconds },
    })
  }
  return { issuedAt, expiresAt }
}
