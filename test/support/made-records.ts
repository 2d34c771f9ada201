/** Audit records as the exchange makes them. */

import { randomUUID } from 'node:crypto'
import type { AuditRecord } from '../../src/audit/record.ts'

/** Makes the record of a refusal of which nothing more is known, unless told otherwise. */
export function recordOf(parts: Partial<AuditRecord> = {}): AuditRecord {
  return {
    time: '2026-01-15T12:00:00.000Z',
    request_id: randomUUID(),
    decision: 'refused',
    reason: 'proof_malformed',
    provider: null,
    trusted_issuer: null,
    issuer: null,
    subject: null,
    attributes: null,
    proof_digest: null,
    binding: null,
    identity: null,
    audience: null,
    scope: null,
    token_id: null,
    token_expires_at: null,
    document: null,
    client_address: null,
    ...parts,
  }
}
