/** Who called: what a verified token says of its bearer. */

import type { NumericDate } from '../../providers/contract/proof.ts'
import { isJsonObject, type JsonObject, memberOf } from '../../providers/contract/strict-json.ts'
import { SCOPE_TOKEN } from '../oauth/vocabulary.ts'
import { TokenRefused } from './refused.ts'

/** What stands behind a token, as its `proof` claim has it. */
export interface ProofClaim extends JsonObject {
  /** The cloud whose proof was exchanged: `aws`, `azure`, `gcp` or `kubernetes`. */
  readonly provider: string
  readonly trusted_issuer: string
  /** The platform's own name for the workload. */
  readonly subject: string
  /** The running copy, where the platform names one. */
  readonly instance?: string
  readonly binding: string
  /** Digest of the federation document that decided. */
  readonly document: string
  readonly single_use: boolean
  /** Whether the platform was asked if the subject still exists. */
  readonly live: boolean
}

/** The claims set of a verified token: those that every token has, and whatever the federation document adds. */
export interface TokenClaims extends JsonObject {
  readonly iss: string
  readonly sub: string
  readonly aud: string
  readonly client_id: string
  readonly iat: NumericDate
  readonly exp: NumericDate
  readonly jti: string
  readonly scope?: string
  readonly proof: ProofClaim
}

/** The workload that called. Frozen, through and through. */
export interface Principal {
  /** The identity's name in the federation document: `payments/api`. */
  readonly identity: string
  /** The token's `sub`: `spiffe://corp.example/payments/api`. */
  readonly spiffeId: string
  /** What the token allows; empty where its audience has no scopes. */
  readonly scopes: readonly string[]
  readonly proof: ProofClaim
  readonly claims: TokenClaims
}

/**
 * Gives the principal that verified claims are about.
 *
 * Refuses a `sub` that is no SPIFFE ID, or of another trust domain where one is given, a `client_id` that is not its path, and
 * claims without a `jti` or a `proof`, which every access token of our broker has, and nothing else that it might sign.
 *
 * @see {@link https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md#2-spiffe-identity SPIFFE ID section 2}
 */
export function principalFrom(claims: JsonObject, trustDomain: string | undefined): Principal {
  const spiffeId = readString(claims, 'sub')
  const [, domain, identity] = SPIFFE_ID.exec(spiffeId) ?? []
  if (domain === undefined || identity === undefined) throw new TokenRefused('claim_invalid', 'sub')
  if (spiffeId.length > MAX_SPIFFE_ID_LENGTH || hasDotSegment(identity)) throw new TokenRefused('claim_invalid', 'sub')
  if (trustDomain !== undefined && domain !== trustDomain) throw new TokenRefused('trust_domain_mismatch')
  if (readString(claims, 'client_id') !== identity) throw new TokenRefused('claim_invalid', 'client_id')
  readString(claims, 'jti')
  const proof = readProof(claims)
  const scopes = readScopes(claims)
  // Every member of TokenClaims was looked at, the times and `aud` by the verifier.
  const whole = freeze(claims) as TokenClaims
  return freeze({ identity, spiffeId, scopes, proof, claims: whole })
}

const SPIFFE_ID = /^spiffe:\/\/([a-z0-9._-]{1,255})\/([A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*)$/

/** @see {@link https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md#23-maximum-spiffe-id-length SPIFFE ID section 2.3} */
const MAX_SPIFFE_ID_LENGTH = 2_048

function hasDotSegment(path: string): boolean {
  return path.split('/').some((segment) => segment === '.' || segment === '..')
}

function readString(object: JsonObject, name: string, claim = name): string {
  const value = memberOf(object, name)
  if (value === undefined) throw new TokenRefused('claim_missing', claim)
  if (typeof value !== 'string' || value === '') throw new TokenRefused('claim_invalid', claim)
  return value
}

function readProof(claims: JsonObject): ProofClaim {
  const proof = memberOf(claims, 'proof')
  if (proof === undefined) throw new TokenRefused('claim_missing', 'proof')
  if (!isJsonObject(proof)) throw new TokenRefused('claim_invalid', 'proof')
  for (const name of ['provider', 'trusted_issuer', 'subject', 'binding', 'document']) readString(proof, name, 'proof')
  if (Object.hasOwn(proof, 'instance')) readString(proof, 'instance', 'proof')
  const isComplete = ['single_use', 'live'].every((name) => typeof memberOf(proof, name) === 'boolean')
  if (!isComplete) throw new TokenRefused('claim_invalid', 'proof')
  return proof as ProofClaim
}

function readScopes(claims: JsonObject): readonly string[] {
  if (!Object.hasOwn(claims, 'scope')) return []
  const scopes = readString(claims, 'scope').split(' ')
  if (!scopes.every((scope) => SCOPE_TOKEN.test(scope))) throw new TokenRefused('claim_invalid', 'scope')
  return scopes
}

function freeze<Value extends object>(value: Value): Value {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null && !Object.isFrozen(member)) freeze(member)
  }
  return Object.freeze(value)
}
