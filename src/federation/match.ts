/** The match language: a condition is exact values, or one prefix. Decidable, so that overlap can be proved absent. */

import type { Attributes } from '../../providers/contract/proof.ts'

export type Condition =
  | { readonly kind: 'exact'; readonly values: readonly string[] }
  | { readonly kind: 'prefix'; readonly prefix: string }

/** What a binding asks of a proof: every condition holds. */
export type Match = ReadonlyMap<string, Condition>

/**
 * A prefix ends where a name's parts are separated, so that `prod-*` can never take in `production`, and has more than separators,
 * so that `.*` is not mistaken for everything.
 */
export const PREFIX = /^(?=[-._/]*[^-._/*])[^*]*[-._/]\*$/

/** Reads a condition from the document; undefined where a `*` stands anywhere but at the end of a separated prefix. */
export function parseCondition(value: string | readonly string[]): Condition | undefined {
  const values = typeof value === 'string' ? [value] : value
  if (!values.some((text) => text.includes('*'))) return { kind: 'exact', values: [...new Set(values)] }
  const [only] = values
  if (only === undefined || values.length > 1 || !PREFIX.test(only)) return undefined
  return { kind: 'prefix', prefix: only.slice(0, -1) }
}

/** Gives the values that a condition takes, as the document writes them. */
export function spellCondition(condition: Condition): readonly string[] {
  return condition.kind === 'exact' ? condition.values : [`${condition.prefix}*`]
}

/** Answers whether one value satisfies a condition. */
export function isSatisfied(condition: Condition, value: string | undefined): boolean {
  if (value === undefined) return false
  return condition.kind === 'exact' ? condition.values.includes(value) : value.startsWith(condition.prefix)
}

/** Gives the first condition that does not hold; undefined where all hold. */
export function findUnsatisfied(match: Match, attributes: Attributes): string | undefined {
  for (const [name, condition] of match) {
    if (!isSatisfied(condition, attributes.get(name))) return name
  }
  return undefined
}

/** Answers whether every proof that satisfies `narrow` satisfies `wide` too. */
export function isContained(narrow: Match, wide: Match): boolean {
  for (const [name, outer] of wide) {
    const inner = narrow.get(name)
    if (inner === undefined || !isConditionContained(inner, outer)) return false
  }
  return true
}

/**
 * Gives attributes that would satisfy both; undefined where no proof could. `isValue` keeps the example to values that the
 * platform could send.
 */
export function findWitness(
  one: Match,
  other: Match,
  isValue: (name: string, value: string) => boolean,
): Record<string, string> | undefined {
  const witness: Record<string, string> = {}
  for (const name of [...new Set([...one.keys(), ...other.keys()])].sort()) {
    const value = findCommonValue(one.get(name), other.get(name), (candidate) => isValue(name, candidate))
    if (value === undefined) return undefined
    witness[name] = value
  }
  return witness
}

function isConditionContained(inner: Condition, outer: Condition): boolean {
  if (inner.kind === 'exact') return inner.values.every((value) => isSatisfied(outer, value))
  return outer.kind === 'prefix' && inner.prefix.startsWith(outer.prefix)
}

function findCommonValue(
  one: Condition | undefined,
  other: Condition | undefined,
  isValue: (value: string) => boolean,
): string | undefined {
  const conditions = [one, other].filter((condition) => condition !== undefined)
  const exact = conditions.find((condition) => condition.kind === 'exact')
  if (exact !== undefined) {
    return exact.values.find((value) => conditions.every((condition) => isSatisfied(condition, value)))
  }
  const prefixes = conditions.flatMap((condition) => (condition.kind === 'prefix' ? [condition.prefix] : []))
  const longest = prefixes.reduce((longer, prefix) => (prefix.length > longer.length ? prefix : longer), '')
  if (!prefixes.every((prefix) => longest.startsWith(prefix))) return undefined
  return [`${longest}x`, `${longest}0`].find(isValue)
}
