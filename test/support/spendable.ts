/** Proofs that may be used once, for tests of whoever remembers them. */

import { hash } from 'node:crypto'
import type { SpendableProof } from '../../src/store/store.ts'

/** 2026-01-15T12:00:00Z. */
export const NOW = 1_768_478_400

/** A time by which a store that is opened at it can tell about every proof of {@link NOW}. */
export const LONG_AGO = NOW - 200

/** Gives the proof of this name, made now and valid for a quarter of an hour. */
export function spendable(name: string, parts: Partial<SpendableProof> = {}): SpendableProof {
  return { digest: hash('sha256', name, 'buffer'), issuedAt: NOW, expiresAt: NOW + 900, ...parts }
}
