/** The audit trail that the mapping page speaks of: an hour of one cluster and one account. */

import type { AuditRecord } from '../../src/audit/record.ts'
import { recordOf } from './made-records.ts'

interface Visit {
  readonly account: string
  readonly minute: number
  readonly identity: string | null
  readonly scope: string | null
}

/** Gives the trail: the API comes often, the batch job once, and a web pod is refused. */
export function makePageAudit(): readonly AuditRecord[] {
  const api = [2, 9, 17, 24, 31, 38, 46, 53].map((minute) =>
    visit({ account: 'api', minute, identity: 'payments/api', scope: 'entries:read' }),
  )
  const batch = visit({ account: 'batch', minute: 11, identity: 'payments/batch', scope: 'entries:read entries:write' })
  const web = [5, 20, 35].map((minute) => visit({ account: 'web', minute, identity: null, scope: null }))
  const forged = recordOf({ time: '2026-01-15T12:40:00.000Z', reason: 'signature_invalid', trusted_issuer: 'prod-eks' })
  return [...api, batch, ...web, forged].toSorted((one, other) => (one.time < other.time ? -1 : 1))
}

function visit({ account, minute, identity, scope }: Visit): AuditRecord {
  const time = new Date(Date.UTC(2026, 0, 15, 12, minute))
  const issued = identity === null ? {} : { binding: `payments-${account}`, token_expires_at: laterThan(time) }
  return recordOf({
    time: time.toISOString(),
    request_id: `00000000-0000-4000-8000-0000000000${String(minute).padStart(2, '0')}`,
    decision: identity === null ? 'refused' : 'issued',
    reason: identity === null ? 'binding_missing' : null,
    provider: 'kubernetes',
    trusted_issuer: 'prod-eks',
    issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/2F331C82755EF3E43731C8D6E299FAEF',
    attributes: { 'kubernetes.namespace': 'payments', 'kubernetes.service_account': account },
    identity,
    audience: 'ledger',
    scope,
    ...issued,
  })
}

function laterThan(time: Date): string {
  return new Date(time.getTime() + 600_000).toISOString()
}
