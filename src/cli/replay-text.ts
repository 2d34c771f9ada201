import { printable } from './printable.ts'
import { EFFECTS, type Effect, type ReplayGroup, type ReplayReport } from './replay-report.ts'

/** Groups of one effect that are told; `--json` has all that are kept. */
const MAX_TOLD = 50

/** Tells a replay: first how many gain, lose or change, then who they are. */
export function tellReplay(report: ReplayReport): string {
  const { decisions, from, to, groups, ungrouped } = report
  const span = from === null ? 'no records' : `from ${from} to ${to}`
  return [
    `${count(decisions.replayed, 'decision')} replayed, ${span}: ${decisions.unchanged} ${decisions.unchanged === 1 ? 'is as it was' : 'are as they were'}`,
    ...EFFECTS.map((effect) => tellCount(effect, report)),
    ...EFFECTS.flatMap((effect) => tellGroups(groups.filter((group) => group.effect === effect))).map(printable),
    ...(ungrouped === 0
      ? []
      : [
          `${count(ungrouped, 'decision')} more ${ungrouped === 1 ? 'is' : 'are'} counted above, and not gathered: there are too many groups`,
        ]),
    ...tellSkipped(report.skipped),
    '',
  ].join('\n')
}

const VERBS: Readonly<Record<Effect, readonly [string, string]>> = {
  loses: ['loses access', 'lose access'],
  changes: ['changes', 'change'],
  gains: ['gains', 'gain'],
}

function tellCount(effect: Effect, { groups, decisions }: ReplayReport): string {
  const kept = groups.filter((group) => group.effect === effect)
  const workloads = new Set(kept.map(({ trusted_issuer: issuer, workload }) => JSON.stringify([issuer, workload])))
  const isCut = kept.reduce((sum, group) => sum + group.count, 0) < decisions[effect]
  const [one, many] = VERBS[effect]
  const few = workloads.size === 1 ? `workload ${one}` : `workloads ${many}`
  return `  ${isCut ? 'at least ' : ''}${workloads.size} ${few} (${count(decisions[effect], 'decision')})`
}

function tellGroups(groups: readonly ReplayGroup[]): readonly string[] {
  const more = groups.length - MAX_TOLD
  return [...groups.slice(0, MAX_TOLD).flatMap(tellGroup), ...(more > 0 ? [`  and ${more} more such groups`] : [])]
}

function tellGroup(group: ReplayGroup): readonly string[] {
  const { effect, trusted_issuer: issuer, workload, audience, last, example_request_id: example } = group
  const who = Object.entries(workload).map(([name, value]) => `${name} = ${value}`)
  const where = audience === null ? '' : ` at ${audience}`
  return [
    '',
    `${effect}: ${issuer}, ${who.join(', ')}${where}`,
    ...tellChanges(group),
    `    ${count(group.count, 'time')}, last at ${last}, such as ${example}`,
  ]
}

function tellChanges({ changes, old, new: next }: ReplayGroup): readonly string[] {
  const told = {
    access: `was ${tellSide(old)}, would be ${tellSide(next)}`,
    identity: `was ${old.identity}, would be ${next.identity}`,
    scopes: `had ${old.scope ?? 'no scopes'}, would have ${next.scope ?? 'no scopes'}`,
    lifetime: `had ${old.lifetime_seconds} s, would have ${next.lifetime_seconds} s`,
  }
  return changes.map((aspect) => `    ${told[aspect]}`)
}

function tellSide({ reason, identity, scope }: ReplayGroup['old']): string {
  return reason === null ? `${identity}${scope === null ? '' : ` with ${scope}`}` : `refused (${reason})`
}

function tellSkipped(skipped: ReplayReport['skipped']): readonly string[] {
  const told = [
    [skipped.unverified, 'refusal', 'of a proof that was never verified'],
    [skipped.not_of_mapping, 'refusal', 'that no document would have changed'],
    [skipped.incomplete, 'record', 'without all that was asked for'],
    [skipped.unreadable, 'line', 'without a record'],
  ] as const
  const lines = told.filter(([number]) => number > 0).map(([number, noun, what]) => `  ${count(number, noun)} ${what}`)
  const torn = skipped.torn ? ['  the last record, which breaks off'] : []
  return lines.length + torn.length === 0 ? [] : ['', 'left out:', ...lines, ...torn]
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
