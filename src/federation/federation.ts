/** A federation document that has been accepted: what exchanges are decided by. */

import { createHash } from 'node:crypto'
import { JsonError, parseStrictJson } from '../../providers/contract/strict-json.ts'
import { type BindingIndex, createBindingIndex } from './bindings.ts'
import { createDocumentSchema, type FederationDocument } from './document.ts'
import { type Complaint, complain, type Finding, findingsOf, hasErrors } from './finding.ts'
import { type Audience, type Identity, toAudience, toIdentity } from './identity.ts'
import { findNestedIdentities } from './identity-entries.ts'
import { findChoiceComplaints, findOverlapComplaints, readBindings } from './read-bindings.ts'
import {
  findAudienceComplaints,
  findIdentityComplaints,
  type ReadyIssuer,
  readTrustedIssuers,
  type ValidationContext,
} from './validate.ts'

/** Deepest nesting of a document: claims may nest a little. */
const MAX_DEPTH = 32

/** Problems told at once; a document with more has one cause. */
const MAX_FINDINGS = 200

export interface Federation {
  /** `sha256:` and the SHA-256 of the document's text in hex, as Terraform's `sha256()` gives it. */
  readonly digest: string
  readonly trustDomain: string
  readonly issuers: readonly ReadyIssuer[]
  /** Names of those whose proofs are refused. */
  readonly suspendedIssuers: ReadonlySet<string>
  readonly audiences: ReadonlyMap<string, Audience>
  readonly identities: ReadonlyMap<string, Identity>
  readonly bindings: BindingIndex
}

/** A document's text and where it came from. */
export interface DocumentText {
  readonly file: string
  readonly text: string
}

/** What was found in a document. `document` is undefined where any finding is an error. */
export interface ProofResult {
  readonly findings: readonly Finding[]
  readonly document: FederationDocument | undefined
}

/** The same, ready to decide by. */
export interface ReadResult {
  readonly findings: readonly Finding[]
  readonly federation: Federation | undefined
}

/** Checks a document and proves all that the broker relies on. Never throws for what is written in it. */
export function proveDocument({ file, text }: DocumentText, context: ValidationContext): ProofResult {
  const parsed = parseDocument(text, context)
  if ('complaints' in parsed) return { findings: tell(file, parsed.complaints), document: undefined }
  const { document } = parsed
  const { issuers, complaints: issuerComplaints } = readTrustedIssuers(document, context)
  const { bindings, complaints: bindingComplaints } = readBindings(document, issuers)
  const complaints = [
    ...issuerComplaints,
    ...findAudienceComplaints(document),
    ...findIdentityComplaints(document),
    ...findNestedIdentities(document),
    ...bindingComplaints,
    ...findOverlapComplaints(bindings, issuers),
    ...findChoiceComplaints(bindings, issuers),
  ]
  const findings = tell(file, complaints)
  return { findings, document: hasErrors(findings) ? undefined : document }
}

/** Makes a federation of a document that {@link proveDocument} has passed, without proving it again. */
export function buildFederation(document: FederationDocument, digest: string, context: ValidationContext): Federation {
  const { issuers } = readTrustedIssuers(document, context)
  return {
    digest,
    trustDomain: document.trust_domain,
    issuers,
    suspendedIssuers: new Set(issuers.filter(({ isSuspended }) => isSuspended).map(({ name }) => name)),
    audiences: mapEntries(document.audiences, toAudience),
    identities: mapEntries(document.identities, toIdentity),
    bindings: createBindingIndex(readBindings(document, issuers).bindings),
  }
}

function mapEntries<Entry, Result>(
  entries: Readonly<Record<string, Entry>>,
  convert: (entry: Entry) => Result,
): ReadonlyMap<string, Result> {
  return new Map(Object.entries(entries).map(([name, entry]) => [name, convert(entry)]))
}

/** Proves a document and builds its federation. */
export function readFederation(source: DocumentText, context: ValidationContext): ReadResult {
  const { findings, document } = proveDocument(source, context)
  const federation = document === undefined ? undefined : buildFederation(document, digestOf(source.text), context)
  return { findings, federation }
}

/** Gives the digest by which tokens and records name the document that they were decided by. */
export function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

function tell(file: string, complaints: readonly Complaint[]): readonly Finding[] {
  const errorsFirst = complaints.toSorted((one, other) => severityRank(one) - severityRank(other))
  return findingsOf(file, errorsFirst.slice(0, MAX_FINDINGS))
}

/** However many warnings there are, none takes the place of an error. */
function severityRank({ severity }: Complaint): number {
  return severity === 'error' ? 0 : 1
}

type Parsed = { readonly document: FederationDocument } | { readonly complaints: readonly Complaint[] }

function parseDocument(text: string, context: ValidationContext): Parsed {
  let json: unknown
  try {
    json = parseStrictJson(text, MAX_DEPTH)
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    return { complaints: [complain([], 'json_malformed', `line ${lineOf(text, error)}: ${error.message}`)] }
  }
  const result = createDocumentSchema(context.providers).safeParse(json)
  return result.success ? { document: result.data } : { complaints: result.error.issues.flatMap(toComplaints) }
}

function lineOf(text: string, { at }: JsonError): number {
  return text.slice(0, at).split('\n').length
}

interface Issue {
  readonly code: string
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly keys?: readonly string[]
}

/** One complaint for each unknown member, so that every one is pointed at; the schema reports them together. */
function toComplaints(issue: Issue): readonly Complaint[] {
  const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))
  if (issue.code === 'unrecognized_keys') {
    return (issue.keys ?? []).map((key) =>
      complain([...path, key], 'member_unknown', `there is no such member: ${key}`),
    )
  }
  return [complain(path, issue.code === 'invalid_key' ? 'name_malformed' : 'shape', issue.message)]
}
