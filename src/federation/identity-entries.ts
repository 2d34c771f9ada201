/** The names in `identities`: each stands for itself, or as `preview/*` for every name below it that a template makes. */

import type { FederationDocument } from './document.ts'
import { type Complaint, complain } from './finding.ts'
import { fixedSegments, isTemplate } from './template.ts'

type Identities = FederationDocument['identities']

/**
 * Gives the entry that a binding's identity is given by; undefined where there is none. A template takes an entry for all names
 * below a path, whole within its fixed segments; a plain name takes none but its own.
 */
export function findIdentityEntry(identities: Identities, identity: string): string | undefined {
  if (!isTemplate(identity)) return Object.hasOwn(identities, identity) ? identity : undefined
  return patternsAbove(identities, fixedSegments(identity)).at(0)
}

/**
 * Says where a name stands below `preview/*`: a template could make it, and whoever can choose a value could become it. So no
 * name is given by two entries, whichever way it comes about.
 */
export function findNestedIdentities({ identities }: Pick<FederationDocument, 'identities'>): readonly Complaint[] {
  const names = Object.keys(identities)
  if (!names.some((name) => name.endsWith('/*'))) return []
  return names.flatMap((name) => {
    const [pattern] = patternsAbove(identities, name.split('/').slice(0, -1)).filter((above) => above !== name)
    if (pattern === undefined) return []
    const message = `${name} lies below ${pattern}, so that a template could give it to somebody else: move one of them`
    return [complain(['identities', name], 'identity_nested', message)]
  })
}

function patternsAbove(identities: Identities, segments: readonly string[]): readonly string[] {
  return segments
    .map((_, index) => `${segments.slice(0, index + 1).join('/')}/*`)
    .filter((pattern) => Object.hasOwn(identities, pattern))
}
