/** Durable state that all processes of a broker share. */

import type { NumericDate } from '../../providers/contract/proof.ts'

/** A signing key's row. `sealed` opens only with the other members as they are. */
export interface StoredKey {
  readonly keyId: string
  readonly algorithm: 'ES256' | 'RS256'
  /** A withdrawn key is published no more, and remembered so that it never comes back. */
  readonly state: 'next' | 'current' | 'retired' | 'withdrawn'
  /** Where the private half is: in `sealed`, or in a file of the operator's; then `sealed` holds the public half. */
  readonly held: 'store' | 'file'
  readonly publishedAt: NumericDate
  /** When it came into its state. */
  readonly since: NumericDate
  /** The same two moments, by the store's uptime. */
  readonly publishedUptime: number
  readonly sinceUptime: number
  readonly sealed: string
}

/** All signing keys at one moment. The code shows that nobody without the key-encryption key put them together. */
export interface StoredRing {
  /** Counts the changes; 0 where there never was a key. */
  readonly version: number
  /** Seconds in which some broker was up, by clocks that nobody can set: never more than have passed. */
  readonly uptime: number
  readonly keys: readonly StoredKey[]
  readonly code: string
}

/** A document that was accepted last, with the code that shows who kept it. */
export interface KeptDocument {
  /** Whose it is; empty for the platform's. */
  readonly delegation: string
  readonly file: string
  /** Of its text. */
  readonly digest: string
  /** Its text, compressed. */
  readonly packed: Uint8Array
  readonly code: string
}

/** A proof that may be used once. Its text, and what was signed, stay outside of the store. */
export interface SpendableProof {
  /** SHA-256 of what was signed. */
  readonly digest: Uint8Array
  readonly issuedAt: NumericDate
  readonly expiresAt: NumericDate
}

/**
 * What became of a proof: spent now, spent before, made before the store can tell, or not spent because there is no room. Only
 * `spent` lets an exchange go on.
 */
export type Spending = 'spent' | 'replayed' | 'predates' | 'full'

/** How many spent proofs are remembered, and whether some that nobody needs are still among them. */
export interface SpentCount {
  readonly count: number
  readonly hasMore: boolean
}

/** The proofs that were spent. Of all callers that spend one proof, in all processes, one is told `spent`. */
export interface SpentProofs {
  /** Proofs made before this may have been spent without being remembered. */
  readonly believedFrom: NumericDate
  isSpent(digest: Uint8Array): Promise<boolean>
  /** Decides. What it answers survives a crash. */
  spend(proof: SpendableProof, now: NumericDate): Promise<Spending>
  /** Forgets a few that nobody needs any more, and notes that the store is in use. */
  tend(now: NumericDate): Promise<SpentCount>
}

/** The signing keys, as several processes change them. */
export interface KeyTable {
  signingKeys(): Promise<StoredRing>
  /**
   * Puts a ring in the place of the one before it, whole or not at all. Gives false, and changes nothing, where the stored ring
   * is another than the one before: somebody else was faster.
   */
  replaceSigningKeys(ring: StoredRing): Promise<boolean>
}

/**
 * The store's promises: what was acknowledged survives a crash, and every process sees it.
 * Any method throws where the store cannot be reached; the caller then refuses.
 */
export interface Store extends KeyTable {
  /** Gives what is kept, in no order. */
  keptDocuments(): Promise<readonly KeptDocument[]>
  /** Keeps these, each in place of what was kept for its delegation, and forgets those of all delegations but `delegations`. At once. */
  keepDocuments(documents: readonly KeptDocument[], delegations: readonly string[]): Promise<void>
  /** Gives a kept document another code, if it is still this one. */
  recodeDocument(document: KeptDocument, code: string): Promise<void>
  /** Opens the list of spent proofs, and finds out since when it can be believed. Once in a process. */
  openSpentProofs(now: NumericDate): Promise<SpentProofs>
  close(): Promise<void>
}

/** The audit trail, where a database keeps it. */
export interface RecordTable {
  /** Adds records, one line of JSON each, all or none. What it resolved for survives a crash. */
  appendRecords(lines: readonly string[]): Promise<void>
}
