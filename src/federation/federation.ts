/** A federation that has been accepted: what exchanges are decided by. */

import { type BindingIndex, createBindingIndex } from './bindings.ts'
import type { Finding } from './finding.ts'
import { type Audience, type Identities, toAudience, toIdentity } from './identity.ts'
import { openBindings, openIdentities, type PackedFederation } from './packed-federation.ts'
import { type LocatedDocuments, proveDocuments } from './prove-documents.ts'
import type { FederationHead, ProvenFederation } from './proven.ts'
import { type ReadyIssuer, readTrustedIssuers, type ValidationContext } from './validate.ts'

export interface Federation {
  /** Names the documents that it is made of: see `digest.ts`. */
  readonly digest: string
  readonly trustDomain: string
  readonly issuers: readonly ReadyIssuer[]
  /** Names of those whose proofs are refused. */
  readonly suspendedIssuers: ReadonlySet<string>
  readonly audiences: ReadonlyMap<string, Audience>
  readonly identities: Identities
  readonly bindings: BindingIndex
}

/** Builds a federation of what has been proved. Nothing is proved again. */
export function buildFederation({ head, parts }: ProvenFederation, context: ValidationContext): Federation {
  const entries = parts.flatMap(({ identities }) => Object.entries(identities))
  return {
    ...buildHead(head, context),
    identities: new Map(entries.map(([name, entry]) => [name, toIdentity(entry)])),
    bindings: createBindingIndex(
      parts.flatMap(({ bindings }) => bindings),
      head.territories,
    ),
  }
}

/** Opens a packed federation. What it takes does not grow with the number of its bindings. */
export function openFederation(packed: PackedFederation, context: ValidationContext): Federation {
  return { ...buildHead(packed.head, context), identities: openIdentities(packed), bindings: openBindings(packed) }
}

function buildHead({ digest, document }: FederationHead, context: ValidationContext) {
  const { issuers } = readTrustedIssuers(document, context)
  return {
    digest,
    trustDomain: document.trust_domain,
    issuers,
    suspendedIssuers: new Set(issuers.filter(({ isSuspended }) => isSuspended).map(({ name }) => name)),
    audiences: new Map(Object.entries(document.audiences).map(([name, entry]) => [name, toAudience(entry)])),
  }
}

/** Documents that were read, ready to decide by where the platform's is good. */
export interface ReadResult {
  readonly findings: readonly Finding[]
  readonly federation: Federation | undefined
}

/** Proves documents and builds their federation. */
export function readFederation(located: LocatedDocuments, context: ValidationContext): ReadResult {
  const { findings, proven } = proveDocuments(located, context)
  return { findings, federation: proven === undefined ? undefined : buildFederation(proven, context) }
}
