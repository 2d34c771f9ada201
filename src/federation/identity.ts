/** Who there is and whom tokens are for, with every default in place: what exchanges are decided by. */

import {
  type AudienceEntry,
  DEFAULT_TOKEN_LIFETIME_SECONDS,
  type IdentityEntry,
  MAX_TOKEN_LIFETIME_SECONDS,
} from './document.ts'

/** What an identity may have. */
export interface Identity {
  /** The scopes that it may have, by audience. */
  readonly grants: ReadonlyMap<string, readonly string[]>
  readonly lifetimeSeconds: number
  /** Claims that its tokens have beside ours. */
  readonly claims: Readonly<Record<string, unknown>>
  /** Whether it is given nothing for now. */
  readonly isSuspended: boolean
}

/** Who there is, by the names of the entries. */
export interface Identities extends Iterable<readonly [string, Identity]> {
  get(name: string): Identity | undefined
  keys(): Iterable<string>
}

/** What the tokens for an audience are like. */
export interface Audience {
  readonly maxLifetimeSeconds: number
  readonly signingAlgorithm: 'ES256' | 'RS256'
  readonly tokenType: 'at+jwt' | 'JWT'
}

export function toIdentity(entry: IdentityEntry): Identity {
  return {
    grants: new Map(Object.entries(entry.grants)),
    lifetimeSeconds: entry.lifetime_seconds ?? DEFAULT_TOKEN_LIFETIME_SECONDS,
    claims: entry.claims ?? {},
    isSuspended: entry.suspended ?? false,
  }
}

export function toAudience(entry: AudienceEntry): Audience {
  return {
    maxLifetimeSeconds: entry.max_lifetime_seconds ?? MAX_TOKEN_LIFETIME_SECONDS,
    signingAlgorithm: entry.signing_alg ?? 'ES256',
    tokenType: entry.token_type ?? 'at+jwt',
  }
}
