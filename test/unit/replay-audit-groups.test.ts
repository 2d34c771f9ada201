/** What is gathered of a replay, and how it is told. */

import { expect, test } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import { runProgram } from '../../src/cli/program.ts'
import { createGroupTable, judge } from '../../src/cli/replay-groups.ts'
import { tellReplay } from '../../src/cli/replay-text.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { CLUSTER } from '../support/federation-parts.ts'
import { recordOf } from '../support/made-records.ts'
import { replay, replayRecords, writeScratch, writeTeam } from '../support/run-change.ts'

const ID = '1f0f7a2e-6a2f-4b56-9a37-0d6a8f9f5b11'

function issued(account: string, minute: number, parts: Partial<AuditRecord> = {}): AuditRecord {
  const time = `2026-01-15T12:${String(minute).padStart(2, '0')}:00.000Z`
  return recordOf({
    time,
    request_id: ID,
    decision: 'issued',
    reason: null,
    provider: 'kubernetes',
    trusted_issuer: 'cluster',
    attributes: {
      'kubernetes.namespace': 'payments',
      'kubernetes.service_account': account,
      'kubernetes.pod_name': `${minute}`,
    },
    binding: 'payments-api',
    identity: 'payments/api',
    audience: 'ledger',
    scope: 'entries:read',
    token_expires_at: new Date(Date.parse(time) + 600_000).toISOString(),
    ...parts,
  })
}

test('decisions of one workload, target and consequence are one group, with the first and last of them', async () => {
  const records = [
    issued('api', 9),
    issued('api', 5),
    issued('api', 2, {
      request_id: 'b1ffa2c0-44e1-4a52-8d43-d3a4ad6c26b8',
      token_expires_at: '2026-01-15T12:17:00.000Z',
    }),
    issued('api', 7),
    issued('api', 3, { audience: 'https://orders.example', scope: null }),
    issued('web', 4),
  ]
  const { report } = await replayRecords(records, { bindings: {} })

  expect(report).toMatchObject({ from: records[2]?.time, to: records[0]?.time, decisions: { replayed: 6, loses: 6 } })
  expect(
    report.groups.map(({ audience, count, workload }) => [workload['kubernetes.service_account'], audience, count]),
  ).toEqual([
    ['api', 'https://orders.example', 1],
    ['api', 'ledger', 4],
    ['web', 'ledger', 1],
  ])
  expect(report.groups[1]).toMatchObject({
    first: records[2]?.time,
    last: records[0]?.time,
    example_request_id: ID,
    old: { lifetime_seconds: 900 },
  })
})

test('a workload that another identity gets for a part of its pods is two groups', async () => {
  const bindings = {
    all: bindingFor('payments', 'api', 'payments/api'),
    one: bindingFor('payments', 'api', 'other', { 'kubernetes.pod_name': '7' }),
    two: bindingFor('payments', 'api', 'another', { 'kubernetes.pod_name': '8' }),
  }
  const grants = { grants: { ledger: ['entries:read'] } }
  const parts = { identities: { 'payments/api': grants, other: grants, another: grants }, bindings }
  const { report } = await replayRecords([issued('api', 1), issued('api', 7), issued('api', 8)], parts)

  expect(report.decisions).toMatchObject({ unchanged: 1, changes: 2 })
  expect(report.groups.map((group) => group.new.identity)).toEqual(['another', 'other'])
})

test('groups are told with who loses first, then who changes, then who gains', async () => {
  const grants = { grants: { ledger: ['entries:read'] } }
  const parts = {
    identities: { other: grants },
    bindings: { a: bindingFor('payments', ['a', 'b'], 'other') },
  }
  const records = [
    issued('a', 1, { decision: 'refused', reason: 'binding_missing', identity: null, token_expires_at: null }),
    issued('b', 2),
    issued('c', 3),
  ]

  expect((await replayRecords(records, parts)).report.groups.map(({ effect }) => effect)).toEqual([
    'loses',
    'changes',
    'gains',
  ])
})

test('the table keeps so many groups of each effect, and counts what finds no place', () => {
  const table = createGroupTable(() => new Set(['n']), 2)
  const lost = { isGiven: false, reason: 'binding_missing', identity: undefined } as const
  const moved = {
    isGiven: true,
    identity: 'other',
    audience: 'ledger',
    scopes: [],
    lostScopes: [],
    lifetimeSeconds: 600,
  } as const
  const decisions = [
    ...['a', 'b', 'a', 'c', 'd', 'b'].map((name) => ({ name, outcome: lost })),
    { name: 'z', outcome: moved },
  ]
  for (const { name, outcome } of decisions) {
    const attributes = new Map([['n', name]])
    const about = { issuer: null, trustedIssuer: 'cluster', target: 'ledger', scopes: undefined, lifetimeSeconds: 600 }
    const consequence = judge(issued('api', 1), { ...about, attributes }, outcome)
    if (consequence !== undefined) table.add(issued('api', 1), { ...about, attributes }, consequence)
  }

  expect(table.groups().map(({ workload, count }) => [workload.n, count])).toEqual([
    ['a', 2],
    ['b', 2],
    ['z', 1],
  ])
  expect(table.ungrouped()).toBe(2)
})

test('where groups found no place, the numbers are said to be the least', () => {
  const decisions = { replayed: 9, unchanged: 0, loses: 8, changes: 1, gains: 0 }
  const skipped = { unverified: 0, not_of_mapping: 0, incomplete: 0, unreadable: 0, torn: true }
  const side = { decision: 'issued', reason: null, identity: 'i', scope: null, lifetime_seconds: 1 } as const
  const group = {
    ...{ changes: [], trusted_issuer: 'cluster', workload: {}, audience: null },
    ...{ first: 'then', last: 'now', example_request_id: ID, old: side, new: side },
  }
  const groups = [
    { ...group, effect: 'loses' as const, count: 7 },
    { ...group, effect: 'changes' as const, count: 1 },
  ]
  const span = { from: 'then', to: 'now' }
  const told = tellReplay({ version: 1, document: 'sha256:', ...span, decisions, skipped, groups, ungrouped: 1 })

  expect(told).toContain('  at least 1 workload loses access (8 decisions)\n  1 workload changes (1 decision)\n')
  expect(told).toContain('1 decision more is counted')
  expect(told).toContain('left out:\n  the last record, which breaks off\n')
})

test('one and many are told as people tell them', () => {
  const decisions = { replayed: 1, unchanged: 1, loses: 0, changes: 0, gains: 0 }
  const skipped = { unverified: 0, not_of_mapping: 0, incomplete: 1, unreadable: 2, torn: false }
  const span = { from: 'then', to: 'now' }
  const told = tellReplay({ version: 1, document: 'sha256:', ...span, decisions, skipped, groups: [], ungrouped: 0 })

  expect(told).toContain('1 decision replayed, from then to now: 1 is as it was\n')
  expect(told).toContain('left out:\n  1 record without all that was asked for\n  2 lines without a record\n')
})

test('a platform engineer reads how many, then who, then what and an example to explain', async () => {
  const grants = { grants: { ledger: ['entries:read'] } }
  const next = writeScratch(
    'federation.json',
    documentFor(CLUSTER, {
      identities: { other: { ...grants, lifetime_seconds: 300 } },
      bindings: { a: bindingFor('payments', ['a', 'b'], 'other') },
    }),
  )
  const audit = writeScratch('audit.jsonl', [
    issued('a', 1, { decision: 'refused', reason: 'binding_missing', identity: null, token_expires_at: null }),
    issued('b', 2),
    issued('c', 3),
    issued('c', 4),
    recordOf({ time: '2026-01-15T12:30:00.000Z' }),
  ])
  const { code, out } = await replay(audit, next)

  expect(code).toBe(1)
  expect(out).toBe(`4 decisions replayed, from 2026-01-15T12:01:00.000Z to 2026-01-15T12:30:00.000Z: 0 are as they were
  1 workload loses access (2 decisions)
  1 workload changes (1 decision)
  1 workload gains (1 decision)

loses: cluster, kubernetes.namespace = payments, kubernetes.service_account = c at ledger
    was payments/api with entries:read, would be refused (binding_missing)
    2 times, last at 2026-01-15T12:04:00.000Z, such as ${ID}

changes: cluster, kubernetes.namespace = payments, kubernetes.service_account = b at ledger
    was payments/api, would be other
    had 600 s, would have 300 s
    1 time, last at 2026-01-15T12:02:00.000Z, such as ${ID}

gains: cluster, kubernetes.namespace = payments, kubernetes.service_account = a at ledger
    was refused (binding_missing), would be other with entries:read
    1 time, last at 2026-01-15T12:01:00.000Z, such as ${ID}

left out:
  1 refusal of a proof that was never verified
`)
})

test('what a terminal could take for a command, or show as something else, is escaped', async () => {
  const next = writeScratch('federation.json', documentFor(CLUSTER, { bindings: {} }))
  const { out } = await replay(writeScratch('audit.jsonl', [issued('a\u001b[2J\u202e\u0430', 1)]), next)

  expect(out).toContain('kubernetes.service_account = a\\u001b[2J\\u202e\\u0430 at ledger')
})

test('of many groups only so many are told, and the number of the rest', async () => {
  const records = Array.from({ length: 53 }, (_, at) => issued(`api-${at}`, 1))
  const next = writeScratch('federation.json', documentFor(CLUSTER, { bindings: {} }))
  const { out } = await replay(writeScratch('audit.jsonl', records), next)

  expect(out.match(/^loses:/gm)).toHaveLength(50)
  expect(out).toContain('  53 workloads lose access (53 decisions)')
  expect(out).toContain('and 3 more such groups')
})

test('the command takes what may happen as a list, and nothing else', async () => {
  const next = writeScratch('federation.json', documentFor(CLUSTER, { bindings: {} }))
  const audit = writeScratch('audit.jsonl', [issued('api', 1)])
  const written: string[] = []
  const terminal = { out: () => undefined, err: (text: string) => void written.push(text) }

  expect(await runProgram(['replay', audit, next], terminal)).toBe(1)
  expect(await runProgram(['replay', audit, next, '--allow', 'gains, loses'], terminal)).toBe(0)
  expect(await runProgram(['replay', audit, next, '--allow', 'losses'], terminal)).toBe(2)
  expect(written.join('')).toBe('chancery: --allow: "losses" is none of loses, changes, gains\n')
})

test('a document that check refuses is refused before anything is read', async () => {
  const next = writeScratch('federation.json', documentFor(CLUSTER, { trust_domain: '' }))

  const team = writeTeam({ identities: { 'other/api': { grants: {} } } })

  for (const path of [next, team]) {
    expect(await replay('/nowhere', path)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('is refused'),
    })
  }
})
