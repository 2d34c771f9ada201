/** `chancery replay`: who would gain, lose or change, of those who came. */

import { expect, test } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import { bindingFor, type DocumentParts } from '../support/document.ts'
import { recordOf } from '../support/made-records.ts'
import { replayRecords } from '../support/run-change.ts'

const identities = {
  'payments/api': { grants: { ledger: ['entries:read', 'entries:write'] } },
  other: { grants: { ledger: ['entries:read'] } },
}

/** A document of one binding for `payments/api`, and one identity more. */
function documentOf(parts: DocumentParts = {}): DocumentParts {
  return { identities, bindings: { 'payments-api': bindingFor('payments', 'api', 'payments/api') }, ...parts }
}

/** The record of a token for `payments/api` at the ledger. */
function issued(parts: Partial<AuditRecord> = {}): AuditRecord {
  return recordOf({
    decision: 'issued',
    reason: null,
    provider: 'kubernetes',
    trusted_issuer: 'cluster',
    subject: 'system:serviceaccount:payments:api',
    attributes: {
      'kubernetes.namespace': 'payments',
      'kubernetes.service_account': 'api',
      'kubernetes.pod_name': 'api-1',
    },
    binding: 'payments-api',
    identity: 'payments/api',
    audience: 'ledger',
    scope: 'entries:read entries:write',
    token_expires_at: '2026-01-15T12:15:00.000Z',
    ...parts,
  })
}

/** The record of a refusal of the same workload. */
function refused(reason: AuditRecord['reason'], parts: Partial<AuditRecord> = {}): AuditRecord {
  return issued({ decision: 'refused', reason, identity: null, binding: null, token_expires_at: null, ...parts })
}

/** The one group that comes of one record. */
async function groupOf(record: AuditRecord, parts: DocumentParts) {
  const { report } = await replayRecords([record], documentOf(parts))
  expect(report.groups).toHaveLength(1)
  return report.groups[0]
}

/** What was counted of records under a document, without zeros. */
async function counts(records: readonly AuditRecord[], parts: DocumentParts = {}) {
  const { report } = await replayRecords(records, documentOf(parts))
  const all = { ...report.decisions, ...report.skipped }
  return Object.fromEntries(Object.entries(all).filter(([, count]) => count !== 0 && count !== false))
}

test('a workload whose binding is gone loses access', async () => {
  const record = issued()

  expect(await groupOf(record, { bindings: {} })).toEqual({
    effect: 'loses',
    changes: ['access'],
    trusted_issuer: 'cluster',
    workload: { 'kubernetes.namespace': 'payments', 'kubernetes.service_account': 'api' },
    audience: 'ledger',
    count: 1,
    first: record.time,
    last: record.time,
    example_request_id: record.request_id,
    old: {
      decision: 'issued',
      reason: null,
      identity: 'payments/api',
      scope: 'entries:read entries:write',
      lifetime_seconds: 900,
    },
    new: { decision: 'refused', reason: 'binding_missing', identity: null, scope: null, lifetime_seconds: null },
  })
})

test('a workload that was refused and would get a token gains', async () => {
  const group = await groupOf(refused('binding_missing', { scope: 'entries:read' }), {})

  expect(group).toMatchObject({
    effect: 'gains',
    changes: ['access'],
    old: { decision: 'refused', reason: 'binding_missing', identity: null },
    new: { decision: 'issued', identity: 'payments/api', scope: 'entries:read' },
  })
})

test.each([
  ['target_refused', { audience: 'ledger' }],
  ['target_missing', { audience: null }],
  ['scope_refused', { scope: 'entries:write' }],
  ['scope_refused', { scope: 'entries:write', audience: null }],
  ['identity_suspended', {}],
  ['binding_suspended', {}],
  ['identity_malformed', {}],
  ['issuer_suspended', {}],
] as const)('a refusal for %s is decided anew', async (reason, parts) => {
  expect(await counts([refused(reason, { scope: null, ...parts })])).toEqual({ replayed: 1, gains: 1 })
})

test('a refusal that would be another refusal is no change', async () => {
  expect(await counts([refused('target_refused')], { bindings: {} })).toEqual({ replayed: 1, unchanged: 1 })
})

test('another binding of the same identity is no change', async () => {
  const bindings = { renamed: bindingFor('payments', ['api', 'web'], 'payments/api') }

  expect(await counts([issued()], { bindings })).toEqual({ replayed: 1, unchanged: 1 })
})

test('another identity is a change, and so are fewer scopes and a shorter life', async () => {
  const bindings = { 'payments-api': bindingFor('payments', 'api', 'other') }
  const short = { ...identities, other: { grants: { ledger: ['entries:read'] }, lifetime_seconds: 600 } }

  expect(await groupOf(issued(), { bindings, identities: short })).toMatchObject({
    effect: 'changes',
    changes: ['identity', 'scopes', 'lifetime'],
    old: { identity: 'payments/api', scope: 'entries:read entries:write', lifetime_seconds: 900 },
    new: { identity: 'other', scope: 'entries:read', lifetime_seconds: 600 },
  })
})

test('a template is filled in as an exchange would', async () => {
  const parts = {
    identities: { 'team/*': { grants: { ledger: ['entries:read', 'entries:write'] } } },
    bindings: { b: bindingFor('payments', 'api', 'team/{kubernetes.namespace}') },
  }

  expect(await groupOf(issued(), parts)).toMatchObject({ changes: ['identity'], new: { identity: 'team/payments' } })
  expect(await counts([issued({ identity: 'team/payments' })], parts)).toEqual({ replayed: 1, unchanged: 1 })
})

test('who keeps no scope that it had loses access', async () => {
  const grants = { grants: { ledger: ['entries:write'] } }

  expect(await groupOf(issued({ scope: 'entries:read' }), { identities: { 'payments/api': grants } })).toMatchObject({
    effect: 'loses',
    new: { reason: 'scope_refused', identity: 'payments/api' },
  })
})

test('a refusal for a scope stays one, though others of its scopes may be had', async () => {
  const grants = { grants: { ledger: ['entries:write'] } }

  expect(await counts([refused('scope_refused')], { identities: { 'payments/api': grants } })).toEqual({
    replayed: 1,
    unchanged: 1,
  })
})

test('who named no scopes and would be given some gains them', async () => {
  expect(await groupOf(issued({ scope: null }), {})).toMatchObject({
    effect: 'gains',
    changes: ['scopes'],
    old: { scope: null },
    new: { scope: 'entries:read entries:write' },
  })
})

test('a token that its proof kept short is not taken for one that the document shortened', async () => {
  const short = issued({ token_expires_at: '2026-01-15T12:05:00.000Z' })

  expect(await counts([short])).toEqual({ replayed: 1, unchanged: 1 })
  expect(await groupOf(short, { bindings: { b: bindingFor('payments', 'api', 'other') } })).toMatchObject({
    changes: ['identity', 'scopes'],
    old: { lifetime_seconds: 300 },
    new: { lifetime_seconds: 300 },
  })
})

test('a suspended binding, identity or issuer loses its workloads', async () => {
  const bindings = { b: { ...bindingFor('payments', 'api', 'payments/api'), suspended: true } }
  const suspended = { 'payments/api': { ...identities['payments/api'], suspended: true } }
  const cluster = { provider: 'kubernetes', issuers: ['https://cluster.example'], suspended: true }
  const reasonOf = async (parts: DocumentParts) => (await groupOf(issued(), parts))?.new.reason

  expect(await reasonOf({ bindings })).toBe('binding_suspended')
  expect(await reasonOf({ identities: suspended })).toBe('identity_suspended')
  expect(await reasonOf({ trusted_issuers: { cluster } })).toBe('issuer_suspended')
})

test('a binding in shadow gives nothing', async () => {
  const bindings = { b: { ...bindingFor('payments', 'api', 'payments/api'), mode: 'shadow' } }

  expect(await groupOf(issued(), { bindings })).toMatchObject({ effect: 'loses', new: { reason: 'binding_missing' } })
})

test('workloads of a trusted issuer that is gone lose access', async () => {
  const west = { provider: 'kubernetes', issuers: ['https://west.example'] }
  const parts = { trusted_issuers: { west }, bindings: {} }

  expect(await groupOf(issued(), parts)).toMatchObject({
    effect: 'loses',
    workload: { 'kubernetes.namespace': 'payments', 'kubernetes.service_account': 'api' },
    new: { reason: 'issuer_not_trusted' },
  })
})

test('workloads of a cluster that left its trusted issuer lose access, and those of a renamed one do not', async () => {
  const record = issued({ issuer: 'https://cluster.example' })
  const bindings = (trusted_issuer: string) => ({
    b: { ...bindingFor('payments', 'api', 'payments/api'), trusted_issuer },
  })
  const under = (name: string, issuer: string): DocumentParts => ({
    trusted_issuers: { [name]: { provider: 'kubernetes', issuers: [issuer] } },
    bindings: bindings(name),
  })

  expect(await groupOf(record, under('cluster', 'https://rebuilt.example'))).toMatchObject({
    effect: 'loses',
    trusted_issuer: 'cluster',
    new: { reason: 'issuer_not_trusted' },
  })
  expect(await counts([record], under('renamed', 'https://cluster.example'))).toEqual({ replayed: 1, unchanged: 1 })
})

test('what was never verified, and what no document would have changed, is left out and counted', async () => {
  const records = [
    recordOf({ reason: 'signature_invalid', trusted_issuer: 'cluster' }),
    recordOf({ reason: 'issuer_suspended', trusted_issuer: 'cluster' }),
    refused('proof_replayed'),
    refused('proof_expired'),
    refused('store_unavailable'),
  ]

  expect(await counts(records, { bindings: {} })).toEqual({ unverified: 2, not_of_mapping: 3 })
})

test('what a record could not repeat is not taken for what was never asked', async () => {
  const records = [
    refused('target_refused', { audience: null, scope: null }),
    refused('scope_refused', { scope: null }),
    issued({ audience: null }),
    issued({ identity: null }),
    issued({ token_expires_at: null }),
    issued({ token_expires_at: '2026-01-15T12:00:00.000Z' }),
  ]

  expect(await counts(records)).toEqual({ incomplete: 6 })
})

test('exit code 1 says that anybody gains, loses or changes, unless that is allowed', async () => {
  const loses = [issued()]
  const gains = [refused('binding_missing')]
  const codeOf = async (records: readonly AuditRecord[], parts: DocumentParts, allow?: ('gains' | 'loses')[]) =>
    (await replayRecords(records, documentOf(parts), allow)).code

  expect(await codeOf(loses, {})).toBe(0)
  expect(await codeOf(loses, { bindings: {} })).toBe(1)
  expect(await codeOf(gains, {})).toBe(1)
  expect(await codeOf(gains, {}, ['gains'])).toBe(0)
  expect(await codeOf(loses, { bindings: {} }, ['gains'])).toBe(1)
  expect(await codeOf([...loses, ...gains], { bindings: {} }, ['gains', 'loses'])).toBe(0)
})
