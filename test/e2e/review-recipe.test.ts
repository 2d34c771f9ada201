/** The recipe that tells a pull request what it does: its script on real documents and a trail, and what its workflow names. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readSteps } from '../support/page.ts'
import { makePageAudit } from '../support/page-audit.ts'

const RECIPE = new URL('../../infra/examples/review/', import.meta.url)
const COMMAND = fileURLToPath(new URL('../../src/launch.mjs', import.meta.url))

let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'chancery-review-'))
  const page = readFileSync(new URL('../../infra/README.md', import.meta.url), 'utf8')
  for (const step of readSteps(page)) {
    if (step.kind === 'file' && !step.name.includes('/')) writeFileSync(join(directory, step.name), step.text)
  }
  const lines = makePageAudit().map((record) => `${JSON.stringify(record)}\n`)
  writeFileSync(join(directory, 'audit.jsonl'), lines.join(''))
})
afterAll(() => rmSync(directory, { recursive: true }))

/** Runs the script where the documents are. */
function review(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync('sh', [fileURLToPath(new URL('review.sh', RECIPE)), ...args], {
    cwd: directory,
    env: { ...process.env, CHANCERY: `${process.execPath} ${COMMAND}` },
    encoding: 'utf8',
  })
  return { code: status, comment: stdout, err: stderr }
}

/** Gives the parts of a comment by their titles. */
function partsOf(comment: string): ReadonlyMap<string, string> {
  return new Map(
    [...comment.matchAll(/### (.*)\n\n~{8}text\n([\s\S]*?)\n~{8}\n/g)].map(([, title = '', text = '']) => [
      title,
      text,
    ]),
  )
}

test('tells a change that takes and gives what it does and to whom, and stops it', () => {
  const { code, comment, err } = review('federation.json', 'new.json', 'audit.jsonl')
  const parts = partsOf(comment)

  expect([code, err]).toEqual([1, ''])
  expect(comment).toMatch(/^<!-- chancery-review -->\n## Who is who, after this change\n\n\*\*It affects workloads/)
  expect([...parts.keys()]).toEqual(['Is it right?', 'What does it do?', 'To whom?'])
  expect(parts.get('Is it right?')).toContain('new.json: can be used: 0 errors, 0 warnings')
  expect(parts.get('What does it do?')).toContain('> grant payments/api at ledger: widened: + entries:write')
  expect(parts.get('To whom?')).toContain('1 workload loses access (1 decision)')
})

test('lets a change pass that does only what is meant', () => {
  const { code, comment } = review('federation.json', 'new.json', 'audit.jsonl', 'gains,loses')

  expect(code).toBe(0)
  expect(comment).toContain('It affects nobody who came by lately, but for what is allowed: gains,loses.')
  expect(partsOf(comment).get('To whom?')).toContain('1 workload loses access')
})

test('does not let another effect pass than the one that is meant', () => {
  expect(review('federation.json', 'new.json', 'audit.jsonl', 'gains').code).toBe(1)
})

test('lets a change pass that affects nobody', () => {
  const { code, comment } = review('federation.json', 'federation.json', 'audit.jsonl')

  expect(code).toBe(0)
  expect(comment).toContain('\n\nIt affects nobody who came by lately.\n')
})

test('tells why a document cannot be used', () => {
  const { code, comment } = review('federation.json', 'overlap.json', 'audit.jsonl')

  expect(code).toBe(1)
  expect(comment).toContain('**It cannot be used**')
  expect(partsOf(comment).get('Is it right?')).toContain('[bindings_overlap]')
})

test('does not pass a change whose effect cannot be told', () => {
  const { code, comment } = review('federation.json', 'new.json', 'yesterday.jsonl')

  expect(code).toBe(2)
  expect(comment).toContain('**What it does could not be told.**')
})

test('keeps to what a comment holds', () => {
  const many = Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`team/service-number-${index}`, {}]))
  const before = JSON.parse(readFileSync(join(directory, 'federation.json'), 'utf8')) as { identities: object }
  writeFileSync(
    join(directory, 'many.json'),
    JSON.stringify({ ...before, identities: { ...before.identities, ...many } }),
  )

  const { comment } = review('federation.json', 'many.json', 'audit.jsonl')

  expect(comment.length).toBeLessThan(65_536)
  expect(comment).toContain('… and more than a comment holds\n~~~~~~~~\n')
})

test.each([
  ['a line', '\n'],
  ['a carriage return', '\r'],
])('lets nothing in a document end the fence that it is quoted in: %s', (_, end) => {
  const name = ['x', '~~~~~~~~', '  ~~~~~~~~', '@everyone'].join(end)
  writeFileSync(join(directory, 'foul.json'), JSON.stringify({ version: 1, [name]: 1 }))

  const { comment } = review('federation.json', 'foul.json', 'audit.jsonl')

  expect(comment).toContain('@everyone')
  expect(comment.split(/[\r\n]/).filter((line) => /^ {0,3}~{8}/.test(line))).toHaveLength(6)
})

test('says how it is used', () => {
  expect(review('federation.json')).toEqual({ code: 2, comment: '', err: 'usage: review.sh OLD NEW AUDIT [EFFECTS]\n' })
})

interface Job {
  readonly if?: string
  readonly needs?: string
  readonly permissions: Readonly<Record<string, string>>
  readonly steps: readonly { readonly if?: string; readonly run?: string; readonly with?: { readonly ref?: string } }[]
}

interface Workflow {
  readonly on: { readonly pull_request: { readonly types: readonly string[] } }
  readonly permissions: Readonly<Record<string, string>>
  readonly jobs: { readonly documents: Job; readonly review: Job }
}

const WORKFLOW = readFileSync(new URL('review.yml', RECIPE), 'utf8')
const commandsOf = ({ steps }: Job): string => steps.flatMap(({ run }) => run ?? []).join('\n')

test('has a workflow that runs what a change has written where nothing but the repository can be read', () => {
  const { permissions, jobs } = parse(WORKFLOW) as Workflow

  expect([permissions, jobs.documents.permissions]).toEqual([{}, { contents: 'read' }])
  expect(jobs.documents.if).toBe('github.event.pull_request.head.repo.full_name == github.repository')
  expect(commandsOf(jobs.documents)).toContain('terraform -chdir=federation apply')
})

test('has a workflow that reads the trail, and writes one comment, by the script of main', () => {
  const { jobs } = parse(WORKFLOW) as Workflow

  expect(jobs.review.needs).toBe('documents')
  expect(jobs.review.permissions).toEqual({ contents: 'read', 'id-token': 'write', 'pull-requests': 'write' })
  expect(jobs.review.steps.flatMap((step) => step.with?.ref ?? [])).toEqual([
    expect.stringMatching(/^\$\{\{ github\.event\.pull_request\.base\.sha \}\}$/),
  ])
  expect(commandsOf(jobs.review)).toContain(
    'sh main/federation/review.sh documents/main documents/new audit.jsonl.gz "$effects"',
  )
  expect(commandsOf(jobs.review)).not.toContain('terraform')
})

test('has a workflow that fails, and is not skipped, where there is no document to review', () => {
  const { jobs } = parse(WORKFLOW) as Workflow

  expect(jobs.review.if).toBe('always()')
  expect(jobs.review.steps[0]).toMatchObject({ if: "needs.documents.result != 'success'", run: 'exit 1' })
})

test('has a workflow that looks again when somebody says what is meant', () => {
  const { on } = parse(WORKFLOW) as Workflow

  expect(on.pull_request.types).toEqual(expect.arrayContaining(['synchronize', 'labeled', 'unlabeled']))
})

test('has a workflow that gives a shell what somebody wrote by a variable, and never as a part of a script', () => {
  const { jobs } = parse(WORKFLOW) as Workflow

  expect(Object.values(jobs).map(commandsOf).join('\n')).not.toMatch(/\$\{\{ github\./)
})
