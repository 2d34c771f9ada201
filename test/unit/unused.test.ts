/** `chancery unused`: what of a document nobody needed. */

import { expect, test } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import { runProgram } from '../../src/cli/program.ts'
import { bindingFor, type DocumentParts, documentFor } from '../support/document.ts'
import { CLUSTER } from '../support/federation-parts.ts'
import { recordOf } from '../support/made-records.ts'
import { unused, unusedIn, writeScratch, writeTeam } from '../support/run-change.ts'

function issued(namespace: string, parts: Partial<AuditRecord> = {}): AuditRecord {
  return recordOf({
    decision: 'issued',
    reason: null,
    provider: 'kubernetes',
    trusted_issuer: 'cluster',
    attributes: { 'kubernetes.namespace': namespace, 'kubernetes.service_account': 'api' },
    binding: 'gone-since',
    identity: namespace,
    audience: 'ledger',
    scope: 'entries:read',
    token_expires_at: '2026-01-15T12:15:00.000Z',
    ...parts,
  })
}

const both = { grants: { ledger: ['entries:read', 'entries:write'], 'https://orders.example': [] } }
const parts: DocumentParts = {
  trusted_issuers: {
    cluster: { provider: 'kubernetes', issuers: [CLUSTER] },
    west: { provider: 'kubernetes', issuers: ['https://west.example'] },
  },
  identities: { one: both, two: both, 'preview/*': both },
  bindings: {
    one: bindingFor('one', 'api', 'one'),
    two: bindingFor('two', 'api', 'two'),
    previews: bindingFor('preview-*', 'api', 'preview/{kubernetes.namespace}'),
  },
}

/** Tells what is unused as `kind name audience scope`, without what does not apply. */
async function unusedOf(records: readonly AuditRecord[], more: DocumentParts = {}): Promise<readonly string[]> {
  const report = await unusedIn(records, { ...parts, ...more })
  return report.unused.map(({ kind, name, audience, scope }) =>
    [kind, name, audience, scope].filter((part) => part !== null).join(' '),
  )
}

test('without records everything is unused, each told once', async () => {
  expect(await unusedOf([])).toEqual([
    ...['trusted_issuer cluster', 'trusted_issuer west'],
    ...['identity one', 'identity two', 'identity preview/*'],
    ...['binding one', 'binding two', 'binding previews'],
  ])
})

test('a token uses its trusted issuer, binding, identity, grant and scopes, and nothing beside them', async () => {
  expect(await unusedOf([issued('one')])).toEqual([
    'trusted_issuer west',
    'scope one ledger entries:write',
    'grant one https://orders.example',
    'identity two',
    'identity preview/*',
    'binding two',
    'binding previews',
  ])
})

test('a trusted issuer is used by proofs that it would take now', async () => {
  const moved = issued('one', { issuer: 'https://west.example' })

  expect((await unusedOf([moved])).filter((item) => item.startsWith('trusted_issuer'))).toEqual([
    'trusted_issuer cluster',
  ])
})

test('a template uses the entry that its names lie below', async () => {
  expect(await unusedOf([issued('preview-7')])).not.toContain('identity preview/*')
  expect(await unusedOf([issued('preview-7')])).toContain('scope preview/* ledger entries:write')
})

test('bindings are those of this document, whatever they were called when the request came', async () => {
  const bindings = { renamed: bindingFor(['one', 'two'], 'api', 'one') }

  expect(await unusedOf([issued('one', { binding: 'renamed-later' })], { bindings })).not.toContain('binding renamed')
})

test('a wider binding that another one beats is not used by that', async () => {
  const bindings = { wide: bindingFor(['one', 'two'], 'api', 'two'), one: bindingFor('one', 'api', 'one') }

  expect(await unusedOf([issued('one')], { bindings })).toContain('binding wide')
})

test('all bindings that decide together are used, and those that would decide if they were in force', async () => {
  const bindings = {
    left: bindingFor(['one', 'x'], 'api', 'one'),
    right: bindingFor(['one', 'y'], 'api', 'one'),
    tried: { ...bindingFor('one', 'api', 'two'), mode: 'shadow' },
  }
  const told = await unusedOf([issued('one')], { bindings })

  expect(told.filter((item) => item.startsWith('binding'))).toEqual([])
  expect(told).not.toContain('identity two')
})

test('a refusal uses the binding that it was decided by, and no grant', async () => {
  const refused = issued('one', { decision: 'refused', reason: 'target_refused', token_expires_at: null })
  const told = await unusedOf([refused])

  expect(told).toContain('grant one ledger')
  expect(told).not.toContain('binding one')
  expect(told).not.toContain('identity one')
})

test('what was never verified, or spent before, uses nothing', async () => {
  const spent = issued('one', { decision: 'refused', reason: 'proof_replayed' })

  expect(await unusedOf([spent, recordOf({ trusted_issuer: 'cluster' })])).toEqual(await unusedOf([]))
})

test('it is told with the span of what was recorded', async () => {
  const path = writeScratch('federation.json', documentFor(CLUSTER, parts))
  const audit = writeScratch('audit.jsonl', [
    issued('one', { time: '2026-01-02T00:00:00.000Z', token_expires_at: '2026-01-02T00:15:00.000Z' }),
    issued('two'),
  ])

  expect(await unused(audit, path)).toEqual({
    code: 0,
    err: '',
    out: `trusted issuer west
scope one at ledger: entries:write
grant one at https://orders.example
scope two at ledger: entries:write
grant two at https://orders.example
identity preview/*
binding previews
7 unused in 2 decisions, from 2026-01-02T00:00:00.000Z to 2026-01-15T12:00:00.000Z
`,
  })
})

test('exit code 1 says that something is unused where that was asked for, and that a document is refused', async () => {
  const path = writeScratch('federation.json', documentFor(CLUSTER, parts))
  const used = writeScratch(
    'federation.json',
    documentFor(CLUSTER, {
      identities: { one: { grants: { ledger: ['entries:read'] } } },
      bindings: { one: bindingFor('one', 'api', 'one') },
    }),
  )
  const broken = writeScratch('federation.json', documentFor(CLUSTER, { trust_domain: '' }))
  const audit = writeScratch('audit.jsonl', [issued('one')])
  const run = (...args: string[]) =>
    runProgram(['unused', audit, ...args], { out: () => undefined, err: () => undefined })

  expect(await run(path)).toBe(0)
  expect(await run(path, '--exit-code')).toBe(1)
  expect(await run(used, '--exit-code')).toBe(0)
  expect(await run(broken)).toBe(1)
  expect(await run(writeTeam({ identities: { 'payments/api': { grants: {} } } }))).toBe(0)
  expect(await run(writeTeam({ identities: { 'other/api': { grants: {} } } }))).toBe(1)
})
