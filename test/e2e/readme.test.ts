/** Every command of the README, run as it stands there; only addresses and paths are those of this run. */

import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { verifiers } from '../../providers/verifiers.ts'
import { createJoseVerifier } from '../snippets/verify/with-jose.ts'
import { hasTool } from '../support/found-tool.ts'
import {
  type Finished,
  findFreePort,
  type Running,
  runChancery,
  startChancery,
  waitUntilReady,
} from '../support/process.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const hasCurl = hasTool('curl', 'the README’s curl')

let directory: string
let cluster: KubernetesStandIn
let broker: Running
let origin: string
let audit: string

/** The fenced block that comes after a comment which names its file. */
function fileBlock(name: string): string {
  const block = new RegExp(`<!-- ${name} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(README)?.[1]
  if (block === undefined) throw new Error(`the README has no ${name}`)
  return localise(block)
}

/** Every command of the README's shell blocks, continued lines joined. */
function commands(): readonly string[] {
  const blocks = [...README.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block ?? '')
  return blocks.flatMap((block) => block.replaceAll('\\\n', ' ').trim().split('\n'))
}

function localise(text: string): string {
  return text
    .replaceAll('http://127.0.0.1:8080', origin)
    .replaceAll('/var/run/secrets/chancery/token', join(directory, 'token'))
    .replaceAll(/https:\/\/oidc\.eks[^"]+/g, cluster.issuer)
}

/** Splits a command line as a shell would, as far as the README's go. */
function wordsOf(command: string): readonly string[] {
  return [...localise(command).matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}

/** Runs `npx chancery …` without npx's own start, in the directory where the README has led so far. */
async function chancery(command: string, more: readonly string[] = []): Promise<Finished> {
  const [npx, name, ...args] = wordsOf(command)
  expect([npx, name]).toEqual(['npx', 'chancery'])
  return await runChancery(
    [...args, ...more].map((word) => (/^[a-z]+\.jsonl?$/.test(word) ? join(directory, word) : word)),
  )
}

function find(beginning: string): string {
  const found = commands().filter((command) => command.startsWith(beginning))
  expect(found, beginning).toHaveLength(1)
  return found[0] ?? ''
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'chancery-readme-'))
  cluster = await startKubernetesStandIn()
  cluster.createServiceAccount('payments', 'api')
  cluster.createServiceAccount('payments', 'batch')
  const port = await findFreePort()
  origin = `http://127.0.0.1:${port}`
  audit = join(directory, 'audit.jsonl')
  writeFileSync(join(directory, 'federation.json'), fileBlock('federation.json'))
  writeFileSync(join(directory, 'token'), `${await tokenOf('api')}\n`)
  const [, , ...serve] = wordsOf(find('npx chancery serve --issuer'))
  const args = serve.map((word) => (word === 'federation.json' ? join(directory, word) : word))
  const here = [
    '--listen',
    `127.0.0.1:${port}`,
    '--store',
    `sqlite:${join(directory, 'chancery.db')}`,
    '--audit',
    `file:${audit}`,
  ]
  broker = startChancery([...args, ...here, '--insecure-host', cluster.host])
  await waitUntilReady(origin, broker)
})

afterAll(async () => {
  broker.child.kill('SIGTERM')
  await broker.finished
  await cluster.close()
  rmSync(directory, { recursive: true })
})

function tokenOf(serviceAccount: string): Promise<string> {
  return cluster.requestToken({ namespace: 'payments', serviceAccount, audiences: [origin] })
}

test('there is no command in the README that is not run here or by CI', () => {
  const here = ['check', 'explain', 'serve', 'token'].map((name) => `npx chancery ${name}`)
  // `dev.test.ts` runs the last one.
  const run = ['npm ci && npm run demo', 'curl -s', ...here, 'npx chancery dev --directory']

  expect(commands().filter((command) => !run.some((known) => command.startsWith(known)))).toEqual([])
})

test('what it shows of other pages is what stands there, where it is compiled', () => {
  const quotes = [...README.matchAll(/<!-- (src\S+\.md) -->\n(```ts\n[\s\S]*?```)/g)]

  expect(quotes).toHaveLength(2)
  for (const [, page = '', block = ''] of quotes) expect(readFileSync(join(ROOT, page), 'utf8')).toContain(block)
})

test('every page that it leads to is there', () => {
  const pages = [...README.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path)

  expect(pages.length).toBeGreaterThan(30)
  expect(pages.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
})

test('a token is printed by the command, for whom it was asked', async () => {
  const { code, out } = await chancery(find('npx chancery token'))
  const [, claims = ''] = out.split('.')

  expect(code).toBe(0)
  expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
    aud: 'ledger',
    client_id: 'payments/api',
  })
})

test('the demo says what the README shows of it, ends well and shows no token', async () => {
  const [, shown = ''] = /```text\n([\s\S]*?)```/.exec(README) ?? []
  const { code, out } = await run('npm', ['run', 'demo'])

  expect(code).toBe(0)
  expect(out.split('\n')).toEqual(expect.arrayContaining(shown.trimEnd().replace('…\n', '').split('\n')))
  expect(out.trim().split('\n').at(-1)).toBe(
    `demo: ok: ${verifiers.length} clouds, 5 exchanged, 5 verified twice, 1 refused`,
  )
  expect(out).not.toMatch(/eyJ[A-Za-z0-9_-]{20}/)
})

test('the document is checked and explained', async () => {
  const insecure = ['--insecure-host', cluster.host]
  const checked = await chancery(find('npx chancery check'), insecure)
  const explained = await chancery(find('npx chancery explain --federation federation.json --attributes'), insecure)

  expect(checked).toMatchObject({ code: 0, out: expect.stringContaining('can be used: 0 errors, 0 warnings') })
  expect(explained).toMatchObject({
    code: 0,
    out: expect.stringContaining('payments-api matches: identity payments/api'),
  })
})

test.skipIf(!hasCurl)(
  'a token is exchanged with curl, and verified with the JWT library that somebody has',
  async () => {
    const [curl = '', ...args] = wordsOf(find('curl -s'))
    const reply = JSON.parse((await run(curl, args)).out) as { access_token: string }

    const { sub } = await createJoseVerifier(origin, 'ledger')(reply.access_token)

    expect(sub).toBe('spiffe://corp.example/payments/api')
  },
)

test('a refusal is explained by its request id', async () => {
  const command = find('npx chancery explain --federation federation.json --audit')
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    subject_token: await tokenOf('batch'),
  })
  const refused = await fetch(`${origin}/token`, { method: 'POST', body })
  const requestId = refused.headers.get('x-request-id') ?? ''

  const { code, out } = await chancery(command.replace(/[0-9a-f-]{36}/, requestId), ['--insecure-host', cluster.host])

  expect(code).toBe(1)
  expect(out).toContain('payments-api: kubernetes.service_account must be api, and the proof has batch')
})

test('help teaches every setting, and its environment variable', async () => {
  const { code, out } = await chancery(find('npx chancery serve --issuer').replace(/serve.*/, 'serve --help'))

  expect(code).toBe(0)
  for (const flag of [
    'issuer',
    'federation',
    'listen',
    'tls-cert',
    'tls-key',
    'trusted-proxy',
    'store',
    'audit',
    'metrics-listen',
    'secrets-dir',
    'egress-proxy',
    'insecure-host',
  ]) {
    expect(out).toContain(`--${flag} <`)
    expect(out.replaceAll(/\s+/g, ' ')).toContain(`CHANCERY_${flag.toUpperCase().replaceAll('-', '_')}`)
  }
})

/** Runs a program while the stand-in of this process goes on answering. */
function run(program: string, args: readonly string[]): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd: ROOT, encoding: 'utf8' }, (error, out) => {
      resolve({ code: error === null ? 0 : 1, out })
    })
  })
}
