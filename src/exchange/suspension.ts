/** Suspended trusted issuers: whatever their proofs say, they are refused. */

import type { UnverifiedProof } from '../../providers/contract/proof.ts'
import type { ProofVerifier } from '../../providers/contract/provider.ts'
import { Refusal } from './refusal.ts'

/**
 * Refuses a proof that says it is a suspended issuer's, before anybody is asked about it: genuine and forged ones alike. Whether it
 * says the truth is no matter, as nothing is given for it; a proof that does not say whose it is, is refused by
 * {@link refuseSuspended} when it is verified.
 */
export function refuseSuspendedUnasked(
  proof: UnverifiedProof,
  verifier: Pick<ProofVerifier, 'inspect'>,
  suspendedIssuers: ReadonlySet<string>,
): void {
  if (suspendedIssuers.size === 0) return
  const { trustedIssuer } = verifier.inspect(proof)
  if (trustedIssuer !== undefined) refuseSuspended(trustedIssuer, suspendedIssuers)
}

/** Refuses a proof of a suspended issuer. */
export function refuseSuspended(trustedIssuer: string, suspendedIssuers: ReadonlySet<string>): void {
  if (!suspendedIssuers.has(trustedIssuer)) return
  throw new Refusal('issuer_suspended', { origin: { trustedIssuer, issuer: undefined } })
}
