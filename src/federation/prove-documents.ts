/** Proves all documents of a federation together: the platform's first, then each team's against it. */

import { basename } from 'node:path'
import { choosePlatform } from './choose-platform.ts'
import { type Delegation, territoriesOf } from './delegation.ts'
import { digestOf, digestOfSeveral } from './digest.ts'
import { type Complaint, complain, type Finding, findingsOf, hasErrors } from './finding.ts'
import { type DocumentText, type ParsedDocument, parseDocument } from './parse-document.ts'
import { type Platform, provePlatform } from './prove-platform.ts'
import { proveTeam } from './prove-team.ts'
import type { FederationPart, GoodDocument, ProvenFederation } from './proven.ts'
import type { ValidationContext } from './validate.ts'

/** Problems of one document told at once; one with more has one cause. */
const MAX_FINDINGS = 200

/** A file that cannot be read, and why. */
export interface UnreadDocument {
  readonly file: string
  readonly complaint: Complaint
}

/** What lies at a path, in the order of the files' names. */
export interface LocatedDocuments {
  readonly path: string
  readonly sources: readonly (DocumentText | UnreadDocument)[]
}

/** A team's document that was relied on before. */
export interface LastGoodDocument {
  readonly delegation: string
  readonly file: string
  readonly text: () => string
}

export interface FederationProof {
  /** All that was found, file by file. */
  readonly findings: readonly Finding[]
  /** Undefined where there is no platform document, or a broken one. A broken team document is left out alone. */
  readonly proven: ProvenFederation | undefined
}

type Read = ParsedDocument & DocumentText
type Platforms = Extract<Read, { kind: 'platform' }>
type Others = Exclude<Read, { kind: 'platform' }>

interface Good {
  readonly document: GoodDocument
  readonly part: FederationPart
}

/** What came of a file that is not the platform document. */
interface Result {
  readonly file: string
  readonly delegation: string | undefined
  readonly complaints: readonly Complaint[]
  readonly good: Good | undefined
}

/**
 * Proves what lies at a path. In place of a team's broken document the last good one is used, where it still fits the platform's.
 * Never throws for what is written in them.
 */
export function proveDocuments(
  located: LocatedDocuments,
  context: ValidationContext,
  lastGood: readonly LastGoodDocument[] = [],
): FederationProof {
  const read = located.sources.map((source) => readSource(source, context))
  const { platforms, others } = choosePlatform(read)
  const [platform] = platforms
  const proof = platform?.document === undefined ? undefined : provePlatform(platform.document, context)
  const complaints = [...(platform?.complaints ?? []), ...(proof?.complaints ?? [])]
  if (platform === undefined || proof === undefined || platforms.length > 1 || hasErrors(complaints)) {
    const told = platforms.length > 1 ? tellSeveral(platforms) : tell(platform?.file ?? located.path, complaints)
    const missing = read.some(({ kind }) => kind !== 'team') ? [] : tell(located.path, [NO_PLATFORM])
    const shapes = others.flatMap(({ file, complaints: found }) => tell(file, found))
    return { findings: [...told, ...missing, ...shapes], proven: undefined }
  }
  const results = proveTeams(others, proof.platform)
  const { restored, findings } = restoreTeams(results, lastGood, proof.platform, context)
  const own = { text: platform.text, file: platform.file, digest: digestOf(platform.text), delegation: undefined }
  const goods = [...results.flatMap(({ good }) => good ?? []), ...restored]
  return {
    findings: [
      ...tell(platform.file, complaints),
      ...results.flatMap((result) => tell(result.file, result.complaints)),
      ...findings,
    ],
    proven: assemble({ document: own, part: partOf(proof.platform) }, goods, proof.platform),
  }
}

const NO_PLATFORM = complain([], 'document_missing', 'there is no platform document: one that names no delegation')

function readSource(source: DocumentText | UnreadDocument, { providers }: ValidationContext): Read {
  if ('complaint' in source) return { kind: 'unknown', complaints: [source.complaint], file: source.file, text: '' }
  return { ...parseDocument(source.text, providers), ...source }
}

function tell(file: string, complaints: readonly Complaint[]): readonly Finding[] {
  const errorsFirst = complaints.toSorted((one, other) => severityRank(one) - severityRank(other))
  const [next, ...others] = errorsFirst.slice(MAX_FINDINGS)
  const message = `there is more to mend than these ${MAX_FINDINGS}: ${others.length + 1} findings are not told`
  const more = next === undefined ? [] : [{ ...complain([], 'findings_many', message), severity: next.severity }]
  return findingsOf(file, [...errorsFirst.slice(0, MAX_FINDINGS), ...more])
}

/** However many warnings there are, none takes the place of an error. */
function severityRank({ severity }: Complaint): number {
  return severity === 'error' ? 0 : 1
}

function tellSeveral(platforms: readonly Platforms[]): readonly Finding[] {
  const files = platforms.map(({ file }) => file).join(', ')
  const message = `${files} are platform documents: leave one; a team’s names its delegation`
  return platforms.flatMap(({ file }) => tell(file, [complain([], 'documents_many', message)]))
}

function proveTeams(others: readonly Others[], platform: Platform): readonly Result[] {
  const files = Map.groupBy(others, delegationOf)
  return others.map((each) => {
    const { file, text } = each
    const name = delegationOf(each)
    const { delegation, complaints: found } = findDelegation(file, name, files.get(name) ?? [], platform)
    const before = [...each.complaints, ...found]
    if (each.kind !== 'team' || each.document === undefined || delegation === undefined) {
      return { file, delegation: name, complaints: before, good: undefined }
    }
    const { bindings, complaints } = proveTeam(each.document, delegation, platform)
    const all = [...before, ...complaints]
    const document = { delegation: delegation.name, file, text, digest: digestOf(text) }
    const good = { document, part: { identities: each.document.identities, bindings } }
    return { file, delegation: name, complaints: all, good: hasErrors(all) ? undefined : good }
  })
}

function delegationOf(read: Others): string | undefined {
  return read.kind === 'team' ? read.delegation : undefined
}

function findDelegation(
  file: string,
  name: string | undefined,
  claimants: readonly Others[],
  { delegations }: Platform,
): { delegation: Delegation | undefined; complaints: readonly Complaint[] } {
  if (name === undefined) return { delegation: undefined, complaints: [] }
  const delegation = delegations.get(name)
  const complaints: Complaint[] = []
  if (delegation === undefined) {
    complaints.push(
      complain(['delegation'], 'delegation_unknown', `the platform document delegates nothing to ${name}`),
    )
  }
  if (claimants.length > 1 && !isRightful(file, name, claimants)) {
    const files = claimants.map((claimant) => claimant.file).join(', ')
    complaints.push(complain(['delegation'], 'delegation_repeated', `${files} are all of ${name}: leave one`))
  }
  return { delegation, complaints }
}

/** Nobody takes the place of the one file that is named for its delegation, `payments.json` or `payments.json.gz`. */
function isRightful(file: string, delegation: string, claimants: readonly Others[]): boolean {
  const isNamedForIt = (path: string): boolean => basename(path).replace(/\.json(\.gz)?$/, '') === delegation
  return isNamedForIt(file) && claimants.filter((claimant) => isNamedForIt(claimant.file)).length === 1
}

/** A file that nobody can read stands for what it was when it could be read. */
function restoreTeams(
  results: readonly Result[],
  lastGood: readonly LastGoodDocument[],
  platform: Platform,
  context: ValidationContext,
): { restored: readonly Good[]; findings: readonly Finding[] } {
  const named = new Set(results.map(({ delegation }) => delegation))
  const broken = results.filter(({ good }) => good === undefined)
  const restored: Good[] = []
  const findings: Finding[] = []
  for (const { delegation, file, text } of lastGood) {
    const successor = named.has(delegation)
      ? broken.find((result) => result.delegation === delegation)
      : broken.find((result) => result.delegation === undefined && result.file === file)
    if (successor === undefined) continue
    const read = readSource({ file, text: text() }, context)
    const [result] = read.kind === 'platform' ? [] : proveTeams([read], platform)
    if (result?.good !== undefined && result.delegation === delegation) restored.push(result.good)
    else findings.push(...tell(successor.file, [unfit(delegation)]))
  }
  return { restored, findings }
}

function unfit(delegation: string): Complaint {
  const message = `the last good document of ${delegation} no longer fits the platform’s: nothing of ${delegation} is in force`
  return complain([], 'last_good_unfit', message)
}

function partOf({ document, bindings }: Platform): FederationPart {
  return { identities: document.identities, bindings }
}

function assemble(own: Good, teams: readonly Good[], { document, delegations }: Platform): ProvenFederation {
  const digests = new Map(teams.map(({ document: { delegation = '', digest } }) => [delegation, digest]))
  const { identities: _, bindings: __, delegations: ___, ...rest } = document
  return {
    head: {
      digest: digestOfSeveral(own.document.digest, digests),
      document: rest,
      territories: territoriesOf(delegations.values()),
    },
    parts: [own, ...teams].map(({ part }) => part),
    documents: [own, ...teams].map((good) => good.document),
  }
}
