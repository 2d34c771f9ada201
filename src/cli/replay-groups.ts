/** Gathers what changes for whom, in a table that cannot grow without bounds. */

import type { Attributes } from '../../providers/contract/proof.ts'
import type { AuditEntry } from './audit-input.ts'
import type { Outcome, Request } from './replay-decision.ts'
import type { Effect, ReplayGroup } from './replay-report.ts'

/** Groups of one effect that are kept: more than anybody reads, and some ten megabytes at most. */
const MAX_GROUPS = 10_000

type Side = ReplayGroup['old']
type Aspect = ReplayGroup['changes'][number]

/** What happens to one recorded request; undefined where nothing does. */
export interface Consequence {
  readonly effect: Effect
  readonly changes: readonly Aspect[]
  readonly old: Side
  readonly new: Side
}

/** Compares what was recorded with what is decided now. Another binding that gives the same is no change. */
export function judge(
  entry: AuditEntry,
  { scopes = [], lifetimeSeconds }: Request,
  outcome: Outcome,
): Consequence | undefined {
  const old = recordedSide(entry, lifetimeSeconds)
  const next = decidedSide(outcome)
  if (!outcome.isGiven)
    return old.decision === 'issued' ? { effect: 'loses', changes: ['access'], old, new: next } : undefined
  if (old.decision === 'refused') return { effect: 'gains', changes: ['access'], old, new: next }
  const isOther = old.identity !== outcome.identity
  const isShorter = outcome.lifetimeSeconds < (lifetimeSeconds ?? 0)
  const isLess = outcome.lostScopes.length > 0
  const isMore = outcome.scopes.some((scope) => !scopes.includes(scope))
  const changes: readonly Aspect[] = [
    ...(isOther ? (['identity'] as const) : []),
    ...(isLess || isMore ? (['scopes'] as const) : []),
    ...(isShorter ? (['lifetime'] as const) : []),
  ]
  if (changes.length === 0) return undefined
  return { effect: isOther || isLess || isShorter ? 'changes' : 'gains', changes, old, new: next }
}

export interface GroupTable {
  add(entry: AuditEntry, request: Request, consequence: Consequence): void
  /** Those who lose first, then by trusted issuer, workload and target. */
  groups(): readonly ReplayGroup[]
  /** Decisions that found no place. */
  ungrouped(): number
}

/** Creates a table for groups of the same trusted issuer, workload, target and consequence. */
export function createGroupTable(
  pinsOf: (entry: AuditEntry) => ReadonlySet<string>,
  maxGroups = MAX_GROUPS,
): GroupTable {
  const table = new Map<string, ReplayGroup>()
  const sizes = { loses: 0, changes: 0, gains: 0 }
  let ungrouped = 0
  return {
    add(entry, { trustedIssuer, attributes }, consequence) {
      const { audience, time, request_id: requestId } = entry
      const workload = pick(attributes, pinsOf(entry))
      const key = keyOf(trustedIssuer, workload, audience, consequence)
      const group = table.get(key)
      if (group !== undefined) table.set(key, extend(group, time, consequence))
      else if (sizes[consequence.effect] >= maxGroups) ungrouped += 1
      else {
        sizes[consequence.effect] += 1
        const about = { trusted_issuer: trustedIssuer, workload, audience }
        const times = { count: 1, first: time, last: time, example_request_id: requestId }
        table.set(key, { ...consequence, changes: [...consequence.changes], ...about, ...times })
      }
    },
    groups: () => [...table].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, group]) => group),
    ungrouped: () => ungrouped,
  }
}

const RANKS: Readonly<Record<Effect, number>> = { loses: 0, changes: 1, gains: 2 }

/** How long a token lived depends on how old its proof was, and how long it would live on all that is here: neither makes groups. */
function keyOf(
  trustedIssuer: string,
  workload: Readonly<Record<string, string>>,
  audience: string | null,
  { effect, changes, old, new: next }: Consequence,
): string {
  const [before, after] = [old, next].map(({ reason, identity, scope }) => [reason, identity, scope])
  return JSON.stringify([RANKS[effect], trustedIssuer, workload, audience, changes, before, after])
}

function extend(group: ReplayGroup, time: string, { old, new: next }: Consequence): ReplayGroup {
  return {
    ...group,
    count: group.count + 1,
    first: time < group.first ? time : group.first,
    last: time > group.last ? time : group.last,
    old: { ...group.old, lifetime_seconds: longest(group.old, old) },
    new: { ...group.new, lifetime_seconds: longest(group.new, next) },
  }
}

function longest(one: Side, other: Side): number | null {
  if (one.lifetime_seconds === null || other.lifetime_seconds === null) return one.lifetime_seconds
  return Math.max(one.lifetime_seconds, other.lifetime_seconds)
}

function pick(attributes: Attributes, names: ReadonlySet<string>): Record<string, string> {
  return Object.fromEntries(
    [...attributes].filter(([name]) => names.has(name)).toSorted(([one], [other]) => (one < other ? -1 : 1)),
  )
}

function recordedSide({ decision, reason, identity, scope }: AuditEntry, lifetimeSeconds: number | undefined): Side {
  return { decision, reason, identity, scope, lifetime_seconds: lifetimeSeconds ?? null }
}

function decidedSide(outcome: Outcome): Side {
  if (!outcome.isGiven) {
    const { reason, identity = null } = outcome
    return { decision: 'refused', reason, identity, scope: null, lifetime_seconds: null }
  }
  const { identity, scopes, lifetimeSeconds } = outcome
  const scope = scopes.length === 0 ? null : scopes.join(' ')
  return { decision: 'issued', reason: null, identity, scope, lifetime_seconds: lifetimeSeconds }
}
