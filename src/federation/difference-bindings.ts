/** What happens to bindings: which proofs each takes, for whom, and whether it is in force. */

import type { Attributes } from '../../providers/contract/proof.ts'
import type { Binding } from './bindings.ts'
import { type Change, changeOf } from './change.ts'
import { choose } from './choose.ts'
import { compareMatches, spellMatch } from './containment.ts'
import type { Federation } from './federation.ts'
import { isContained, type Match } from './match.ts'

/**
 * Compares the bindings of two federations by name. One that has another name and takes the very same proofs as before is
 * renamed, and not one that goes and one that comes.
 */
export function compareBindings(old: Federation, next: Federation): readonly Change[] {
  const before = byName(old)
  const after = byName(next)
  const changes: Change[] = []
  const found = new Set<string>()
  for (const [name, binding] of after) {
    const former = before.get(name) ?? findTwin(binding, old, after)
    if (former === undefined) changes.push(addedOf(binding, old))
    else {
      found.add(former.name)
      changes.push(...comparePair(former, binding, old, next))
    }
  }
  const gone = [...before.values()].filter(({ name }) => !found.has(name))
  return [...changes, ...gone.map((binding) => removedOf(binding, next))]
}

function byName({ issuers, bindings }: Federation): ReadonlyMap<string, Binding> {
  return new Map(issuers.flatMap(({ name }) => bindings.bindingsOf(name).map((binding) => [binding.name, binding])))
}

/** No two bindings of one document are equal, so there is one at most. */
function findTwin(binding: Binding, old: Federation, after: ReadonlyMap<string, Binding>): Binding | undefined {
  return findAround(binding, old).find((other) => isContained(other.match, binding.match) && !after.has(other.name))
}

/** Finds the bindings that take every proof that this one takes. */
function findAround({ trustedIssuer, match }: Binding, { bindings }: Federation): readonly Binding[] {
  return bindings.findAll(trustedIssuer, exampleOf(match)).filter((other) => isContained(match, other.match))
}

/** One of the cells of a match; whatever contains the match has this cell, too. A prefix stands for itself. */
function exampleOf(match: Match): Attributes {
  return new Map(
    [...match].map(([name, condition]) => [
      name,
      condition.kind === 'exact' ? (condition.values[0] ?? '') : condition.prefix,
    ]),
  )
}

function addedOf(binding: Binding, old: Federation): Change {
  return changeOf({ ...subjectOf(binding), change: 'added', new: spell(binding), fallback: fallbackOf(binding, old) })
}

function removedOf(binding: Binding, next: Federation): Change {
  return changeOf({
    ...subjectOf(binding),
    change: 'removed',
    old: spell(binding),
    fallback: fallbackOf(binding, next),
  })
}

function comparePair(former: Binding, binding: Binding, old: Federation, next: Federation): readonly Change[] {
  const subject = subjectOf(binding)
  const changes: Change[] = []
  if (former.name !== binding.name) {
    changes.push(changeOf({ ...subject, change: 'renamed', member: 'name', old: former.name, new: binding.name }))
  }
  const isElsewhere = former.trustedIssuer !== binding.trustedIssuer
  if (isElsewhere) {
    const issuers = { old: former.trustedIssuer, new: binding.trustedIssuer }
    changes.push(changeOf({ ...subject, change: 'changed', member: 'trusted_issuer', ...issuers }))
  }
  const containment = compareMatches(former.match, binding.match)
  if (containment !== undefined) {
    const matches = { old: spellMatch(former.match), new: spellMatch(binding.match) }
    changes.push(changeOf({ ...subject, change: isElsewhere ? 'changed' : containment, member: 'match', ...matches }))
  }
  if (former.identity !== binding.identity) {
    const identities = { old: former.identity, new: binding.identity }
    changes.push(changeOf({ ...subject, change: 'moved', member: 'identity', ...identities }))
  }
  return [...changes, ...compareForce(former, binding, old, next)]
}

function compareForce(former: Binding, binding: Binding, old: Federation, next: Federation): readonly Change[] {
  const subject = subjectOf(binding)
  const changes: Change[] = []
  if (former.isSuspended !== binding.isSuspended) {
    const change = binding.isSuspended ? 'suspended' : 'resumed'
    const states = { old: former.isSuspended, new: binding.isSuspended }
    changes.push(changeOf({ ...subject, change, member: 'suspended', ...states }))
  }
  if (former.isShadow !== binding.isShadow) {
    const [change, fallback] = binding.isShadow
      ? (['shadowed', fallbackOf({ ...binding, isShadow: false }, next)] as const)
      : (['unshadowed', fallbackOf(binding, old)] as const)
    const modes = { old: former.isShadow ? 'shadow' : null, new: binding.isShadow ? 'shadow' : null }
    changes.push(changeOf({ ...subject, change, member: 'mode', ...modes, fallback }))
  }
  return changes
}

function subjectOf({ name }: Binding): Pick<Change, 'kind' | 'name'> {
  return { kind: 'binding', name }
}

function spell({ trustedIssuer, match, identity, isSuspended, isShadow }: Binding): Change['new'] {
  return {
    trusted_issuer: trustedIssuer,
    match: spellMatch(match),
    identity,
    ...(isSuspended ? { suspended: true } : {}),
    ...(isShadow ? { mode: 'shadow' } : {}),
  }
}

/** A binding in shadow decides nothing, so nothing takes its place. */
function fallbackOf(binding: Binding, other: Federation): Change['fallback'] {
  if (binding.isShadow) return null
  const decider = choose(findAround(binding, other)).live?.binding
  return decider === undefined ? null : { binding: decider.name, identity: decider.identity }
}
