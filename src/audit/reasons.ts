/** Why a token was refused, in the audit record's words. Closed, and published in `src/README.md`. */

import { PROOF_OUTAGES, PROOF_REFUSALS, type ProofErrorCode } from '../../providers/contract/errors.ts'
import { REQUEST_FAULTS, type RequestFault } from '../oauth/errors.ts'

/** Reasons that are neither the request's form nor the proof itself. */
export const EXCHANGE_REASONS = [
  'proof_predates_store',
  'issuer_suspended',
  'binding_missing',
  'binding_suspended',
  'identity_malformed',
  'identity_suspended',
  'target_missing',
  'target_refused',
  'scope_refused',
  'store_unavailable',
  'store_full',
  'key_unavailable',
  'audit_unavailable',
  'not_ready',
  'too_busy',
  'internal',
] as const

/** Every reason that a record can give. */
export type RefusalReason = RequestFault | ProofErrorCode | (typeof EXCHANGE_REASONS)[number]

export const REFUSAL_REASONS: readonly RefusalReason[] = [
  ...REQUEST_FAULTS,
  ...PROOF_REFUSALS,
  ...PROOF_OUTAGES,
  ...EXCHANGE_REASONS,
]
