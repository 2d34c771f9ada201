/** Single use: a proof that was accepted once is never accepted again, in any process and after any restart. */

import { hash } from 'node:crypto'
import type { NumericDate, VerifiedProof } from '../../providers/contract/proof.ts'
import type { RefusalReason } from '../audit/reasons.ts'
import type { Spending, SpentProofs } from '../store/store.ts'
import { Refusal } from './refusal.ts'

const REASONS = {
  replayed: 'proof_replayed',
  predates: 'proof_predates_store',
  full: 'store_full',
} as const satisfies Record<Exclude<Spending, 'spent'>, RefusalReason>

/**
 * Spends a verified proof, unless its platform hands the same one out again and again: such a proof never waits for the store.
 *
 * Refuses a proof that was spent before, and one of which the store cannot tell. Nobody is let through because the store is
 * full or cannot be asked. A proof stays spent whatever becomes of the exchange.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9700.html#section-4.9 RFC 9700 section 4.9}
 */
export async function spendOnce(
  proof: VerifiedProof,
  spentProofs: Pick<SpentProofs, 'spend'>,
  now: NumericDate,
): Promise<void> {
  const { replay, issuedAt, expiresAt } = proof
  if (!replay.singleUse) return
  const spendable = { digest: digestOf(replay.key), issuedAt, expiresAt }
  const spending = await spentProofs.spend(spendable, now).catch(failClosed)
  if (spending !== 'spent') throw new Refusal(REASONS[spending])
}

/**
 * Creates what verifiers ask before they ask an upstream. It saves a request and decides nothing: two callers may both be told
 * "not yet", and only one of them will spend the proof.
 */
export function createSpentLookup(spentProofs: Pick<SpentProofs, 'isSpent'>): (key: string) => Promise<boolean> {
  return async (key) => await spentProofs.isSpent(digestOf(key)).catch(failClosed)
}

/** The store learns neither what was signed nor whose it was. */
function digestOf(key: string): Uint8Array {
  return hash('sha256', key, 'buffer')
}

function failClosed(cause: unknown): never {
  throw new Refusal('store_unavailable', { cause })
}
