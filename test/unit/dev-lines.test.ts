/** What `chancery dev` writes, to a screen and to a shell. */

import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import { tellLogLine } from '../../src/cli/dev/broker-log.ts'
import { type Screen, toDecisionLine } from '../../src/cli/dev/decision-line.ts'
import { writeMarkedFile } from '../../src/cli/dev/directory.ts'
import { toCommandLine, toShellLines } from '../../src/cli/dev/environment-text.ts'
import { followLines } from '../../src/cli/dev/follow-lines.ts'
import { printable } from '../../src/cli/printable.ts'

const SCREEN: Screen = { paint: (colour, text) => `<${colour}>${text}</>`, printable }
const PLAIN: Screen = { paint: (_, text) => text, printable }

const RECORD: AuditRecord = {
  time: '2026-11-24T13:26:21.000Z',
  request_id: '51e769af-d684-446c-9263-5a8b75c3ad68',
  decision: 'issued',
  reason: null,
  provider: 'kubernetes',
  trusted_issuer: 'prod',
  issuer: 'https://cluster.example',
  subject: 'system:serviceaccount:payments:api',
  attributes: {},
  proof_digest: null,
  binding: 'api',
  identity: 'payments/api',
  audience: 'ledger',
  scope: 'entries:read',
  token_id: null,
  token_expires_at: null,
  document: null,
  client_address: null,
}

const explain = (requestId: string): string => `explain ${requestId}`

describe('the line of a decision', () => {
  test('says who got what for whom, from where', () => {
    expect(toDecisionLine(RECORD, explain, PLAIN)).toBe(
      '13:26:21  issued   payments/api -> ledger [entries:read]  prod: system:serviceaccount:payments:api  51e769af-d684-446c-9263-5a8b75c3ad68\n',
    )
  })

  test('says why not, and what explains it', () => {
    const refused: AuditRecord = {
      ...RECORD,
      decision: 'refused',
      reason: 'binding_missing',
      identity: null,
      audience: null,
    }

    expect(toDecisionLine(refused, explain, PLAIN)).toBe(
      '13:26:21  refused  binding_missing  prod: system:serviceaccount:payments:api  51e769af-d684-446c-9263-5a8b75c3ad68\n' +
        '    why: explain 51e769af-d684-446c-9263-5a8b75c3ad68\n',
    )
    expect(toDecisionLine(refused, explain, SCREEN)).toContain('<red>refused</>')
  })

  test('shows nothing that a screen would obey', () => {
    const subject = '\u001b[2Jsystem\u202e'
    const line = toDecisionLine({ ...RECORD, subject, audience: '\u001b]0;x' }, explain, PLAIN)

    expect(line).toContain('\\u001b[2Jsystem\\u202e')
    expect(line).toMatch(/^[\x20-\x7e]*\n$/)
  })
})

describe('the broker’s log', () => {
  const tell = (line: object): string => tellLogLine(JSON.stringify(line), PLAIN)

  test('is told where the document is concerned, and where something is wrong', () => {
    const finding = {
      severity: 'error',
      file: 'f.json',
      path: '/bindings/a',
      code: 'unknown',
      message: 'no\u001b such issuer',
    }

    expect(tell({ level: 'info', msg: 'document in force', bindings: 3 })).toBe('document in force: 3 bindings\n')
    expect(tell({ level: 'error', msg: 'document refused', findings: [finding] })).toBe(
      'document refused: what was in force still is\n    /bindings/a: no\\u001b such issuer [unknown]\n',
    )
    expect(tell({ level: 'error', msg: 'document refused', findings: [{ ...finding, path: '' }] })).toBe(
      'document refused: what was in force still is\n    no\\u001b such issuer [unknown]\n',
    )
    expect(tell({ level: 'error', msg: 'the store could not be written' })).toBe(
      'broker: the store could not be written\n',
    )
  })

  test('is left out where a decision’s line says it, or nobody can do anything', () => {
    expect(tell({ level: 'info', msg: 'refused' })).toBe('')
    expect(tell({ level: 'warn', msg: 'signing keys are kept unencrypted' })).toBe('')
  })
})

describe('text for a shell', () => {
  test('is read back as it was, whatever is in it', () => {
    const values = { A: `it's "$HOME" \`id\` \\`, B: '', C: 'two words' }
    const script = `${toShellLines(values)}printf '%s\\n' "$A" "$B" "$C"`

    expect(spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout).toBe(`${Object.values(values).join('\n')}\n`)
  })

  test('takes away what must not be there', () => {
    const script = `A=1 B=2; ${toShellLines({ A: undefined, B: undefined })}echo "[$A$B]"`

    expect(spawnSync('sh', ['-c', script], { encoding: 'utf8' }).stdout).toBe('[]\n')
  })

  test('quotes the words of a command that need it', () => {
    expect(toCommandLine(['chancery', 'check', 'a b/$(id).json', '--x=1'])).toBe(
      `chancery check 'a b/$(id).json' --x=1`,
    )
  })
})

test('lines are told once they are whole, and those that were there before are not', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-follow-'))
  const file = join(directory, 'audit.jsonl')
  writeFileSync(file, 'old\n')
  const told: string[] = []
  const stop = await followLines(file, (line) => told.push(line))
  appendFileSync(file, 'one\ntw')
  await vi.waitFor(() => expect(told).toEqual(['one']))
  appendFileSync(file, 'o\n\nthree\n')
  await stop()
  rmSync(directory, { recursive: true })

  expect(told).toEqual(['one', 'two', 'three'])
})

test('a link that somebody put beside a file of ours leads nowhere', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-dev-lines-'))
  const at = (name: string): string => join(directory, name)
  writeFileSync(at('victim'), 'mine')
  symlinkSync(at('victim'), at(`environment.${process.pid}.next`))
  await writeMarkedFile(at('environment'), '# ours', 'a=b\n')
  const texts = ['victim', 'environment'].map((name) => readFileSync(at(name), 'utf8'))
  rmSync(directory, { recursive: true })

  expect(texts).toEqual(['mine', '# ours\na=b\n'])
})
