/** What happens to delegations: what each team may write of its own. */

import { type Change, changeOf, jsonOf, type Side } from './change.ts'
import { compareMatches, containmentOf, isSubset, spellMatch } from './containment.ts'
import { type Delegation, readDelegations } from './delegation.ts'
import type { FederationDocument } from './document.ts'

/** Compares delegations: prefixes, matches, grants and claims. */
export function compareDelegations(old: Side, next: Side): readonly Change[] {
  const [before, after] = [delegationsOf(old), delegationsOf(next)]
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [former, delegation] = [before.get(name), after.get(name)]
    const subject = { kind: 'delegation', name } as const
    if (former === undefined) return [changeOf({ ...subject, change: 'added', new: entryOf(next.platform, name) })]
    if (delegation === undefined) return [changeOf({ ...subject, change: 'removed', old: entryOf(old.platform, name) })]
    return [
      ...comparePrefixes(former, delegation),
      ...compareTerritories(former, delegation),
      ...compareGrants(former, delegation),
      ...compareClaims(former, delegation),
    ]
  })
}

function delegationsOf({ platform, federation }: Side): ReadonlyMap<string, Delegation> {
  return readDelegations(platform, federation.issuers).delegations
}

function entryOf({ delegations }: FederationDocument, name: string): Change['new'] {
  return jsonOf(delegations[name])
}

function comparePrefixes({ identityPrefix: old }: Delegation, { name, identityPrefix }: Delegation): readonly Change[] {
  const change = containmentOf(identityPrefix.startsWith(old), old.startsWith(identityPrefix))
  if (change === undefined) return []
  return [changeOf({ kind: 'delegation', name, change, member: 'identity_prefix', old, new: identityPrefix })]
}

function compareTerritories({ matches: before }: Delegation, { name, matches: after }: Delegation): readonly Change[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((issuer) => {
    const [former, match] = [before.get(issuer), after.get(issuer)]
    const change = former === undefined ? 'widened' : match === undefined ? 'narrowed' : compareMatches(former, match)
    if (change === undefined) return []
    const matches = {
      old: former === undefined ? null : spellMatch(former),
      new: match === undefined ? null : spellMatch(match),
    }
    return [changeOf({ kind: 'delegation', name, change, member: `trusted_issuers/${issuer}`, ...matches })]
  })
}

function compareGrants({ grants: before }: Delegation, { name, grants: after }: Delegation): readonly Change[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((audience) => {
    const [former, scopes] = [before.get(audience), after.get(audience)]
    const change =
      former === undefined
        ? 'widened'
        : scopes === undefined
          ? 'narrowed'
          : containmentOf(isSubset(scopes, former), isSubset(former, scopes))
    if (change === undefined) return []
    const grants = { old: jsonOf(former), new: jsonOf(scopes) }
    return [changeOf({ kind: 'delegation', name, audience, change, member: 'grants', ...grants })]
  })
}

function compareClaims(former: Delegation, { name, claims }: Delegation): readonly Change[] {
  const [old, next] = [[...former.claims], [...claims]]
  const change = containmentOf(isSubset(next, old), isSubset(old, next))
  if (change === undefined) return []
  return [changeOf({ kind: 'delegation', name, change, member: 'claims', old, new: next })]
}
