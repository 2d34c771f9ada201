/** Why a proof was given an identity, or was not: the bindings that matched, or which came nearest and what kept each from it. */

import type { Attributes } from '../../providers/contract/proof.ts'
import type { Binding } from './bindings.ts'
import { type Choice, choose, sortByWidth } from './choose.ts'
import type { Federation } from './federation.ts'
import { identify } from './identify.ts'
import { findUnsatisfied, spellCondition } from './match.ts'
import { findNearest } from './nearest.ts'
import { isTemplate, type TemplateFault } from './template.ts'

/** Bindings that are shown where none matches. */
const NEAREST = 3

/** A binding that matched beside the one that decides. */
export interface Matched {
  readonly binding: string
  readonly is_suspended: boolean
  readonly is_shadow: boolean
}

/** A binding that did not match, and the first of its conditions that failed. */
export interface NearMiss extends Matched {
  readonly identity: string
  readonly attribute: string
  /** The values that it takes; a prefix ends with a star. */
  readonly expected: readonly string[]
  /** The value that the proof has; null where it has none. */
  readonly found: string | null
}

/** Why a binding that decides gives nothing. */
export interface Obstacle {
  readonly reason: 'binding_missing' | 'binding_suspended' | 'identity_malformed' | 'identity_suspended'
  /** Names of the suspended bindings among those that decide. */
  readonly suspended: readonly string[]
  /** Why the template made no name. */
  readonly fault: TemplateFault | null
}

/** What a binding decides. */
export interface Decision {
  readonly binding: string
  /** Null where its template makes no name. */
  readonly identity: string | null
  /** What the name was made from; null where it stands in the binding. */
  readonly template: string | null
  /** The entry of `identities` that says what it may have: the name itself, or such as `preview/*`. */
  readonly entry: string
  /** What the identity may have, by audience; nothing where it is given nothing. */
  readonly grants: Readonly<Record<string, readonly string[]>>
  /** Null where nothing stands against it. */
  readonly obstacle: Obstacle | null
  /** Others that are as narrow and name the same identity. */
  readonly alike: readonly Matched[]
}

/** Of a trusted issuer where no binding matches, what a decision would hold is null or empty. */
export interface Explanation extends Omit<Decision, 'binding' | 'entry'> {
  readonly trusted_issuer: string
  /** Whether none of its proofs is taken, whatever its bindings say. */
  readonly issuer_suspended: boolean
  /** The binding that decides; null where none matches. */
  readonly binding: string | null
  readonly entry: string | null
  /** Wider bindings that matched too, narrowest first. */
  readonly beaten: readonly Matched[]
  /** What would be decided if bindings in shadow were in force; null where that would be none of them. */
  readonly shadow: Decision | null
  /** Where none matches: the nearest, those that fail in the fewest conditions first, and then the most alike. */
  readonly nearest: readonly NearMiss[]
}

const UNDECIDED = { binding: null, identity: null, template: null, entry: null, grants: {}, obstacle: null, alike: [] }

/** Explains what attributes of one trusted issuer's proofs lead to. */
export function explain(federation: Federation, trustedIssuer: string, attributes: Attributes): Explanation {
  const { bindings, suspendedIssuers } = federation
  const matches = sortByWidth(bindings.findAll(trustedIssuer, attributes))
  const { live, shadow } = choose(matches)
  const deciding = new Set([...(live?.smallest ?? []), ...(shadow?.smallest ?? [])])
  return {
    trusted_issuer: trustedIssuer,
    issuer_suspended: suspendedIssuers.has(trustedIssuer),
    ...(live === undefined ? UNDECIDED : toDecision(live, federation, attributes)),
    beaten: matches.filter((binding) => !deciding.has(binding)).map(toMatched),
    shadow: shadow === undefined ? null : toDecision(shadow, federation, attributes),
    nearest: live === undefined ? nearestTo(attributes, bindings.bindingsOf(trustedIssuer)) : [],
  }
}

function toDecision(choice: Choice, { identities }: Federation, attributes: Attributes): Decision {
  const { binding, smallest } = choice
  const identified = identify(choice, attributes, identities)
  const suspended = smallest.filter(({ isSuspended }) => isSuspended).map(({ name }) => name)
  return {
    binding: binding.name,
    identity: identified.name ?? null,
    template: isTemplate(binding.identity) ? binding.identity : null,
    entry: binding.entry,
    grants: identified.isGiven ? Object.fromEntries(identified.identity.grants) : {},
    obstacle: identified.isGiven ? null : { reason: identified.why, suspended, fault: identified.fault ?? null },
    alike: smallest.filter((other) => other !== binding).map(toMatched),
  }
}

function toMatched({ name, isSuspended, isShadow }: Binding): Matched {
  return { binding: name, is_suspended: isSuspended, is_shadow: isShadow }
}

function nearestTo(attributes: Attributes, bindings: readonly Binding[]): readonly NearMiss[] {
  return findNearest(bindings, attributes, NEAREST).flatMap((binding) => toNearMiss(binding, attributes))
}

function toNearMiss(binding: Binding, attributes: Attributes): readonly NearMiss[] {
  const attribute = findUnsatisfied(binding.match, attributes)
  const condition = attribute === undefined ? undefined : binding.match.get(attribute)
  if (attribute === undefined || condition === undefined) return []
  const found = attributes.get(attribute) ?? null
  return [{ ...toMatched(binding), identity: binding.identity, attribute, expected: spellCondition(condition), found }]
}
