import type { Explanation, NearMiss } from '../federation/explain.ts'
import type { Account, Recorded, Trouble } from './explain-account.ts'

/** Tells an account in words that read well at three in the morning. */
export function tellAccount({ document, recorded, source, attributes, trouble, explanations }: Account): string {
  const pairs = Object.entries(attributes)
  return [
    ...(recorded === null ? [] : [tellRecorded(recorded)]),
    ...(source === 'unverified proof' ? ['UNVERIFIED: the signature was not checked; add --verify to check it'] : []),
    ...(pairs.length === 0 ? [] : [`attributes (${source}):`, ...pairs.map(([name, value]) => `  ${name} = ${value}`)]),
    ...(trouble === null ? [] : tellTrouble(trouble)),
    ...explanations.flatMap((explanation) => tellExplanation(explanation)),
    `document: ${document}`,
    '',
  ].join('\n')
}

function tellRecorded({ time, decision, reason, binding, identity, document }: Recorded): string {
  const outcome = decision === 'issued' ? `issued to ${identity} by ${binding}` : `refused: ${reason}`
  return `recorded at ${time}: ${outcome}, under ${document ?? 'no document'}`
}

function tellTrouble({ reason, meaning, facts }: Trouble): readonly string[] {
  const known = Object.entries(facts).map(([name, value]) => `  ${name}: ${value}`)
  return [`refused: ${reason}`, `  ${meaning}`, ...known]
}

function tellExplanation(explanation: Explanation): readonly string[] {
  const { trusted_issuer: issuer, binding, identity, grants, beaten, nearest } = explanation
  if (binding === null) {
    const missed = nearest.length === 0 ? ['  it has no bindings at all'] : nearest.map(tellNearMiss)
    return [`${issuer}: no binding matches${nearest.length === 0 ? '' : '; the nearest:'}`, ...missed]
  }
  const may = Object.entries(grants).map(
    ([audience, scopes]) => `  may have ${audience}: ${scopes.join(' ') || 'no scopes'}`,
  )
  const wider = beaten.length === 0 ? [] : [`  narrower than ${beaten.join(', ')}`]
  return [`${issuer}: ${binding} matches: identity ${identity}`, ...wider, ...may]
}

function tellNearMiss({ binding, attribute, expected, found }: NearMiss): string {
  const wanted = expected.length === 1 ? `must be ${expected[0]}` : `must be one of ${expected.join(', ')}`
  const had = found === null ? 'the proof has none' : `the proof has ${found}`
  return `  ${binding}: ${attribute} ${wanted}, and ${had}`
}
