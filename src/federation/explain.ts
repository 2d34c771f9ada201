/** Why a proof was given an identity, or which bindings came nearest and what kept each from matching. */

import type { Attributes } from '../../providers/contract/proof.ts'
import type { Binding } from './bindings.ts'
import type { Federation } from './federation.ts'
import { type Condition, findUnsatisfied, isSatisfied } from './match.ts'

/** Bindings that are shown where none matches. */
const NEAREST = 3

/** A binding that did not match, and the first of its conditions that failed. */
export interface NearMiss {
  readonly binding: string
  readonly identity: string
  readonly attribute: string
  /** The values that it takes; a prefix ends with a star. */
  readonly expected: readonly string[]
  /** The value that the proof has; null where it has none. */
  readonly found: string | null
}

export interface Explanation {
  readonly trusted_issuer: string
  /** The binding that decides; null where none matches. */
  readonly binding: string | null
  readonly identity: string | null
  /** What the identity may have, by audience. */
  readonly grants: Readonly<Record<string, readonly string[]>>
  /** Wider bindings that matched too. */
  readonly beaten: readonly string[]
  /** Where none matches: the nearest, those that fail in the fewest conditions first. */
  readonly nearest: readonly NearMiss[]
}

/** Explains what attributes of one trusted issuer's proofs lead to. */
export function explain(federation: Federation, trustedIssuer: string, attributes: Attributes): Explanation {
  const { bindings, identities } = federation
  const winner = bindings.find(trustedIssuer, attributes)
  const others = bindings.findAll(trustedIssuer, attributes).filter((binding) => binding !== winner)
  return {
    trusted_issuer: trustedIssuer,
    binding: winner?.name ?? null,
    identity: winner?.identity ?? null,
    grants: winner === undefined ? {} : Object.fromEntries(identities.get(winner.identity)?.grants ?? []),
    beaten: others.map((binding) => binding.name),
    nearest: winner === undefined ? findNearest(bindings.bindingsOf(trustedIssuer), attributes) : [],
  }
}

function findNearest(bindings: readonly Binding[], attributes: Attributes): readonly NearMiss[] {
  const failures = ({ match }: Binding) =>
    [...match].filter(([name, condition]) => !isSatisfied(condition, attributes.get(name))).length
  return bindings
    .map((binding) => ({ binding, failed: failures(binding) }))
    .sort((one, other) => one.failed - other.failed || (one.binding.name < other.binding.name ? -1 : 1))
    .slice(0, NEAREST)
    .flatMap(({ binding }) => toNearMiss(binding, attributes))
}

function toNearMiss(binding: Binding, attributes: Attributes): readonly NearMiss[] {
  const attribute = findUnsatisfied(binding.match, attributes)
  const condition = attribute === undefined ? undefined : binding.match.get(attribute)
  if (attribute === undefined || condition === undefined) return []
  const { name, identity } = binding
  return [{ binding: name, identity, attribute, expected: spell(condition), found: attributes.get(attribute) ?? null }]
}

function spell(condition: Condition): readonly string[] {
  return condition.kind === 'exact' ? condition.values : [`${condition.prefix}*`]
}
