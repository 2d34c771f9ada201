/** Every example of every `--help`, read from there: understood by the command's own parser and, where it ends by itself, run. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readAgentConfig } from '../../src/cli/agent/config.ts'
import { type CredentialScene, openCredentialScene } from '../support/credential-scene.ts'
import { documentFor } from '../support/document.ts'
import { hasTool } from '../support/found-tool.ts'
import { callsIn, commandOf, examplesOf, readHelpPages } from '../support/help-examples.ts'
import { recordOf } from '../support/made-records.ts'
import type { Finished } from '../support/process.ts'

const PAGES = await readHelpPages()
const LEAVES = PAGES.filter(({ subcommands }) => subcommands.length === 0)
const EXAMPLES = PAGES.flatMap((page) => examplesOf(page).map((example) => [page.path || 'chancery', example] as const))

/** What goes on until it is told to stop is run by the tests of its own pages; what is no command line, by the program that reads it. */
const RUN_ELSEWHERE =
  /^chancery (serve|dev)\b|^chancery agent (?!.*--once)|\/run\/environment|^ |^credentials_helper|postgres:/

/** Examples that do not end with 0 here, and what they say. */
const OTHER_ENDINGS: ReadonlyMap<string, readonly [code: number, says: string]> = new Map([
  ['explain --federation federation.json --proof', [1, 'issuer_not_trusted']],
  ['diff --exit-code', [1, 'payments/batch']],
  ['unused --exit-code', [1, '"unused"']],
  ['keys rotate', [3, 'not yet']],
  // The store of a broker on loopback: its keys are not encrypted, and no key opens them.
  ['keys reencrypt', [2, 'in the clear']],
  ['keys revoke', [1, 'no key that is published is called']],
])

let scene: CredentialScene
let ledger: string
const service = createServer((_request, response) => response.end())

const AUDIENCES = ['ledger', 'orders', 'registry', 'git']

beforeAll(async () => {
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
  ledger = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
  scene = await openCredentialScene(AUDIENCES)
  const { cluster, broker } = scene
  await broker.replaceDocument(
    documentFor(cluster.issuer, {
      proof_audiences: [broker.origin],
      audiences: Object.fromEntries(AUDIENCES.map((name) => [name, { scopes: ['entries:read'] }])),
      identities: {
        'payments/api': { grants: Object.fromEntries(AUDIENCES.map((name) => [name, ['entries:read']])) },
      },
    }),
  )
  await layOut()
})
afterAll(async () => {
  service.close()
  await scene.close()
})

/** Puts the files that examples name where they look for them. */
async function layOut(): Promise<void> {
  const put = (name: string, content: string | Uint8Array, mode = 0o644): void => {
    mkdirSync(join(scene.directory, name, '..'), { recursive: true })
    writeFileSync(join(scene.directory, name), content, { mode })
  }
  const old = documentFor('https://oidc.corp.example/cluster')
  const identities = { 'payments/api': { grants: { ledger: ['entries:read'] } }, 'payments/batch': { grants: {} } }
  const next = documentFor('https://oidc.corp.example/cluster', { identities })
  for (const [name, document] of Object.entries({ federation: old, new: next })) {
    for (const at of [`${name}.json`, `${name}.d/platform.json`]) put(at, JSON.stringify(document))
  }
  const attributes = { 'kubernetes.namespace': 'payments', 'kubernetes.service_account': 'api' }
  const record = recordOf({
    ...{ request_id: '1f0f7a2e-6a2f-4b56-9a37-0d6a8f9f5b11', decision: 'issued', reason: null, attributes },
    ...{ provider: 'kubernetes', trusted_issuer: 'cluster', issuer: 'https://oidc.corp.example/cluster' },
    ...{ identity: 'payments/api', audience: 'ledger', scope: 'entries:read' },
  })
  put('audit.jsonl', `${JSON.stringify(record)}\n`)
  put('audit.jsonl.gz', gzipSync(`${JSON.stringify(record)}\n`))
  for (const name of ['server', 'nightly-job']) put(name, '#!/bin/sh\n', 0o755)
  put('old.key', Buffer.alloc(32, 1).toString('base64'))
  put('new.key', Buffer.alloc(32, 2).toString('base64'))
  put('agent.yaml', localise(configOf('agent')))
  for (const name of ['zsh', 'links', 'run/ledger', 'run/tokens', '.config/fish/completions', 'orders']) {
    mkdirSync(join(scene.directory, name), { recursive: true })
  }
  put('token', (await run('chancery token --audience ledger')).out)
}

/** Gives what the help of a command shows of a file. */
function configOf(path: string): string {
  const { text = '' } = PAGES.find((page) => page.path === path) ?? {}
  return /\n\n( {2}broker: [\s\S]*?)\n\n/.exec(text)?.[1] ?? ''
}

function localise(text: string): string {
  return text
    .replaceAll(/https:\/\/broker\.corp\.example|http:\/\/127\.0\.0\.1:8080/g, scene.broker.origin)
    .replaceAll('https://ledger.corp.example', ledger)
    .replaceAll('/var/run/secrets/chancery/token', join(scene.directory, 'proof'))
    .replaceAll(/(?<=[ =])\/run\//g, `${scene.directory}/run/`)
    .replaceAll('/usr/local/bin', `${scene.directory}/links`)
}

/** Runs a line as a person's shell does: where `fpath` has a directory of this test's own. */
function run(line: string): Promise<Finished> {
  const script = `set -o pipefail; fpath=('' "$PWD/zsh"); ${localise(line)}`
  const env = { CHANCERY_STORE: `sqlite:${join(scene.broker.directory, 'store.db')}` }
  return scene.run(['bash', '--norc', '-c', script], { env })
}

test.each(LEAVES)('chancery $path --help shows an example of it, and what its exit codes mean', async (page) => {
  const calls = examplesOf(page).flatMap(callsIn)

  expect(page.text).toMatch(/^Exit codes.*: .*\b2 wrong usage/ms)
  expect(await Promise.all(calls.map(commandOf))).toContain(page.path)
})

test('the program’s own help says how commands end', () => {
  expect(PAGES[0]?.text).toContain(
    'Exit codes: 0 done; 1 no, or refused; 2 wrong usage or configuration; 3 try again later.',
  )
})

test.each(EXAMPLES)('in the help of %s, there is what is called by: %s', async (_path, example) => {
  for (const call of callsIn(example)) expect(await commandOf(call)).not.toBe('')
})

/** What examples call beside ours, and this machine may not have. */
const OTHER_PROGRAMS = { curl: /\bcurl\b/, git: /^git /m } as const

const MISSING = Object.entries(OTHER_PROGRAMS)
  .filter(([tool]) => !hasTool(tool, 'examples of help texts'))
  .map(([, isCalled]) => isCalled)

const isRunHere = (example: string): boolean =>
  !RUN_ELSEWHERE.test(example) && !MISSING.some((isCalled) => isCalled.test(example))

test.each(EXAMPLES.filter(([, example]) => isRunHere(example)))(
  'in the help of %s, this can be run: %s',
  async (_path, example) => {
    const [, [code, says]] = [...OTHER_ENDINGS].find(([words]) => example.includes(words)) ?? ['', [0, '']]

    const finished = await run(example)

    expect(finished).toMatchObject({ code })
    expect(finished.out + finished.err).toContain(says)
  },
)

test('the file that agent --help shows can be used as it stands', () => {
  const shown = readAgentConfig(parse(configOf('agent')))

  expect(Object.keys(shown).toSorted()).toEqual(['broker', 'listen', 'log', 'outputs', 'proof'])
})
