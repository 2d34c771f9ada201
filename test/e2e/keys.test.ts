/** Signing keys as operators meet them: two brokers on one store, and the commands beside them. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeProtectedHeader } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import type { KeyAccount } from '../../src/cli/keys-text.ts'
import { formOf } from '../support/broker.ts'
import { documentFor } from '../support/document.ts'
import { makeEc, makeKeyFiles, makeRsa } from '../support/key-files.ts'
import {
  type Finished,
  findFreePort,
  type Running,
  runChancery,
  startChancery,
  waitUntilReady,
} from '../support/process.ts'

const ISSUER = 'https://broker.example'
const [OLD, NEW] = [Buffer.alloc(32, 7).toString('base64'), Buffer.alloc(32, 8).toString('base64')]

/** What is done to the keys is seen by every broker so soon, in milliseconds. */
const SEEN_WITHIN_MS = 5_000

let cluster: KubernetesStandIn
let directory: string
let running: Running[]

beforeAll(async () => {
  cluster = await startKubernetesStandIn()
  cluster.createServiceAccount('payments', 'api')
})
afterAll(() => cluster.close())

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'chancery-keys-'))
  running = []
  writeFileSync(join(directory, 'federation.json'), JSON.stringify(documentFor(cluster.issuer)))
})
afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL')
  await Promise.all(running.map(({ finished }) => finished))
  rmSync(directory, { recursive: true })
})

const store = (): string => `sqlite:${join(directory, 'chancery.db')}`

/** Starts a broker on the test's store, and gives where it is. */
async function serve(key = OLD, args: readonly string[] = []): Promise<{ origin: string; process: Running }> {
  const port = await findFreePort()
  const origin = `http://127.0.0.1:${port}`
  const process = startChancery(
    [
      ...['serve', '--issuer', ISSUER, '--listen', `127.0.0.1:${port}`, '--metrics-listen', '127.0.0.1:0'],
      ...['--federation', join(directory, 'federation.json'), '--store', store()],
      ...['--audit', `file:${join(directory, 'audit.jsonl')}`, '--insecure-host', cluster.host, ...args],
    ],
    { CHANCERY_KEY_ENCRYPTION_KEY: key },
  )
  running.push(process)
  await waitUntilReady(origin, process)
  return { origin, process }
}

function keys(args: readonly string[], key = OLD): Promise<Finished> {
  return runChancery(['keys', ...args, '--store', store()], { CHANCERY_KEY_ENCRYPTION_KEY: key })
}

async function list(key = OLD): Promise<readonly KeyAccount[]> {
  return JSON.parse((await keys(['list', '--json'], key)).out) as readonly KeyAccount[]
}

async function publishedAt(origin: string): Promise<readonly string[]> {
  const body = (await (await fetch(`${origin}/.well-known/jwks.json`)).json()) as { keys: readonly { kid: string }[] }
  return body.keys.map(({ kid }) => kid).sort()
}

async function signerAt(origin: string): Promise<string | undefined> {
  const wish = { namespace: 'payments', serviceAccount: 'api', audiences: [ISSUER] }
  const body = formOf(await cluster.requestToken(wish))
  const answer = (await (await fetch(`${origin}/token`, { method: 'POST', body })).json()) as { access_token?: string }
  return decodeProtectedHeader(answer.access_token ?? '').kid
}

test('a revoked key is gone from the key set and the signer of every broker within five seconds', async () => {
  const brokers = [await serve(), await serve()]
  const current = (await list()).find(({ state, algorithm }) => state === 'current' && algorithm === 'ES256')?.key_id
  const next = (await list()).find(({ state, algorithm }) => state === 'next' && algorithm === 'ES256')?.key_id
  for (const { origin } of brokers) expect(await signerAt(origin)).toBe(current)

  const { code } = await keys(['revoke', current ?? ''])
  const revokedAt = performance.now()

  expect(code).toBe(0)
  for (const { origin } of brokers) {
    await expect.poll(() => publishedAt(origin), { timeout: SEEN_WITHIN_MS, interval: 50 }).not.toContain(current)
    await expect.poll(() => signerAt(origin), { timeout: SEEN_WITHIN_MS, interval: 50 }).toBe(next)
  }
  expect(performance.now() - revokedAt).toBeLessThan(SEEN_WITHIN_MS)
  const [one, other] = await Promise.all(brokers.map(({ origin }) => publishedAt(origin)))
  expect(one).toEqual(other)
  expect(brokers[0]?.process.err()).toContain('a signing key was revoked')
})

test('commands end with 0, 1, 2 and 3 as they say', async () => {
  await serve()

  expect((await keys(['list'])).code).toBe(0)
  expect((await keys(['revoke', 'nobody'])).code).toBe(1)
  expect((await keys(['list'], NEW)).code).toBe(2)
  expect((await keys(['rotate', '--algorithm', 'HS256'])).code).toBe(2)
  expect((await keys(['revoke'])).code).toBe(2)
  expect((await runChancery(['keys', 'list', '--store', `sqlite:${join(directory, 'typo.db')}`])).code).toBe(2)
  const { code, err } = await keys(['rotate'])
  expect([code, err]).toEqual([3, expect.stringMatching(/^not yet, at the earliest \d{4}-\d\d-\d\dT/)])
})

test('a key may be called by an id that looks like an option', async () => {
  await serve()

  for (const keyId of ['-abc', '-hello', '--x', '-']) {
    const { code, err } = await keys(['revoke', keyId])
    expect([keyId, code, err]).toEqual([keyId, 1, expect.stringContaining(`is called ${keyId}:`)])
  }
})

test('the key-encryption key can be changed without a break, and the old one goes', async () => {
  const first = await serve(OLD)
  const before = await publishedAt(first.origin)
  first.process.child.kill('SIGTERM')
  await first.process.finished
  const second = await serve(`${NEW},${OLD}`)

  expect((await keys(['reencrypt'], `${NEW},${OLD}`)).code).toBe(0)
  // A change under the new key alone, which nobody follows who cannot read what it was made of.
  const next = (await list(NEW)).find(({ state }) => state === 'next')?.key_id ?? ''
  expect((await keys(['revoke', next], NEW)).code).toBe(0)
  await expect.poll(() => publishedAt(second.origin), { timeout: SEEN_WITHIN_MS, interval: 50 }).not.toContain(next)
  const others = before.filter((keyId) => keyId !== next)
  expect(await publishedAt(second.origin)).toEqual(expect.arrayContaining(others))
  expect(second.process.err()).not.toContain('could not be confirmed')
  second.process.child.kill('SIGTERM')
  await second.process.finished

  expect(await publishedAt((await serve(NEW)).origin)).toEqual(expect.arrayContaining(others))
  expect((await keys(['list'], OLD)).code).toBe(2)
})

test('a broker signs with the keys in a directory, and publishes one that is added', async () => {
  const files = makeKeyFiles()
  const ec = await files.put('ec.pem', makeEc())
  const rsa = await files.put('rsa.pem', makeRsa())
  const { origin } = await serve(OLD, ['--signing-keys', files.directory])
  expect(await publishedAt(origin)).toEqual([ec, rsa].sort())

  const added = await files.put('ec-2.pem', makeEc())

  await expect.poll(() => publishedAt(origin), { timeout: SEEN_WITHIN_MS }).toEqual([ec, rsa, added].sort())
  expect(await signerAt(origin)).toBe(ec)
  expect((await list()).find(({ key_id: keyId }) => keyId === added)).toMatchObject({ state: 'next', held: 'file' })
})
