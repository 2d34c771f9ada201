/** Federations with all that a binding can have, and requests that they decide in every way. */

import fc from 'fast-check'
import { plausibleDocuments } from './arbitrary-documents.ts'
import type { DocumentParts } from './document.ts'

const seldom = fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) })

/** What is put on each item of a plausible document, whatever it says of itself. */
const touch = fc.record({
  lifetime: fc.constantFrom(undefined, 300, 900, 1_800),
  isSuspended: seldom,
  isShadow: seldom,
  isTemplate: fc.boolean(),
  hasMore: seldom.map((isSo) => !isSo),
})

/** Plausible documents without bindings are the most, and of little use here. */
const boundDocuments = plausibleDocuments.filter((text) => !text.includes('"bindings":{}'))

const touches = fc.tuple(fc.array(touch, { minLength: 9, maxLength: 9 }), seldom)

/** Parts of documents: plausible ones with lifetimes, templates, suspension and shadow. Some are broken. */
export const richParts: fc.Arbitrary<DocumentParts> = fc.tuple(boundDocuments, touches).map(enrich)

/** Parts of a document, and of what may become of it. */
export const richPairs: fc.Arbitrary<readonly [DocumentParts, DocumentParts]> = fc
  .tuple(boundDocuments, touches, touches)
  .map(([text, before, after]) => [enrich([text, before]), enrich([text, after])])

function enrich([text, [marks, isSuspended]]: readonly [string, readonly [readonly Touch[], boolean]]): DocumentParts {
  const document = JSON.parse(text) as Required<DocumentParts>
  const { east, ...issuers } = document.trusted_issuers
  const identities = Object.entries(document.identities).map(([name, entry], at) => [
    name,
    touchIdentity(entry, marks[at]),
  ])
  const bindings = Object.entries(document.bindings).map(([name, entry], at) => [
    name,
    touchBinding(entry, marks[at + 3]),
  ])
  return {
    ...document,
    trusted_issuers: { ...issuers, east: { ...east, suspended: isSuspended } },
    identities: { ...Object.fromEntries(identities), 'p/*': { grants: { ledger: ['r'] } } },
    bindings: Object.fromEntries(bindings),
  }
}

type Touch = typeof touch extends fc.Arbitrary<infer T> ? T : never

function touchIdentity({ grants }: { readonly grants?: object }, mark: Touch | undefined): object {
  const more = mark?.hasMore === true ? { plain: [], ledger: ['r'] } : {}
  return { grants: { ...more, ...grants }, lifetime_seconds: mark?.lifetime, suspended: mark?.isSuspended }
}

function touchBinding(entry: object, mark: Touch | undefined): object {
  return {
    ...entry,
    suspended: mark?.isSuspended,
    ...(mark?.isShadow === true ? { mode: 'shadow' } : {}),
    ...(mark?.isTemplate === true ? { identity: 'p/{kubernetes.namespace}' } : {}),
  }
}

/** A verified proof and what it asks for. */
export interface ArbitraryRequest {
  readonly trustedIssuer: string
  readonly namespace: string
  readonly account: string
  readonly target: string | undefined
  readonly scopes: readonly string[] | undefined
  /** What the proof has left of its life. */
  readonly seconds: number
}

export const requests: fc.Arbitrary<ArbitraryRequest> = fc.record({
  trustedIssuer: fc.constantFrom('east', 'constructor'),
  namespace: fc.constantFrom('a', 'a', 'b', 'c', 'a-1'),
  account: fc.constantFrom('a', 'b'),
  target: fc.constantFrom(undefined, 'ledger', 'ledger', 'plain', 'nowhere'),
  scopes: fc.constantFrom(undefined, ['r'], ['w'], ['r', 'w'], ['x']),
  seconds: fc.constantFrom(60, 601, 3_600),
})

/** Turns a request to one of a document's bindings, so that it is not one of the many that nothing matches. */
export function aimAt(document: DocumentParts, request: ArbitraryRequest): ArbitraryRequest {
  const bindings = Object.values(document.bindings ?? {}) as readonly WrittenBinding[]
  const binding = bindings[request.seconds % Math.max(bindings.length, 1)]
  if (binding === undefined) return request
  const { 'kubernetes.namespace': namespace, 'kubernetes.service_account': account } = binding.match
  return { ...request, trustedIssuer: binding.trusted_issuer, namespace: namespace.replace('*', '1'), account }
}

interface WrittenBinding {
  readonly trusted_issuer: string
  readonly match: { readonly 'kubernetes.namespace': string; readonly 'kubernetes.service_account': string }
}
