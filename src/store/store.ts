/** Durable state that all processes of a broker share. */

import type { NumericDate } from '../../providers/contract/proof.ts'

/** A signing key's row. `sealed` opens only with the other members as they are. */
export interface StoredKey {
  readonly keyId: string
  readonly algorithm: 'ES256' | 'RS256'
  readonly state: 'next' | 'current' | 'retired'
  readonly publishedAt: NumericDate
  readonly sealed: string
}

/** The last document that was accepted, with the code that shows who kept it. */
export interface KeptDocument {
  readonly file: string
  readonly text: string
  readonly code: string
}

/**
 * The store's promises: what was acknowledged survives a crash, and every process sees it.
 * Any method throws where the store cannot be reached; the caller then refuses.
 */
export interface Store {
  signingKeys(): Promise<readonly StoredKey[]>
  /** Adds keys where there are none yet; of several callers at once, one succeeds. */
  addFirstSigningKeys(keys: readonly StoredKey[]): Promise<void>
  keptDocument(): Promise<KeptDocument | undefined>
  keepDocument(document: KeptDocument): Promise<void>
  close(): Promise<void>
}
