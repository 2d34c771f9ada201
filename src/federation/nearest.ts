/** Which bindings came nearest to matching: what somebody meant, and misspelt, is among them. */

import type { Attributes } from '../../providers/contract/proof.ts'
import type { Binding } from './bindings.ts'
import { type Condition, isSatisfied } from './match.ts'

interface Miss {
  readonly binding: Binding
  /** Conditions that fail. */
  readonly failed: number
  /** How unlike their values are to what the proof has. */
  readonly distance: number
}

/**
 * Gives the bindings that fail in the fewest conditions, and of those first the ones whose values are most like the proof’s, then by
 * name. None of them matches.
 */
export function findNearest(bindings: readonly Binding[], attributes: Attributes, count: number): readonly Binding[] {
  return bindings
    .map((binding) => missOf(binding, attributes))
    .filter(({ failed }) => failed > 0)
    .sort(compare)
    .slice(0, count)
    .map(({ binding }) => binding)
}

function compare(one: Miss, other: Miss): number {
  const byName = one.binding.name < other.binding.name ? -1 : 1
  return one.failed - other.failed || one.distance - other.distance || byName
}

function missOf(binding: Binding, attributes: Attributes): Miss {
  let [failed, distance] = [0, 0]
  for (const [name, condition] of binding.match) {
    const value = attributes.get(name)
    if (isSatisfied(condition, value)) continue
    failed += 1
    distance += distanceOf(condition, value ?? '')
  }
  return { binding, failed, distance }
}

function distanceOf(condition: Condition, value: string): number {
  if (condition.kind === 'prefix') return unlikeness(condition.prefix, value.slice(0, condition.prefix.length))
  return condition.values.reduce(
    (least, wanted) => Math.min(least, unlikeness(wanted, value)),
    Number.POSITIVE_INFINITY,
  )
}

/** Characters of the longer text between what both begin and what both end with: one for a typing error, however long they are. */
function unlikeness(wanted: string, found: string): number {
  const [one, other] = [wanted.toLowerCase(), found.toLowerCase()]
  const shorter = Math.min(one.length, other.length)
  let before = 0
  while (before < shorter && one[before] === other[before]) before += 1
  let after = 0
  while (after < shorter - before && one.at(-1 - after) === other.at(-1 - after)) after += 1
  return Math.max(one.length, other.length) - before - after
}
