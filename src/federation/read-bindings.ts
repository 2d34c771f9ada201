/** Makes ready bindings of the document's, and says what is wrong with any. */

import type { AttributeDescription, VerifierProvider } from '../../providers/contract/provider.ts'
import { type Binding, groupByShape, type Shape } from './bindings.ts'
import { type CallerChoice, findCallerChoices } from './caller-choice.ts'
import { canonical } from './canonical.ts'
import type { BindingEntry, FederationDocument } from './document.ts'
import { type Complaint, complain, hasErrors, warn } from './finding.ts'
import { findIdentityEntry } from './identity-entries.ts'
import { findWitness, type Match, parseCondition } from './match.ts'
import { findOverlaps, MAX_PAIRS, type Overlap } from './overlap.ts'
import { findTemplateComplaints } from './read-template.ts'
import { isTemplate } from './template.ts'
import type { ReadyIssuer } from './validate.ts'

/** Sets of attributes, with the lengths of their prefixes, that one trusted issuer's bindings may use: each costs a lookup a probe. */
export const MAX_SHAPES = 64

/** Bindings of one identity that may match one proof by the same attributes, as a lookup weighs each against the others. */
export const MAX_IN_CELL = 8

/** Combinations of values that one binding's lists may make. */
export const MAX_CELLS = 1_024

/** Combinations of all: each is an entry of the index, and what would not fit into memory is not even proved. */
const MAX_ALL_CELLS = 1_000_000

/** Longest value of a condition. */
export const MAX_VALUE_LENGTH = 512

type Provider = VerifierProvider<unknown>

/**
 * Reads every binding.
 *
 * Refuses a condition on an attribute or value that the platform never sends, a prefix that is not separated or not allowed, a
 * binding without its pins, and a template that its caller could steer. Whether any two overlap is for {@link findOverlapComplaints}.
 */
export function readBindings(
  document: FederationDocument,
  issuers: readonly ReadyIssuer[],
): { bindings: readonly Binding[]; complaints: readonly Complaint[] } {
  const providers = new Map(issuers.map((issuer) => [issuer.name, issuer.provider]))
  const complaints: Complaint[] = []
  const bindings: Binding[] = []
  for (const [name, entry] of Object.entries(document.bindings)) {
    const path = ['bindings', name]
    complaints.push(...findReferenceComplaints(document, path, entry))
    const provider = providers.get(entry.trusted_issuer)
    if (provider === undefined) continue
    const { match, complaints: found } = readMatch(provider, [...path, 'match'], entry.match)
    complaints.push(...found, ...findTemplateComplaints(provider, [...path, 'identity'], entry.identity, match))
    if (!hasErrors(found)) bindings.push(toBinding(name, entry, match, document))
  }
  const cells = bindings.reduce((sum, { match }) => sum + countCells(match), 0)
  if (cells <= MAX_ALL_CELLS) return { bindings, complaints }
  const message = `the lists of all bindings make ${cells} combinations; at most ${MAX_ALL_CELLS} are allowed`
  return { bindings: [], complaints: [...complaints, complain(['bindings'], 'bindings_too_large', message)] }
}

function toBinding(name: string, entry: BindingEntry, match: Match, document: FederationDocument): Binding {
  return {
    name,
    trustedIssuer: entry.trusted_issuer,
    match,
    identity: entry.identity,
    entry: findIdentityEntry(document.identities, entry.identity) ?? entry.identity,
    isSuspended: entry.suspended ?? false,
    isShadow: entry.mode === 'shadow',
  }
}

/** Proves that no two identities can claim one proof, and that each trusted issuer's lookups stay cheap; or says where not. */
export function findOverlapComplaints(
  bindings: readonly Binding[],
  issuers: readonly ReadyIssuer[],
): readonly Complaint[] {
  const providers = new Map(issuers.map((issuer) => [issuer.name, issuer.provider]))
  const complaints: Complaint[] = []
  for (const [issuer, shapes] of groupByShape(bindings)) {
    if (shapes.length > MAX_SHAPES) {
      const message = `its bindings use ${shapes.length} sets of attributes; at most ${MAX_SHAPES} are allowed`
      complaints.push(complain(['trusted_issuers', issuer], 'shapes_too_many', message))
      continue
    }
    const isValue = (name: string, value: string) =>
      providers.get(issuer)?.attributes.get(name)?.isValue(value) === true
    const { overlaps, isComplete } = findOverlaps(shapes)
    complaints.push(...findCrowds(shapes), ...overlaps.map((overlap) => toComplaint(overlap, isValue)))
    if (!isComplete) {
      const message =
        overlaps.length === 0
          ? `its bindings meet in more than ${MAX_PAIRS} pairs, too many to look at: let fewer of them match one proof`
          : `its bindings are not all looked at: mend the ${overlaps.length} overlaps that are told`
      complaints.push(complain(['trusted_issuers', issuer], 'overlap_unproven', message))
    }
  }
  return complaints
}

/** Proves that no caller can choose between identities by what it says of itself; or says where it can. */
export function findChoiceComplaints(
  bindings: readonly Binding[],
  issuers: readonly ReadyIssuer[],
): readonly Complaint[] {
  const byIssuer = Map.groupBy(bindings, ({ trustedIssuer }) => trustedIssuer)
  return issuers.flatMap(({ name, provider }) =>
    findCallerChoices(byIssuer.get(name) ?? [], provider.attributes).map(toChoiceComplaint),
  )
}

function toChoiceComplaint({ one, other, attributes, isAllowed }: CallerChoice): Complaint {
  const path = ['bindings', other.name]
  const conditions = attributes.join(' and ')
  if (one.identity === other.identity) {
    const [suspended, open] = one.isSuspended ? [one, other] : [other, one]
    const message = `${suspended.name} is suspended and ${open.name} is not, and only ${conditions} tells them apart, which is the caller’s to say: suspend both`
    return warn(path, 'suspension_evadable', message)
  }
  const message = `only ${conditions} tells ${one.name} (${one.identity}) from ${other.name} (${other.identity}), and that is the caller’s to say`
  return (isAllowed ? warn : complain)(path, 'caller_chooses', message)
}

function findReferenceComplaints(
  document: FederationDocument,
  path: readonly string[],
  entry: BindingEntry,
): Complaint[] {
  const complaints: Complaint[] = []
  if (!Object.hasOwn(document.trusted_issuers, entry.trusted_issuer)) {
    const message = `${entry.trusted_issuer} is not one of the document’s trusted issuers`
    complaints.push(complain([...path, 'trusted_issuer'], 'trusted_issuer_unknown', message))
  }
  if (findIdentityEntry(document.identities, entry.identity) === undefined) {
    const message = isTemplate(entry.identity)
      ? `${entry.identity} needs an entry of identities for all names below its fixed segments, such as "preview/*"`
      : `${entry.identity} is not one of the document’s identities`
    complaints.push(complain([...path, 'identity'], 'identity_unknown', message))
  }
  return complaints
}

function readMatch(
  provider: Provider,
  path: readonly string[],
  entry: BindingEntry['match'],
): { match: Match; complaints: readonly Complaint[] } {
  const { match, complaints } = readConditions(provider, path, entry)
  if (hasErrors(complaints)) return { match, complaints }
  return { match, complaints: [...complaints, ...findPinComplaints(provider, path, match)] }
}

/** Reads conditions that pin nothing yet. Refuses what no proof of the platform could meet, and lists that multiply too far. */
export function readConditions(
  provider: Provider,
  path: readonly string[],
  entry: BindingEntry['match'],
): { match: Match; complaints: readonly Complaint[] } {
  const match = new Map<string, NonNullable<ReturnType<typeof parseCondition>>>()
  const complaints: Complaint[] = []
  for (const [name, written] of Object.entries(entry)) {
    const at = [...path, name]
    const attribute = provider.attributes.get(name)
    if (attribute === undefined) {
      const known = [...provider.attributes.keys()].join(', ')
      complaints.push(
        complain(at, 'attribute_unknown', `${provider.name} proofs have no such attribute; they have ${known}`),
      )
      continue
    }
    const value =
      typeof written === 'string' ? canonical(attribute, written) : written.map((text) => canonical(attribute, text))
    complaints.push(...findValueComplaints(at, attribute, value))
    if (attribute.caution !== undefined) complaints.push(warn(at, 'attribute_cautioned', attribute.caution))
    const condition = parseCondition(value)
    if (condition !== undefined) match.set(name, condition)
  }
  if (hasErrors(complaints)) return { match, complaints }
  return { match, complaints: [...complaints, ...findSizeComplaints(path, match)] }
}

function findValueComplaints(
  path: readonly string[],
  attribute: AttributeDescription,
  value: string | readonly string[],
): Complaint[] {
  const condition = parseCondition(value)
  if (condition === undefined) {
    const message = 'a "*" may only stand alone at the end of one prefix, after "-", ".", "_" or "/"'
    return [complain(path, 'prefix_malformed', message)]
  }
  if (condition.kind === 'prefix' && !attribute.prefix) {
    return [complain(path, 'prefix_not_allowed', 'this attribute takes exact values only')]
  }
  const examples = condition.kind === 'exact' ? condition.values : [`${condition.prefix}x`]
  const impossible = examples.find((example) => example.length > MAX_VALUE_LENGTH || !attribute.isValue(example))
  if (impossible === undefined) return []
  return [complain(path, 'value_impossible', `${JSON.stringify(impossible)} can never be ${attribute.meaning}`)]
}

function findPinComplaints(provider: Provider, path: readonly string[], match: Match): Complaint[] {
  if (provider.pins.some((pin) => pin.every((name) => match.has(name)))) return []
  const pins = provider.pins.map((pin) => pin.join(' and ')).join(', or ')
  const message = `a stranger with the same issuer could satisfy this binding: it must fix ${pins}`
  return [complain(path, 'pin_missing', message)]
}

function findSizeComplaints(path: readonly string[], match: Match): Complaint[] {
  const conditions = [...match.values()]
  if (conditions.filter((condition) => condition.kind === 'prefix').length > 1) {
    return [complain(path, 'prefix_repeated', 'a binding may have one prefix')]
  }
  const cells = countCells(match)
  if (cells <= MAX_CELLS) return []
  return [complain(path, 'match_too_large', `the lists make ${cells} combinations; at most ${MAX_CELLS} are allowed`)]
}

function countCells(match: Match): number {
  return [...match.values()].reduce(
    (product, condition) => product * (condition.kind === 'exact' ? condition.values.length : 1),
    1,
  )
}

/** Lists of one identity may share a value, but not so often that a lookup's cost grows with them. */
function findCrowds(shapes: readonly Shape[]): Complaint[] {
  return shapes.flatMap(({ cells }) => {
    for (const [first, ...others] of cells.values()) {
      const last = others.at(-1)
      if (first === undefined || last === undefined || others.length < MAX_IN_CELL) continue
      const message = `${first.name} and ${others.length} others match some proofs by the same attributes: let at most ${MAX_IN_CELL} do so`
      return [complain(['bindings', last.name], 'bindings_crowded', message)]
    }
    return []
  })
}

function toComplaint({ one, other, isEqual }: Overlap, isValue: (name: string, value: string) => boolean): Complaint {
  const witness = findWitness(one.match, other.match, isValue) ?? {}
  const message = isEqual
    ? `${one.name} and ${other.name} match exactly the same proofs: remove one`
    : `${one.name} (${one.identity}) and ${other.name} (${other.identity}) both match some proofs, and neither is the narrower`
  return { ...complain(['bindings', other.name], isEqual ? 'bindings_equal' : 'bindings_overlap', message), witness }
}
