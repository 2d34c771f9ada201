/** How what was and what is lie to each other, where both are sets. */

import { isContained, type Match, spellCondition } from './match.ts'

/** `changed`: neither holds the other whole. Undefined: they are the same. */
export type Containment = 'widened' | 'narrowed' | 'changed' | undefined

/** Gives the word for a change of which it is known whether the new lies inside the old, and the old inside the new. */
export function containmentOf(isInside: boolean, isAround: boolean): Containment {
  if (isInside && isAround) return undefined
  if (isInside) return 'narrowed'
  return isAround ? 'widened' : 'changed'
}

/** Compares two matches by the proofs that they take. */
export function compareMatches(old: Match, next: Match): Containment {
  return containmentOf(isContained(next, old), isContained(old, next))
}

/** Answers whether every one of the first list is in the second. */
export function isSubset(inner: readonly string[], outer: readonly string[]): boolean {
  const all = new Set(outer)
  return inner.every((value) => all.has(value))
}

/** Gives a match in the words of the document, the same for any two that are written alike but for their order. */
export function spellMatch(match: Match): Record<string, string | string[]> {
  return Object.fromEntries(
    [...match]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, condition]) => {
        const [only = '', ...others] = spellCondition(condition).toSorted()
        return [name, others.length === 0 ? only : [only, ...others]]
      }),
  )
}
