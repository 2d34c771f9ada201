/** `chancery serve` as an operator runs it: processes, signals, files. */

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { formOf } from '../support/broker.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { findFreePort, type Running, runChancery, startChancery, waitUntilReady } from '../support/process.ts'

const KEY = Buffer.alloc(32, 7).toString('base64')
const OTHER_KEY = Buffer.alloc(32, 8).toString('base64')

let cluster: KubernetesStandIn
let directory: string
let running: Running[]

beforeAll(async () => {
  cluster = await startKubernetesStandIn()
  cluster.createServiceAccount('payments', 'api')
})
afterAll(() => cluster.close())

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'chancery-e2e-'))
  running = []
  writeDocument({})
})
afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL')
  await Promise.all(running.map(({ finished }) => finished))
  rmSync(directory, { recursive: true })
})

function writeDocument(parts: object): void {
  writeFileSync(
    join(directory, 'next.json'),
    JSON.stringify(documentFor(cluster.issuer, { proof_audiences: ['https://broker.example'], ...parts })),
  )
  renameSync(join(directory, 'next.json'), join(directory, 'federation.json'))
}

interface Broker extends Running {
  readonly origin: string
  readonly issuer: string
}

/** All brokers of a test share one store and one audit file, as replicas do. */
async function serve(
  options: { env?: Record<string, string>; issuer?: string; args?: readonly string[] } = {},
): Promise<Broker> {
  const port = await findFreePort()
  const origin = `http://127.0.0.1:${port}`
  const issuer = options.issuer ?? origin
  const args = [
    ...[
      'serve',
      '--issuer',
      issuer,
      '--listen',
      `127.0.0.1:${port}`,
      '--federation',
      join(directory, 'federation.json'),
    ],
    ...['--store', `sqlite:${join(directory, 'chancery.db')}`, '--audit', `file:${join(directory, 'audit.jsonl')}`],
    ...['--insecure-host', cluster.host, ...(options.args ?? [])],
  ]
  const started = startChancery(args, options.env)
  running.push(started)
  await waitUntilReady(origin, started)
  return { ...started, origin, issuer }
}

async function exchange(origin: string): Promise<{ status: number; token: string }> {
  const wish = { namespace: 'payments', serviceAccount: 'api', audiences: ['https://broker.example'] }
  const response = await fetch(`${origin}/token`, { method: 'POST', body: formOf(await cluster.requestToken(wish)) })
  const body = (await response.json()) as { access_token?: string }
  return { status: response.status, token: body.access_token ?? '' }
}

async function publishedKeys(origin: string): Promise<unknown> {
  return (await fetch(`${origin}/.well-known/jwks.json`)).json()
}

test('drains and ends with 0 when it is told to stop', async () => {
  const { origin, child, finished } = await serve()
  expect((await exchange(origin)).status).toBe(200)

  child.kill('SIGTERM')

  const { code, out, err } = await finished
  expect(code).toBe(0)
  expect(out).toBe('')
  const lines = err
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { level: string; msg: string })
  expect(lines.at(-1)).toMatchObject({ level: 'info', msg: 'stopped' })
})

test('two processes on one SQLite file make one set of keys, and each verifies with the other’s', async () => {
  const issuer = 'https://broker.example'
  const [one, other] = await Promise.all([serve({ issuer }), serve({ issuer })])

  const { token } = await exchange(one.origin)

  expect(await publishedKeys(one.origin)).toEqual(await publishedKeys(other.origin))
  const keys = createRemoteJWKSet(new URL(`${other.origin}/.well-known/jwks.json`))
  await expect(jwtVerify(token, keys, { issuer, audience: 'ledger' })).resolves.toBeDefined()
})

test('keeps its keys across a restart, encrypted under the key-encryption key', async () => {
  const env = { CHANCERY_KEY_ENCRYPTION_KEY: KEY }
  const first = await serve({ env })
  const keys = await publishedKeys(first.origin)
  first.child.kill('SIGTERM')
  await first.finished

  const second = await serve({ env: { CHANCERY_KEY_ENCRYPTION_KEY: `${OTHER_KEY},${KEY}` } })

  expect(await publishedKeys(second.origin)).toEqual(keys)
  expect(statSync(join(directory, 'chancery.db')).mode & 0o077).toBe(0)
  second.child.kill('SIGTERM')
  await second.finished
  for (const [name, keyEnv] of [
    ['wrong', { CHANCERY_KEY_ENCRYPTION_KEY: OTHER_KEY }],
    ['missing', {}],
  ] as const) {
    await expect(serve({ env: keyEnv }), name).rejects.toThrow(/it ended with 2: .*CHANCERY_KEY_ENCRYPTION_KEY/s)
  }
})

test('serves the last good document after a restart when the one on disk is broken', async () => {
  const first = await serve()
  first.child.kill('SIGTERM')
  await first.finished
  writeFileSync(join(directory, 'federation.json'), '{ "version": 1,')

  const second = await serve()

  expect((await exchange(second.origin)).status).toBe(200)
  expect(second.err()).toContain('document refused')
  const empty = serve({ args: ['--store', `sqlite:${join(directory, 'empty.db')}`] })
  await expect(empty).rejects.toThrow(/it ended with 2: .*json_malformed/s)
})

test('takes a new document into force within seconds, and leaves the old one where the new is broken', async () => {
  const { origin, err } = await serve()
  expect((await exchange(origin)).status).toBe(200)

  writeDocument({ bindings: { other: bindingFor('orders', 'web', 'payments/api') } })
  await expect.poll(async () => (await exchange(origin)).status, { timeout: 10_000 }).toBe(400)
  writeFileSync(join(directory, 'federation.json'), 'broken')
  await expect.poll(err, { timeout: 10_000 }).toContain('document refused')

  expect((await exchange(origin)).status).toBe(400)
  writeDocument({})
  await expect.poll(async () => (await exchange(origin)).status, { timeout: 10_000 }).toBe(200)
})

test('follows a mounted ConfigMap, whose links are swapped', async () => {
  const mount = join(directory, 'mount')
  mkdirSync(mount)
  writeFileSync(join(mount, '.hidden.json'), 'not a document')
  writeFileSync(join(mount, 'federation.json'), readFileSync(join(directory, 'federation.json')))

  const { origin } = await serve({ args: ['--federation', mount] })

  expect((await exchange(origin)).status).toBe(200)
})

test('says what is wrong with the command line, all of it, and ends with 2', async () => {
  const { code, err, out } = await runChancery([
    'serve',
    '--listen',
    '0.0.0.0:0',
    '--issuer',
    'http://127.0.0.1:1',
    '--audit',
    'syslog',
    '--insecure-host',
    '127.0.0.1:1',
  ])

  expect({ code, out }).toEqual({ code: 2, out: '' })
  for (const name of ['--issuer', '--federation', '--audit', '--insecure-host', 'CHANCERY_KEY_ENCRYPTION_KEY']) {
    expect(err).toContain(`chancery: ${name}: `)
  }
})

test('refuses a port that is taken, naming the flag', async () => {
  const { origin } = await serve()
  const taken = origin.replace('http://', '')

  const args = [
    'serve',
    '--issuer',
    origin,
    '--listen',
    taken,
    '--federation',
    join(directory, 'federation.json'),
    '--insecure-host',
    cluster.host,
  ]
  const { code, err } = await runChancery([...args, '--store', `sqlite:${join(directory, 'chancery.db')}`])

  expect(code).toBe(2)
  expect(err).toContain('--listen: cannot listen on 127.0.0.1')
})

test('writes each audit record to standard output by default, and nothing else', async () => {
  const { origin, child, finished } = await serve({ args: ['--audit', 'stdout'] })
  await exchange(origin)
  child.kill('SIGTERM')

  const { out } = await finished

  expect(
    out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { decision: string }).decision),
  ).toEqual(['issued'])
})

test('does not start where its store cannot be written', async () => {
  const locked = join(directory, 'locked.db')
  writeFileSync(locked, 'this is not a database, and long enough to be seen as something else')
  chmodSync(locked, 0o600)

  await expect(serve({ args: ['--store', `sqlite:${locked}`] })).rejects.toThrow(/it ended with 2: .*--store/s)
})
