/** Finds what bindings ask for and the settings of their trusted issuer rule out: such a binding would only ever be refused. */

import { canonical } from './canonical.ts'
import type { BindingEntry } from './document.ts'
import { type Complaint, warn } from './finding.ts'
import type { ReadyIssuer } from './validate.ts'

/** Says, as a warning, which exact values no proof can have that the trusted issuer takes: an account that it does not name, say. */
export function findUntakenValues(
  bindings: Readonly<Record<string, BindingEntry>>,
  issuers: readonly ReadyIssuer[],
): readonly Complaint[] {
  const choosy = new Map(
    issuers.filter(({ provider }) => provider.takesValue !== undefined).map((issuer) => [issuer.name, issuer]),
  )
  if (choosy.size === 0) return []
  return Object.entries(bindings).flatMap(([name, { trusted_issuer: issuer, match }]) => {
    const trusted = choosy.get(issuer)
    if (trusted === undefined) return []
    return Object.entries(match).flatMap(([attribute, condition]) => {
      const value = [condition].flat().find((each) => !isTaken(trusted, attribute, each))
      if (value === undefined) return []
      const message = `${issuer} takes no proof that has ${value}, so that this never matches by it`
      return [warn(['bindings', name, 'match', attribute], 'value_not_taken', message)]
    })
  })
}

function isTaken({ provider, settings }: ReadyIssuer, attribute: string, value: string): boolean {
  if (value.endsWith('*')) return true
  const spelled = canonical(provider.attributes.get(attribute), value)
  return provider.takesValue?.(settings, attribute, spelled) !== false
}
