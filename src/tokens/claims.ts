/** What our tokens say. */

import { randomUUID } from 'node:crypto'
import type { NumericDate, VerifiedProof } from '../../providers/contract/proof.ts'
import type { Binding } from '../federation/bindings.ts'
import type { Federation } from '../federation/federation.ts'
import type { Identity } from '../federation/identity.ts'
import type { Grant } from '../policy/decide.ts'

/** The claims set of an access token. @see {@link https://www.rfc-editor.org/rfc/rfc9068.html#section-2.2 RFC 9068 section 2.2} */
export interface AccessTokenClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: string
  readonly client_id: string
  readonly iat: NumericDate
  readonly exp: NumericDate
  readonly jti: string
  readonly scope?: string
  /** What stands behind the token. */
  readonly proof: {
    readonly provider: string
    readonly trusted_issuer: string
    /** The platform's own name for the workload. */
    readonly subject: string
    readonly instance?: string
    readonly binding: string
    /** Digest of the federation document that decided. */
    readonly document: string
    readonly single_use: boolean
    /** Whether the platform was asked if the subject still exists. */
    readonly live: boolean
  }
}

export interface TokenFacts {
  readonly brokerIssuer: string
  readonly federation: Federation
  readonly identity: Identity
  /** The identity's name, whole. */
  readonly identityName: string
  readonly binding: Binding
  readonly proof: VerifiedProof
  readonly grant: Grant
  readonly now: NumericDate
}

/** Gives the claims of one token. No `nbf`: a strict verifier with a slow clock would refuse a fresh token. */
export function claimsOf(facts: TokenFacts): AccessTokenClaims {
  const { federation, identityName, binding, proof, grant, now } = facts
  return {
    ...facts.identity.claims,
    iss: facts.brokerIssuer,
    sub: `spiffe://${federation.trustDomain}/${identityName}`,
    aud: grant.audience,
    client_id: identityName,
    iat: now,
    exp: now + grant.lifetimeSeconds,
    jti: randomUUID(),
    ...(grant.scopes === undefined ? {} : { scope: grant.scopes.join(' ') }),
    proof: {
      provider: proof.provider,
      trusted_issuer: proof.trustedIssuer,
      subject: proof.subject,
      ...(proof.instance === undefined ? {} : { instance: proof.instance }),
      binding: binding.name,
      document: federation.digest,
      single_use: proof.replay.singleUse,
      live: proof.live,
    },
  }
}
