/** Federations with all that a binding can have, and requests that they decide in every way. */

import fc from 'fast-check'
import { plausibleDocuments } from './arbitrary-documents.ts'
import type { DocumentParts } from './document.ts'

const seldom = fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) })

/** What is put on each item of a plausible document, whatever it says of itself. */
const touch = fc.record({
  lifetime: fc.constantFrom(undefined, 300, 900, 1_800),
  isSuspended: seldom,
  isShadow: seldom,
  isTemplate: seldom,
  hasMore: fc.boolean(),
})

const touches = fc.tuple(fc.array(touch, { minLength: 9, maxLength: 9 }), seldom)

/** Parts of documents: plausible ones with lifetimes, templates, suspension and shadow. Some are broken. */
export const richParts: fc.Arbitrary<DocumentParts> = fc.tuple(plausibleDocuments, touches).map(enrich)

/** Parts of a document, and of what may become of it. */
export const richPairs: fc.Arbitrary<readonly [DocumentParts, DocumentParts]> = fc
  .tuple(plausibleDocuments, touches, touches)
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
  seconds: fc.constantFrom(60, 600, 3_600),
})
