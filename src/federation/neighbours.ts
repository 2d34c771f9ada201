/** Proves that no proof is matched by bindings of two documents, nor would be but for what its caller says of itself. */

import type { AttributeCatalogue } from '../../providers/contract/provider.ts'
import type { Binding, Territory } from './bindings.ts'
import { type Complaint, complain, warn } from './finding.ts'
import { findWitness } from './match.ts'
import { asBindings, type Meeting, meetingsBetween } from './meeting.ts'
import { MAX_PAIRS } from './overlap.ts'
import type { ReadyIssuer } from './validate.ts'

/** More than this many would only say the same again. */
const MAX_CROSSINGS = 100

export interface Neighbours {
  /** Says that too many of the platform's bindings reach into too many delegations for anybody to look at. */
  readonly complaints: readonly Complaint[]
  /** Says where a team's bindings, all of which lie inside its delegation, meet the platform's. The team's are to blame. */
  findCrossings(delegation: string, bindings: readonly Binding[]): readonly Complaint[]
}

/**
 * Prepares the proof for all delegations at once: only those bindings of the platform that reach into a delegation can meet what
 * its team binds, so that each team is compared with those few.
 */
export function createNeighbours(
  bindings: readonly Binding[],
  territories: readonly Territory[],
  issuers: readonly ReadyIssuer[],
): Neighbours {
  const catalogues = new Map(issuers.map(({ name, provider }) => [name, provider.attributes]))
  const strip = (binding: Binding): Binding => withoutCallers(binding, catalogues.get(binding.trustedIssuer))
  const byDelegation = new Map<string, Map<Binding, Binding>>()
  const stripped = new Map(territories.length === 0 ? [] : bindings.map((binding) => [strip(binding), binding]))
  let pairs = 0
  for (const { one, other } of meetingsBetween(asBindings(territories).map(strip), stripped.keys())) {
    if (++pairs > MAX_PAIRS) break
    const neighbours = byDelegation.get(one.name) ?? new Map<Binding, Binding>()
    byDelegation.set(one.name, neighbours)
    neighbours.set(other, stripped.get(other) ?? other)
  }
  return {
    complaints: pairs > MAX_PAIRS ? [unproven(['delegations'])] : [],
    findCrossings(delegation, own) {
      const neighbours = byDelegation.get(delegation) ?? new Map<Binding, Binding>()
      const mine = new Map(own.map((binding) => [strip(binding), binding]))
      const complaints = new Map<string, Complaint>()
      let met = 0
      for (const meeting of meetingsBetween(mine.keys(), neighbours.keys())) {
        if (++met > MAX_PAIRS) return [unproven(['bindings'])]
        const one = mine.get(meeting.one) ?? meeting.one
        const other = neighbours.get(meeting.other) ?? meeting.other
        const key = JSON.stringify([one.name, other.name])
        if (complaints.has(key)) continue
        const complaint = judge({ one, other }, catalogues.get(one.trustedIssuer))
        const isFull = complaints.size >= MAX_CROSSINGS
        // However many warnings there are, an error is looked for.
        if (isFull && complaint.severity === 'warning') continue
        complaints.set(key, complaint)
        if (isFull) break
      }
      return [...complaints.values()]
    },
  }
}

function unproven(path: readonly string[]): Complaint {
  const message = `they meet the platform document’s bindings in more than ${MAX_PAIRS} pairs, too many to look at`
  return complain(path, 'overlap_unproven', message)
}

/** The same binding for any caller; the very same where it asks for nothing that a caller may choose. */
function withoutCallers(binding: Binding, catalogue: AttributeCatalogue | undefined): Binding {
  const isCallers = (name: string): boolean => catalogue?.get(name)?.grade === 'caller'
  if (![...binding.match.keys()].some(isCallers)) return binding
  return { ...binding, match: new Map([...binding.match].filter(([name]) => !isCallers(name))) }
}

function judge({ one, other }: Meeting, catalogue: AttributeCatalogue | undefined): Complaint {
  const path = ['bindings', one.name]
  if (findWitness(one.match, other.match, () => true) !== undefined) {
    const isValue = (name: string, value: string) => catalogue?.get(name)?.isValue(value) === true
    const message = `${one.name} and ${other.name} of the platform document both match some proofs`
    const witness = findWitness(one.match, other.match, isValue) ?? {}
    return { ...complain(path, 'documents_overlap', message), witness }
  }
  const attributes = [...new Set([...one.match.keys(), ...other.match.keys()])].filter(
    (name) => catalogue?.get(name)?.grade === 'caller',
  )
  const tell = attributes.every((name) => catalogue?.get(name)?.mayDecide === true) ? warn : complain
  const message = `only ${attributes.sort().join(' and ')} tells ${one.name} from ${other.name} of the platform document, and that is the caller’s to say`
  return tell(path, 'caller_chooses', message)
}
