/** Which audit trails `chancery explain` finds a record in, and what it tells of it. */

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import { UsageError } from '../../src/cli/exit.ts'
import { runExplain } from '../../src/cli/explain.ts'
import { documentFor } from '../support/document.ts'
import { CLUSTER } from '../support/federation-parts.ts'
import { recordOf } from '../support/made-records.ts'
import { makeScratch } from '../support/scratch.ts'

const ID = '00000000-0000-4000-8000-000000000001'
const API = recordOf({
  request_id: ID,
  reason: 'scope_refused',
  trusted_issuer: 'cluster',
  attributes: { 'kubernetes.namespace': 'payments', 'kubernetes.service_account': 'api' },
  binding: 'payments-api',
  identity: 'payments/api',
  audience: 'ledger',
  scope: 'entries:read entries:write',
})

function lineOf(record: object): string {
  return `${JSON.stringify(record)}\n`
}

/** Gives the arguments for a trail of which the record is the second of three. */
function writeTrail(record: object, { pack = (text: string): string | Buffer => text, name = 'audit.jsonl' } = {}) {
  const directory = makeScratch()
  const [federation, audit] = [join(directory, 'federation.json'), join(directory, name)]
  writeFileSync(federation, JSON.stringify(documentFor(CLUSTER)))
  writeFileSync(audit, pack(lineOf(recordOf()) + lineOf(record) + lineOf(recordOf())))
  return { federation, audit, requestId: ID, insecureHost: [] }
}

async function explain(options: ReturnType<typeof writeTrail>): Promise<readonly string[]> {
  const written: string[] = []
  const write = (text: string) => void written.push(text)
  await runExplain(options, { out: write, err: write })
  return written.join('').split('\n')
}

describe('a record is found', () => {
  test.each<[string, Parameters<typeof writeTrail>[1]]>([
    ['in lines', {}],
    ['in a compressed trail', { pack: gzipSync, name: 'audit.jsonl.gz' }],
    ['in a compressed trail of another name', { pack: gzipSync, name: 'audit.jsonl.1' }],
    ['in lines that another system ends', { pack: (text) => text.replaceAll('\n', '\r\n') }],
    ['before a trail breaks off', { pack: (text) => text.slice(0, -40) }],
  ])('%s', async (_where, how) => {
    expect((await explain(writeTrail(API, how)))[0]).toMatch(/^recorded at .*: refused: scope_refused/)
  })

  test('on standard input', () => {
    const { federation } = writeTrail(API)
    const command = fileURLToPath(new URL('../../src/launch.mjs', import.meta.url))
    const args = ['explain', '--federation', federation, '--audit', '-', '--request-id', ID]
    const run = spawnSync(process.execPath, [command, ...args], { input: lineOf(API), encoding: 'utf8' })

    expect(run).toMatchObject({ status: 1, stderr: '', stdout: expect.stringMatching(/^recorded at /) })
  })

  test('although a broker of another version wrote it', async () => {
    const lines = await explain(writeTrail({ ...API, reason: 'not_known_yet', more: { than: 'this' } }))

    expect(lines).toContain('refused: not_known_yet')
    expect(lines).toContain('  A reason of another version of the broker.')
  })
})

test('what cannot be read is a wrong call, and nothing worse', async () => {
  const options = writeTrail(API)

  await expect(explain({ ...options, audit: makeScratch() })).rejects.toThrow(UsageError)
  await expect(explain({ ...options, audit: '/nowhere/audit.jsonl' })).rejects.toThrow('does not exist')
  await expect(explain({ ...options, requestId: ID.replace('1', '2') })).rejects.toThrow('has no record of')
})

test.each<[string, Partial<AuditRecord>, string | undefined]>([
  ['what was asked for', {}, '  asked for ledger: entries:read entries:write'],
  ['a target without scopes', { scope: null }, '  asked for ledger'],
  ['what cannot be taken for a command', { audience: 'a \u001b[2J', scope: null }, '  asked for "a \\u001b[2J"'],
  ['what was given', { decision: 'issued', reason: null, scope: 'entries:read' }, '  for ledger: entries:read'],
  ['no target where none was recorded', { audience: null, scope: null }, undefined],
])('a record is told with %s', async (_what, parts, expected) => {
  const [, second] = await explain(writeTrail({ ...API, ...parts }))

  expect(second).toBe(expected ?? 'attributes (recorded):')
})

test('a record that a stranger wrote is told on lines of its own making and no others', async () => {
  const shadow = {
    binding: '\u001b[2J',
    identity: null,
    decision: 'refused',
    reason: 'internal',
    audience: null,
    scope: null,
  }
  const lines = await explain(writeTrail({ ...API, binding: 'b\nrefused: no', document: '\u001b[2J', shadow }))

  expect(lines[0]).toMatch(/ \(by b\\u000arefused: no\), under \\u001b\[2J$/)
  expect(lines).toContain('  in shadow, \\u001b[2J: internal')
})
