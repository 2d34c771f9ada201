/** What happens to identities: who there is, and what each may have for how long. */

import { isDeepStrictEqual } from 'node:util'
import { type Change, changeOf, jsonOf } from './change.ts'
import { containmentOf, isSubset } from './containment.ts'
import type { Federation } from './federation.ts'
import type { Identity } from './identity.ts'

/** What a token for one audience can be at most. */
interface Grant {
  readonly scopes: readonly string[]
  /** As short as identity and audience make it. */
  readonly lifetimeSeconds: number
}

/** Compares identities and their grants. A grant is widened where it gives more scopes or longer tokens, and less of neither. */
export function compareIdentities(old: Federation, next: Federation): readonly Change[] {
  const names = new Set([...old.identities.keys(), ...next.identities.keys()])
  return [...names].flatMap((name) => {
    const former = old.identities.get(name)
    const identity = next.identities.get(name)
    return [
      ...compareIdentity(name, former, identity),
      ...compareGrants(name, grantsOf(former, old), grantsOf(identity, next)),
    ]
  })
}

function compareIdentity(name: string, old: Identity | undefined, next: Identity | undefined): readonly Change[] {
  const subject = { kind: 'identity', name } as const
  if (old === undefined || next === undefined) {
    const change = old === undefined ? 'added' : 'removed'
    return [changeOf({ ...subject, change, old: spell(old), new: spell(next) })]
  }
  const changes: Change[] = []
  if (old.isSuspended !== next.isSuspended) {
    const states = { old: old.isSuspended, new: next.isSuspended }
    changes.push(
      changeOf({ ...subject, change: next.isSuspended ? 'suspended' : 'resumed', member: 'suspended', ...states }),
    )
  }
  if (old.lifetimeSeconds !== next.lifetimeSeconds) {
    const change = next.lifetimeSeconds < old.lifetimeSeconds ? 'narrowed' : 'widened'
    const lifetimes = { old: old.lifetimeSeconds, new: next.lifetimeSeconds }
    changes.push(changeOf({ ...subject, change, member: 'lifetime_seconds', ...lifetimes }))
  }
  return [...changes, ...compareClaims(name, old.claims, next.claims)]
}

function compareClaims(name: string, old: Identity['claims'], next: Identity['claims']): readonly Change[] {
  const [former, claims] = [new Map(Object.entries(old)), new Map(Object.entries(next))]
  return [...new Set([...former.keys(), ...claims.keys()])]
    .filter((claim) => !isDeepStrictEqual(former.get(claim), claims.get(claim)))
    .map((claim) => {
      const values = { old: jsonOf(former.get(claim)), new: jsonOf(claims.get(claim)) }
      return changeOf({ kind: 'identity', name, change: 'changed', member: `claims/${claim}`, ...values })
    })
}

function grantsOf(identity: Identity | undefined, { audiences }: Federation): ReadonlyMap<string, Grant> {
  if (identity === undefined) return new Map()
  return new Map(
    [...identity.grants].map(([audience, scopes]) => {
      const longest = audiences.get(audience)?.maxLifetimeSeconds ?? identity.lifetimeSeconds
      return [audience, { scopes, lifetimeSeconds: Math.min(identity.lifetimeSeconds, longest) }]
    }),
  )
}

function compareGrants(
  name: string,
  old: ReadonlyMap<string, Grant>,
  next: ReadonlyMap<string, Grant>,
): readonly Change[] {
  const audiences = new Set([...old.keys(), ...next.keys()])
  return [...audiences].flatMap((audience) => {
    const [former, grant] = [old.get(audience), next.get(audience)]
    const change = wordFor(former, grant)
    if (change === undefined) return []
    return [changeOf({ kind: 'grant', name, audience, change, old: spellGrant(former), new: spellGrant(grant) })]
  })
}

function wordFor(old: Grant | undefined, next: Grant | undefined): Change['change'] | undefined {
  if (old === undefined) return 'added'
  if (next === undefined) return 'removed'
  return containmentOf(isWithin(next, old), isWithin(old, next))
}

function isWithin(inner: Grant, outer: Grant): boolean {
  return inner.lifetimeSeconds <= outer.lifetimeSeconds && isSubset(inner.scopes, outer.scopes)
}

function spell(identity: Identity | undefined): Change['new'] {
  if (identity === undefined) return null
  const { lifetimeSeconds, claims, isSuspended } = identity
  return {
    lifetime_seconds: lifetimeSeconds,
    claims: jsonOf(claims),
    ...(isSuspended ? { suspended: true } : {}),
  }
}

function spellGrant(grant: Grant | undefined): Change['new'] {
  return grant === undefined ? null : { scopes: grant.scopes.toSorted(), lifetime_seconds: grant.lifetimeSeconds }
}
