/** Proves a team document against the platform's: whatever is wrong between the two, the team's is the broken one. */

import type { Binding } from './bindings.ts'
import type { Delegation } from './delegation.ts'
import type { BindingEntry, FederationDocument, IdentityEntry, TeamDocument } from './document.ts'
import { type Complaint, complain, hasErrors } from './finding.ts'
import { findNestedIdentities } from './identity-entries.ts'
import { isContained, type Match, spellCondition } from './match.ts'
import type { Platform } from './prove-platform.ts'
import { findChoiceComplaints, findOverlapComplaints, readBindings } from './read-bindings.ts'
import { findUntakenValues } from './untaken-values.ts'
import { findIdentityComplaints } from './validate.ts'

/** What a team's document adds. Relied on only where nothing is wrong with it. */
export interface ProvenTeam {
  readonly bindings: readonly Binding[]
  readonly complaints: readonly Complaint[]
}

/**
 * Proves a team's document within its delegation: that it names, binds and grants nothing beyond it, that it meets no binding and
 * no name of the platform's, and all that must be true of any document. Two teams cannot meet, as their delegations do not.
 */
export function proveTeam(team: TeamDocument, delegation: Delegation, platform: Platform): ProvenTeam {
  const document: FederationDocument = {
    ...platform.document,
    identities: team.identities,
    bindings: team.bindings,
    delegations: {},
  }
  const { bindings, complaints: bindingComplaints } = readBindings(document, platform.issuers)
  const own = [
    ...findOutsideIdentities(team, delegation, platform),
    ...findIdentityComplaints(document),
    ...findNestedIdentities(document),
    ...findOutsideIssuers(team, delegation, platform.document),
    ...findOutsideMatches(bindings, delegation),
    ...bindingComplaints,
    ...findUntakenValues(team.bindings, platform.issuers),
    ...findOverlapComplaints(bindings, platform.issuers).map(pointIntoTeam),
    ...findChoiceComplaints(bindings, platform.issuers),
  ]
  const complaints = hasErrors(own) ? own : [...own, ...platform.neighbours.findCrossings(delegation.name, bindings)]
  return { bindings: bindings.map((binding) => qualify(binding, delegation.name)), complaints }
}

/** Teams name their bindings as they like, so that the whole federation knows them by both names. A name has no colon. */
function qualify(binding: Binding, delegation: string): Binding {
  return { ...binding, name: `${delegation}:${binding.name}`, delegation }
}

function findOutsideIdentities(team: TeamDocument, delegation: Delegation, { document, names }: Platform): Complaint[] {
  return Object.entries(team.identities).flatMap(([name, identity]) => {
    const path = ['identities', name]
    const complaints = [
      ...findOutsideGrants(path, identity, delegation, document),
      ...findOutsideClaims(path, identity, delegation),
    ]
    if (!name.startsWith(delegation.identityPrefix)) {
      const message = `identities of ${delegation.name} are named ${delegation.identityPrefix}…`
      complaints.push(complain(path, 'identity_outside_delegation', message))
    }
    const taken = names.find(name)
    if (taken !== undefined) {
      const message = `the platform document has ${taken}: no name may be given by two documents`
      complaints.push(complain(path, 'identity_taken', message))
    }
    return complaints
  })
}

/** A grant of what nobody declares has its complaint already. */
function findOutsideGrants(
  path: readonly string[],
  { grants }: IdentityEntry,
  delegation: Delegation,
  { audiences }: FederationDocument,
): Complaint[] {
  return Object.entries(grants).flatMap(([audience, scopes]) => {
    const at = [...path, 'grants', audience]
    const allowed = delegation.grants.get(audience)
    if (allowed === undefined) {
      if (!Object.hasOwn(audiences, audience)) return []
      return [complain(at, 'audience_outside_delegation', `${delegation.name} may not grant ${audience}`)]
    }
    return scopes.flatMap((scope, index) => {
      const isDeclared = Object.hasOwn(audiences, audience) && audiences[audience]?.scopes?.includes(scope) === true
      if (allowed.includes(scope) || !isDeclared) return []
      return [complain([...at, index], 'scope_outside_delegation', `${delegation.name} may not grant ${scope}`)]
    })
  })
}

function findOutsideClaims(
  path: readonly string[],
  { claims = {} }: IdentityEntry,
  delegation: Delegation,
): Complaint[] {
  return Object.keys(claims)
    .filter((claim) => !delegation.claims.has(claim))
    .map((claim) =>
      complain([...path, 'claims', claim], 'claim_outside_delegation', `${delegation.name} may not set ${claim}`),
    )
}

function findOutsideIssuers(team: TeamDocument, delegation: Delegation, document: FederationDocument): Complaint[] {
  const isOutside = ({ trusted_issuer: issuer }: BindingEntry): boolean =>
    Object.hasOwn(document.trusted_issuers, issuer) && !delegation.matches.has(issuer)
  return Object.entries(team.bindings)
    .filter(([, entry]) => isOutside(entry))
    .map(([name, { trusted_issuer: issuer }]) =>
      complain(
        ['bindings', name, 'trusted_issuer'],
        'trusted_issuer_outside_delegation',
        `${delegation.name} may not bind proofs of ${issuer}`,
      ),
    )
}

function findOutsideMatches(bindings: readonly Binding[], delegation: Delegation): Complaint[] {
  return bindings.flatMap(({ name, trustedIssuer, match }) =>
    findOutsideConditions(match, delegation.matches.get(trustedIssuer) ?? new Map()).map((attribute) => {
      const condition = delegation.matches.get(trustedIssuer)?.get(attribute)
      const allowed = condition === undefined ? '' : spellCondition(condition).join(' or ')
      const message = `bindings of ${delegation.name} must have ${attribute} ${allowed}, or less`
      return complain(
        ['bindings', name, 'match', ...(match.has(attribute) ? [attribute] : [])],
        'match_outside_delegation',
        message,
      )
    }),
  )
}

function findOutsideConditions(match: Match, around: Match): readonly string[] {
  return [...around].flatMap(([name, condition]) => (isContained(match, new Map([[name, condition]])) ? [] : [name]))
}

/** A team's document has no trusted issuers to point at. */
function pointIntoTeam(complaint: Complaint): Complaint {
  return complaint.path[0] === 'trusted_issuers' ? { ...complaint, path: ['bindings'] } : complaint
}
