/** What an identity is given. Pure: the same inputs always give the same verdict. */

import type { NumericDate, VerifiedProof } from '../../providers/contract/proof.ts'
import { MAX_TOKEN_LIFETIME_SECONDS } from '../federation/document.ts'
import type { Audience, Identity } from '../federation/identity.ts'

/** What is asked for. `target` is an audience's short name, undefined where the request named none. */
export interface Wish {
  readonly target: string | undefined
  readonly scopes: readonly string[] | undefined
}

/** What a token will say beyond who it is about. */
export interface Grant {
  readonly audience: string
  /** Undefined where the audience has no scopes, or none was granted. */
  readonly scopes: readonly string[] | undefined
  readonly lifetimeSeconds: number
  readonly signingAlgorithm: Audience['signingAlgorithm']
  readonly tokenType: Audience['tokenType']
}

export type Verdict =
  | { readonly allowed: true; readonly grant: Grant }
  | { readonly allowed: false; readonly why: 'target_missing' | 'target_refused' | 'scope_refused' | 'proof_expired' }

/** Decides whether an identity may have what it asks for, and for how long. */
export function decide(
  identity: Identity,
  audiences: ReadonlyMap<string, Audience>,
  wish: Wish,
  proof: Pick<VerifiedProof, 'expiresAt' | 'replay'>,
  now: NumericDate,
): Verdict {
  const [only, ...others] = identity.grants.keys()
  if (wish.target === undefined && (only === undefined || others.length > 0))
    return { allowed: false, why: 'target_missing' }
  const name = wish.target ?? only ?? ''
  const audience = audiences.get(name)
  const scopes = identity.grants.get(name)
  if (audience === undefined || scopes === undefined) return { allowed: false, why: 'target_refused' }
  if (wish.scopes?.every((scope) => scopes.includes(scope)) === false) return { allowed: false, why: 'scope_refused' }
  const given = wish.scopes ?? scopes
  const lifetimeSeconds = lifetimeOf(identity, audience, proof, now)
  if (lifetimeSeconds < 1) return { allowed: false, why: 'proof_expired' }
  return {
    allowed: true,
    grant: {
      audience: name,
      scopes: given.length === 0 ? undefined : given,
      lifetimeSeconds,
      signingAlgorithm: audience.signingAlgorithm,
      tokenType: audience.tokenType,
    },
  }
}

/** The shortest of what the identity has, what the audience allows and, as it could come again, what a reusable proof has left. */
function lifetimeOf(
  identity: Identity,
  audience: Audience,
  proof: Pick<VerifiedProof, 'expiresAt' | 'replay'>,
  now: NumericDate,
): number {
  return Math.min(
    identity.lifetimeSeconds,
    audience.maxLifetimeSeconds,
    proof.replay.singleUse ? MAX_TOKEN_LIFETIME_SECONDS : proof.expiresAt - now,
  )
}
