/** What a federation is made of once it is proved: plain data, so that it can cross processes. */

import type { Binding, Territory } from './bindings.ts'
import type { FederationDocument, IdentityEntry } from './document.ts'
import type { DocumentText } from './parse-document.ts'

/** A document that is relied on. */
export interface GoodDocument extends DocumentText {
  /** Whose it is; undefined for the platform's. */
  readonly delegation: string | undefined
  /** `sha256:` and the SHA-256 of its text in hex. */
  readonly digest: string
}

/** What one document adds. */
export interface FederationPart {
  readonly identities: Readonly<Record<string, IdentityEntry>>
  readonly bindings: readonly Binding[]
}

/** All but the parts. */
export interface FederationHead {
  readonly digest: string
  readonly document: Omit<FederationDocument, 'identities' | 'bindings' | 'delegations'>
  readonly territories: readonly Territory[]
}

export interface ProvenFederation {
  readonly head: FederationHead
  readonly parts: readonly FederationPart[]
  readonly documents: readonly GoodDocument[]
}
