import type { Change, Difference } from '../federation/change.ts'
import { printable } from './printable.ts'

type Json = Change['old']

/** Longest value that is shown whole. */
const MAX_SHOWN = 120

/** Stands before each line, so that a reviewer finds what gives more (`+`, `>`) and what takes away (`-`, `<`). */
const MARKS: Readonly<Record<Change['change'], string>> = {
  added: '+',
  removed: '-',
  widened: '>',
  narrowed: '<',
  changed: '~',
  renamed: '~',
  moved: '~',
  suspended: '<',
  resumed: '>',
  shadowed: '<',
  unshadowed: '>',
}

/** Tells a difference in words that a reviewer reads: one line a change, and what it does to others below it. */
export function tellDifference({ old, new: next, changes }: Difference): string {
  if (changes.length === 0) {
    const same = old === next ? 'the documents are the same' : 'the documents are written differently and mean the same'
    return `nothing changes: ${same}\n`
  }
  const lines = changes.flatMap((change) => [
    `${MARKS[change.change]} ${tellSubject(change)} ${tell(change)}`,
    ...tellFallback(change),
  ])
  return [...lines, `${changes.length} ${changes.length === 1 ? 'change' : 'changes'}`, ''].join('\n')
}

function tellSubject({ kind, name, audience }: Change): string {
  if (kind === 'federation') return 'the federation:'
  const place = audience === null ? '' : kind === 'grant' ? ` at ${audience}` : `, ${audience}`
  return `${kind.replace('_', ' ')} ${name}${place}:`
}

function tell(change: Change): string {
  if (change.kind === 'binding') return tellBinding(change)
  return change.kind === 'grant' ? tellGrant(change) : tellMembers(change)
}

function tellBinding(change: Change): string {
  const { change: word, member, old, new: next } = change
  switch (word) {
    case 'added':
    case 'removed':
      return `${word}: ${tellEntry(word === 'added' ? next : old)}`
    case 'renamed':
      return `renamed: ${show(old)} until now, for the same proofs`
    case 'moved':
      return `moved: its proofs are ${show(next)}, and were ${show(old)}`
    case 'suspended':
      return 'suspended: the proofs that it decides are refused'
    case 'resumed':
      return 'resumed: the proofs that it decides are taken again'
    case 'shadowed':
      return 'in shadow now: it gives nothing, and what it would decide is recorded'
    case 'unshadowed':
      return 'in force now, after its time in shadow'
    case 'widened':
    case 'narrowed':
    case 'changed':
      return `${word}: ${member === 'match' ? tellMatches(old, next) : `${member}: ${show(old)} → ${show(next)}`}`
  }
}

function tellGrant({ change, old, new: next }: Change): string {
  if (old === null || next === null) return `${change}: ${tellTokens(next ?? old)}`
  return `${change}: ${tellList(listAt(old, 'scopes'), listAt(next, 'scopes'), lifetimeChange(old, next))}`
}

function tellMembers({ change, member: path, old, new: next }: Change): string {
  const member = path === null ? null : printable(path)
  if (member === null) return `${change}${tellWhole(old ?? next)}`
  if (change === 'suspended') return 'suspended'
  if (change === 'resumed') return 'resumed'
  if (Array.isArray(old) && Array.isArray(next)) return `${change}: ${member}: ${tellList(old, next, [])}`
  if (isRecord(old) && isRecord(next)) return `${change}: ${member}: ${tellMatches(old, next)}`
  return `${change}: ${member}: ${show(old)} → ${show(next)}`
}

function tellFallback({ kind, change, fallback }: Change): readonly string[] {
  if (kind !== 'binding') return []
  const isLosing = change === 'removed' || change === 'shadowed'
  if (fallback === null) return isLosing ? ['    no other binding takes all of its proofs'] : []
  const whose = `${fallback.identity}, by ${fallback.binding}`
  return [isLosing ? `    its proofs are ${whose} from now on` : `    its proofs were ${whose}`]
}

/** Tells each member of what came or went, but for those that hold nothing. */
function tellWhole(entry: Json): string {
  const members = Object.entries(isRecord(entry) ? entry : {}).filter(
    ([, value]) => !['{}', '[]'].includes(show(value)),
  )
  return members.length === 0 ? '' : `: ${members.map(([name, value]) => `${name} ${show(value)}`).join(', ')}`
}

function tellEntry(entry: Json): string {
  const { trusted_issuer: issuer, match, identity, suspended, mode } = isRecord(entry) ? entry : {}
  const marks = [...(suspended === true ? ['suspended'] : []), ...(mode === 'shadow' ? ['in shadow'] : [])]
  const marked = marks.length === 0 ? '' : ` (${marks.join(', ')})`
  return `${show(issuer)}, ${tellMatch(match)} → ${show(identity)}${marked}`
}

function tellMatch(match: Json | undefined): string {
  return Object.entries(isRecord(match) ? match : {})
    .map(([name, condition]) => `${name} = ${tellCondition(condition)}`)
    .join(' and ')
}

/** Tells the conditions that are not the same. */
function tellMatches(old: Json, next: Json): string {
  const [before, after] = [isRecord(old) ? old : {}, isRecord(next) ? next : {}]
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted()
  return names
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => `${name}: ${tellCondition(before[name])} → ${tellCondition(after[name])}`)
    .join('; ')
}

function tellCondition(condition: Json | undefined): string {
  if (condition === undefined) return 'anything'
  return Array.isArray(condition) ? condition.map(show).join(' or ') : show(condition)
}

function tellTokens(grant: Json): string {
  return [listAt(grant, 'scopes').map(show).join(' ') || 'no scopes', `for ${lifetimeOf(grant)} s`].join(', ')
}

function lifetimeChange(old: Json, next: Json): readonly string[] {
  const [before, after] = [lifetimeOf(old), lifetimeOf(next)]
  return before === after ? [] : [`lifetime ${before} s → ${after} s`]
}

function lifetimeOf(grant: Json): string {
  return isRecord(grant) ? show(grant.lifetime_seconds) : ''
}

function tellList(old: readonly Json[], next: readonly Json[], more: readonly string[]): string {
  const [before, after] = [old.map(show), next.map(show)]
  const added = after.filter((value) => !before.includes(value)).map((value) => `+ ${value}`)
  const removed = before.filter((value) => !after.includes(value)).map((value) => `- ${value}`)
  return [...added, ...removed, ...more].join(', ')
}

function listAt(value: Json, member: string): readonly Json[] {
  const list = isRecord(value) ? value[member] : undefined
  return Array.isArray(list) ? list : []
}

function isRecord(value: Json | undefined): value is { [member: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Shows a text as it is, and everything else as JSON, cut where it is long. */
function show(value: Json | undefined): string {
  if (value === undefined || value === null) return 'none'
  const text = typeof value === 'string' ? printable(value) : printable(JSON.stringify(value))
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}
