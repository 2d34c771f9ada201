/** What changes between two federations, told by what it does and not by how it is written. */

import { type Change, changeOf, type Difference, KINDS, type Side } from './change.ts'
import { compareBindings } from './difference-bindings.ts'
import { compareDelegations } from './difference-delegations.ts'
import { compareIdentities } from './difference-grants.ts'
import { compareAudiences, compareTrustedIssuers } from './difference-settings.ts'
import type { Federation } from './federation.ts'

/** Compares two federations. Whatever means the same on both sides, however it is written, is no change. */
export function compareFederations(old: Side, next: Side): Difference {
  const changes = [
    ...compareTrustDomains(old.federation, next.federation),
    ...compareTrustedIssuers(old, next),
    ...compareAudiences(old, next),
    ...compareDelegations(old, next),
    ...compareIdentities(old.federation, next.federation),
    ...compareBindings(old.federation, next.federation),
  ]
  return { version: 1, old: old.federation.digest, new: next.federation.digest, changes: changes.toSorted(inOrder) }
}

function compareTrustDomains({ trustDomain: old }: Federation, { trustDomain: next }: Federation): readonly Change[] {
  if (old === next) return []
  return [changeOf({ kind: 'federation', name: next, change: 'changed', member: 'trust_domain', old, new: next })]
}

function inOrder(one: Change, other: Change): number {
  return (
    KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind) ||
    compareText(one.name, other.name) ||
    compareText(one.audience ?? '', other.audience ?? '')
  )
}

function compareText(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1
}
