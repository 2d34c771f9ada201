/** What the platform document lets each team write in a document of its own. */

import type { AttributeCatalogue } from '../../providers/contract/provider.ts'
import { groupByShape, type Territory } from './bindings.ts'
import type { DelegationEntry, FederationDocument } from './document.ts'
import { type Complaint, complain, hasErrors, warn } from './finding.ts'
import { findWitness, type Match } from './match.ts'
import { asBindings, findMeetings } from './meeting.ts'
import { MAX_SHAPES, readConditions } from './read-bindings.ts'
import { findGrantComplaints, findReservedClaim, type ReadyIssuer } from './validate.ts'

/** A delegation, checked and ready to hold a team document to. */
export interface Delegation {
  readonly name: string
  readonly identityPrefix: string
  /** By trusted issuer: what every binding must lie inside. */
  readonly matches: ReadonlyMap<string, Match>
  /** The scopes that it may grant, by audience. */
  readonly grants: ReadonlyMap<string, readonly string[]>
  /** Names of the claims that it may set. */
  readonly claims: ReadonlySet<string>
}

export interface ReadDelegations {
  readonly delegations: ReadonlyMap<string, Delegation>
  readonly complaints: readonly Complaint[]
}

/**
 * Reads every delegation.
 *
 * Refuses two that could both name an identity or both bind a proof, nested or not; a match that its caller could meet at will; and
 * grants that the platform itself could not make.
 */
export function readDelegations(document: FederationDocument, issuers: readonly ReadyIssuer[]): ReadDelegations {
  const read = Object.entries(document.delegations).map(([name, entry]) => readOne(document, issuers, name, entry))
  const delegations = new Map(read.map(({ delegation }) => [delegation.name, delegation]))
  const complaints = read.flatMap(({ complaints }) => complaints)
  return {
    delegations,
    complaints: [
      ...complaints,
      ...findSharedPrefixes([...delegations.values()]),
      ...findSharedProofs(territoriesOf(delegations.values()), issuers),
    ],
  }
}

/** Gives what proofs the delegations are about, for the index. */
export function territoriesOf(delegations: Iterable<Delegation>): readonly Territory[] {
  return [...delegations].flatMap(({ name, matches }) =>
    [...matches].map(([trustedIssuer, match]) => ({ delegation: name, trustedIssuer, match })),
  )
}

function readOne(
  document: FederationDocument,
  issuers: readonly ReadyIssuer[],
  name: string,
  entry: DelegationEntry,
): { delegation: Delegation; complaints: readonly Complaint[] } {
  const path = ['delegations', name]
  const complaints: Complaint[] = []
  const matches = new Map<string, Match>()
  for (const [issuer, { match: written }] of Object.entries(entry.trusted_issuers)) {
    const at = [...path, 'trusted_issuers', issuer]
    const provider = issuers.find((candidate) => candidate.name === issuer)?.provider
    if (provider === undefined) complaints.push(...findUnknownIssuer(document, at, issuer))
    else {
      const { match, complaints: found } = readConditions(provider, [...at, 'match'], written)
      complaints.push(...found, ...findChosen([...at, 'match'], match, provider.attributes))
      if (!hasErrors(found)) matches.set(issuer, match)
    }
  }
  for (const [audience, scopes] of Object.entries(entry.grants)) {
    complaints.push(...findGrantComplaints(document, [...path, 'grants', audience], audience, scopes))
  }
  complaints.push(...entry.claims.flatMap((claim, index) => findReservedClaim([...path, 'claims', index], claim)))
  const grants = new Map(Object.entries(entry.grants))
  const claims = new Set(entry.claims)
  return { delegation: { name, identityPrefix: entry.identity_prefix, matches, grants, claims }, complaints }
}

/** One whose settings are broken has its complaint already. */
function findUnknownIssuer(document: FederationDocument, path: readonly string[], issuer: string): Complaint[] {
  if (Object.hasOwn(document.trusted_issuers, issuer)) return []
  return [complain(path, 'trusted_issuer_unknown', `${issuer} is not one of the document’s trusted issuers`)]
}

/** What the caller says of itself cannot keep teams apart. */
function findChosen(path: readonly string[], match: Match, catalogue: AttributeCatalogue): Complaint[] {
  return [...match.keys()]
    .filter((attribute) => catalogue.get(attribute)?.grade === 'caller')
    .map((attribute) => {
      const tell = catalogue.get(attribute)?.mayDecide === true ? warn : complain
      const message = `${attribute} is the caller’s to say, so that it could choose whose workload it is`
      return tell([...path, attribute], 'caller_chooses', message)
    })
}

/** Sorted, a prefix stands right before the names that it is the beginning of. */
function findSharedPrefixes(delegations: readonly Delegation[]): Complaint[] {
  const sorted = delegations.toSorted((one, other) =>
    one.identityPrefix < other.identityPrefix || (one.identityPrefix === other.identityPrefix && one.name < other.name)
      ? -1
      : 1,
  )
  const complaints: Complaint[] = []
  let outer: Delegation | undefined
  for (const delegation of sorted) {
    if (outer === undefined || !delegation.identityPrefix.startsWith(outer.identityPrefix)) outer = delegation
    else {
      const message = `${outer.name} may name every identity below ${outer.identityPrefix}, and so these: no two delegations may name one`
      complaints.push(complain(['delegations', delegation.name, 'identity_prefix'], 'delegations_overlap', message))
    }
  }
  return complaints
}

function findSharedProofs(territories: readonly Territory[], issuers: readonly ReadyIssuer[]): Complaint[] {
  const complaints: Complaint[] = []
  for (const [issuer, shapes] of groupByShape(asBindings(territories))) {
    if (shapes.length > MAX_SHAPES) {
      const message = `delegations use ${shapes.length} sets of its attributes; at most ${MAX_SHAPES} are allowed`
      complaints.push(complain(['trusted_issuers', issuer], 'shapes_too_many', message))
      continue
    }
    const catalogue = issuers.find(({ name }) => name === issuer)?.provider.attributes
    const isValue = (name: string, value: string) => catalogue?.get(name)?.isValue(value) === true
    complaints.push(
      ...findMeetings(shapes).map(({ one, other }) => {
        const path = ['delegations', other.name, 'trusted_issuers', issuer, 'match']
        const message = `${one.name} and ${other.name} may both bind some proofs: make their matches disjoint`
        const witness = findWitness(one.match, other.match, isValue) ?? {}
        return { ...complain(path, 'delegations_overlap', message), witness }
      }),
    )
  }
  return complaints
}
