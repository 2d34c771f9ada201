import { REASON_MEANINGS } from '../audit/reason-meanings.ts'
import type { Decision, Explanation, Matched, NearMiss, Obstacle } from '../federation/explain.ts'
import type { TemplateFault } from '../federation/template.ts'
import type { Account, Trouble } from './explain-account.ts'
import type { Recorded } from './find-record.ts'
import { onOneLine } from './printable.ts'

/** Tells an account in words that read well at three in the morning. */
export function tellAccount(account: Account): string {
  const { document, recorded, source, attributes, unknown, trouble, explanations } = account
  const pairs = Object.entries(attributes)
  return [
    ...(recorded === null ? [] : tellRecorded(recorded)),
    ...(source === 'unverified proof' ? [tellUnverified(trouble)] : []),
    ...(pairs.length === 0
      ? []
      : [`attributes (${source}):`, ...pairs.map(([name, value]) => `  ${name} = ${show(value)}`)]),
    ...unknown.map((name) => `such proofs have no attribute ${show(name)}: is it spelt right?`),
    ...(trouble === null ? [] : tellTrouble(trouble)),
    ...explanations.flatMap((explanation) => tellExplanation(explanation)),
    `document: ${document}`,
    '',
  ]
    .map(onOneLine)
    .join('\n')
}

function tellUnverified(trouble: Trouble | null): string {
  return trouble === null
    ? 'UNVERIFIED: the signature was not checked; add --verify to check it'
    : 'UNVERIFIED: anybody may have written what this proof says'
}

function tellRecorded(recorded: Recorded): readonly string[] {
  const { time, decision, reason, binding, identity, document, shadow, audience, scope } = recorded
  const by = binding === null ? '' : ` (by ${binding})`
  const outcome = decision === 'issued' ? `issued to ${identity} by ${binding}` : `refused: ${reason}${by}`
  const tried =
    shadow === undefined ? [] : [`  in shadow, ${shadow.binding}: ${shadow.reason ?? `issued to ${shadow.identity}`}`]
  const scopes = scope === null ? '' : `: ${scope.split(' ').map(show).join(' ')}`
  const target =
    audience === null ? [] : [`  ${decision === 'issued' ? 'for' : 'asked for'} ${show(audience)}${scopes}`]
  return [`recorded at ${time}: ${outcome}, under ${document ?? 'no document'}`, ...target, ...tried]
}

function tellTrouble({ reason, meaning, facts }: Trouble): readonly string[] {
  const known = Object.entries(facts).map(([name, value]) => `  ${name}: ${show(String(value))}`)
  return [`refused: ${reason}`, `  ${meaning}`, ...known]
}

function tellExplanation(explanation: Explanation): readonly string[] {
  const { trusted_issuer: issuer, issuer_suspended: isSuspended, binding, entry, beaten, shadow } = explanation
  const decided = binding === null || entry === null ? undefined : { ...explanation, binding, entry }
  return [
    ...(isSuspended ? [`${issuer}: SUSPENDED: every proof of it is refused, whatever its bindings say`] : []),
    ...(decided === undefined ? tellNearest(explanation) : tellDecision(issuer, decided)),
    ...(beaten.length === 0 ? [] : [`  narrower than ${beaten.map(tellMatched).join(', ')}`]),
    ...(shadow === null ? [] : tellDecision('  in shadow', shadow).map((line, at) => (at === 0 ? line : `  ${line}`))),
  ]
}

function tellNearest({ trusted_issuer: issuer, nearest, shadow }: Explanation): readonly string[] {
  const none = `${issuer}: no binding ${shadow === null ? 'matches' : 'in force matches'}`
  if (nearest.length > 0) return [`${none}; the nearest:`, ...nearest.map(tellNearMiss)]
  return shadow === null ? [none, '  it has no bindings at all'] : [none]
}

function tellDecision(head: string, decision: Decision): readonly string[] {
  const { binding, identity, template, entry, grants, obstacle, alike } = decision
  const may = Object.entries(grants).map(
    ([audience, scopes]) => `  may have ${audience}: ${scopes.join(' ') || 'no scopes'}`,
  )
  const nothing = obstacle === null && may.length === 0 ? [`  may have nothing: ${entry} has no grants`] : []
  return [
    `${head}: ${binding} matches: ${obstacle === null ? `identity ${identity}` : `REFUSED: ${obstacle.reason}`}`,
    ...(obstacle === null ? [] : tellObstacle(obstacle, decision)),
    ...(template === null || identity === null
      ? []
      : [`  ${identity} is made from ${template}, and may have what ${entry} may`]),
    ...(alike.length === 0 ? [] : [`  as narrow, and of the same identity: ${alike.map(tellMatched).join(', ')}`]),
    ...may,
    ...nothing,
  ]
}

function tellObstacle({ reason, suspended, fault }: Obstacle, { identity, template }: Decision): readonly string[] {
  const cause = suspended.length === 0 ? [] : [`  suspended: ${suspended.join(', ')}`]
  const named = identity === null ? [] : [`  the identity would be ${identity}`]
  const broken = fault === null ? [] : [`  ${template} makes no name: ${tellFault(fault)}`]
  return [`  ${REASON_MEANINGS[reason]}`, ...cause, ...named, ...broken]
}

function tellFault({ attribute, found, why }: TemplateFault): string {
  const value = `${attribute} is ${show(found ?? '')}`
  switch (why) {
    case 'missing':
      return `the proof has no ${attribute}`
    case 'no_segment':
      return `${value}, and a segment is a-z, 0-9, ".", "_" and "-", at most 63 of them, a letter or digit first`
    case 'too_long':
      return `${value}, which makes it longer than 255 characters`
  }
}

function tellMatched({ binding, is_suspended: isSuspended, is_shadow: isShadow }: Matched): string {
  const marks = [...(isShadow ? ['in shadow'] : []), ...(isSuspended ? ['suspended'] : [])]
  return marks.length === 0 ? binding : `${binding} (${marks.join(', ')})`
}

function tellNearMiss(miss: NearMiss): string {
  const { attribute, expected, found } = miss
  const wanted = expected.length === 1 ? `must be ${expected[0]}` : `must be one of ${expected.join(', ')}`
  const had = found === null ? 'the proof has none' : `the proof has ${show(found)}`
  return `  ${tellMatched(miss)}: ${attribute} ${wanted}, and ${had}`
}

/** Shows a value as it is where every character can be seen; else what cannot be told apart, or is not to be seen, is escaped. */
function show(value: string): string {
  if (/^[\x21-\x7e]+$/.test(value)) return value
  return JSON.stringify(value).replaceAll(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
