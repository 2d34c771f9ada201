/** Nothing secret is ever written down: OPS-01. */

import type { KeyObject } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { describeBug } from '../../src/log.ts'
import { createSealer } from '../../src/store/seal.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { createRingStore } from '../../src/tokens/ring-store.ts'
import { formOf, type Parameters } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { BROKER, documentFor } from '../support/document.ts'
import { createLeakWatch } from '../support/leaks.ts'
import { type LoudBroker, startLoudBroker } from '../support/loud-broker.ts'
import { sendRaw } from '../support/raw-http.ts'
import { POD } from '../support/scene.ts'

const REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews'
const PASSWORD = 'a-password-that-nobody-should-ever-read'

const clock = createTestClock()
const leaks = createLeakWatch()
let cluster: KubernetesStandIn
let broker: LoudBroker
beforeAll(async () => {
  cluster = await startKubernetesStandIn({ now: clock.now })
  cluster.createServiceAccount('payments', 'api')
  cluster.createServiceAccount('shop', 'web')
  cluster.createPod('payments', 'api-1', 'api')
  const review = { api_server: cluster.origin, token_file: 'reviewer' }
  const issuer = { provider: 'kubernetes', issuers: [cluster.issuer], token_review: review }
  broker = await startLoudBroker({
    clock,
    document: documentFor(cluster.issuer, { trusted_issuers: { cluster: issuer } }),
    insecureHosts: [cluster.host],
    secrets: { reviewer: cluster.reviewerToken },
  })
  leaks.watch(cluster.reviewerToken)
  leaks.watch(broker.keyEncryptionKey.toString('base64'))
  leaks.watch(broker.keyEncryptionKey.toString('hex'))
  leaks.watch(PASSWORD)
})
afterAll(async () => {
  await broker.stop()
  await cluster.close()
})

async function send(path: string, init: RequestInit): Promise<number> {
  const response = await fetch(broker.origin + path, init)
  const { access_token: token } = JSON.parse((await response.text()) || '{}') as { access_token?: string }
  leaks.watch(token)
  return response.status
}

function exchange(proof: string, parameters: Parameters = {}, headers: Record<string, string> = {}): Promise<number> {
  leaks.watch(proof)
  return send('/token', { method: 'POST', body: formOf(proof, parameters), headers })
}

async function forge(claims: object, header: Record<string, unknown> = {}): Promise<string> {
  return await cluster.sign({ ...cluster.claimsFor(POD), ...claims }, header)
}

/** Proofs of every kind, good and bad. */
async function driveProofs(): Promise<readonly number[]> {
  const good = await cluster.requestToken(POD)
  const [header = '', payload = ''] = good.split('.')
  const proofs = [
    good,
    `${good}\n`,
    good.slice(0, -1),
    `${header}.${payload}.`,
    `${header}.${payload}.${Buffer.alloc(256, 3).toString('base64url')}`,
    await forge({ exp: clock.now() - 1, iat: clock.now() - 700 }),
    await forge({ aud: 'https://somebody.else.example' }),
    await forge({ iss: 'https://somebody.else.example' }),
    await forge({ sub: PASSWORD, nonce: PASSWORD, [PASSWORD]: PASSWORD }),
    await forge({ [PASSWORD]: PASSWORD, act: { sub: PASSWORD } }),
    await forge({}, { kid: PASSWORD }),
    await forge({}, { typ: PASSWORD, jku: PASSWORD }),
    await cluster.requestToken({ namespace: 'shop', serviceAccount: 'web', audiences: [BROKER] }),
    PASSWORD,
    'x'.repeat(20_000),
  ]
  const statuses: number[] = []
  for (const proof of proofs) statuses.push(await exchange(proof))
  return statuses
}

/** A good proof, and something wrong with everything else; or secrets where none belong. */
async function driveRequests(): Promise<void> {
  const proof = await cluster.requestToken(POD)
  const basic = Buffer.from(`client:${PASSWORD}`).toString('base64')
  leaks.watch(basic)
  const wishes: readonly Parameters[] = [
    { audience: 'nobody' },
    { audience: proof },
    { scope: proof },
    { client_id: PASSWORD, client_secret: PASSWORD },
    { client_assertion: proof },
    { actor_token: proof },
    { grant_type: PASSWORD },
    { grant_type: proof },
    { subject_token_type: proof },
    { requested_token_type: proof },
    { subject_token: [proof, proof] },
    { [proof]: proof },
  ]
  for (const wish of wishes) await exchange(proof, wish)
  for (const authorization of [`Basic ${basic}`, `Bearer ${proof}`, `Basic ${basic}A`]) {
    await exchange(proof, {}, { authorization, cookie: `session=${PASSWORD}`, 'x-request-id': PASSWORD })
  }
  const query = `?${formOf(proof).toString()}`
  await send(`/token${query}`, { method: 'GET' })
  await send(`/token${query}`, { method: 'POST' })
  await send(`/${proof}`, { method: 'GET' })
  await send(`/healthz${query}`, { method: 'GET', headers: { 'user-agent': PASSWORD, referer: `https://x/${query}` } })
  await send('/token', { method: 'POST', body: JSON.stringify({ subject_token: proof }) })
  await sendRaw(
    broker.origin,
    `POST /token HTTP/1.1\r\nHost: b\r\nContent-Length: x\r\nX: ${proof}\r\n\r\n${formOf(proof).toString()}`,
  )
  await sendRaw(broker.origin, `${proof}\r\n\r\n`)
}

/** A good proof, and a cluster that fails in every way. */
async function driveOutages(): Promise<readonly number[]> {
  const statuses: number[] = []
  const failures = [
    'down',
    'redirecting',
    'encoded',
    'wrong',
    { status: 401 },
    { status: 500, body: PASSWORD },
  ] as const
  for (const failure of failures) {
    cluster.fail(REVIEWS, failure)
    statuses.push(await exchange(await cluster.requestToken(POD)))
  }
  const mirror = { user: { username: PASSWORD }, error: PASSWORD, authenticated: true }
  cluster.fail(REVIEWS, { status: 201, body: { kind: 'TokenReview', status: mirror } })
  statuses.push(await exchange(await cluster.requestToken(POD)))
  cluster.recover()
  return statuses
}

test('OPS-01 no proof, token, credential or key is in a log, a record or a metric', async () => {
  const statuses = await driveProofs()
  await driveRequests()
  const outages = await driveOutages()
  for (const key of await privateKeys()) leaks.watch(key.export({ type: 'pkcs8', format: 'der' }).toString('base64'))

  const texts = await broker.texts()

  expect(statuses.filter((status) => status === 200)).toHaveLength(3)
  expect(outages).toEqual([503, 503, 503, 503, 503, 503, 400])
  expect(texts.audit.split('\n').length).toBeGreaterThan(30)
  expect(texts.log).toContain('"reason":"signature_invalid"')
  leaks.check(texts)
})

test('OPS-01 no private key is in the store as it is', async () => {
  const bytes = broker.storeBytes()
  const keys = await privateKeys()

  expect(keys.length).toBeGreaterThan(0)
  for (const key of keys) {
    const der = key.export({ type: 'pkcs8', format: 'der' })
    const { d = '' } = key.export({ format: 'jwk' })
    for (const form of [der, der.toString('base64').slice(40, 120), der.toString('hex').slice(80, 200), d]) {
      expect(bytes.includes(form)).toBe(false)
    }
    expect(bytes.includes(Buffer.from(d, 'base64url'))).toBe(false)
  }
  expect(bytes.includes(broker.keyEncryptionKey)).toBe(false)
})

async function privateKeys(): Promise<readonly KeyObject[]> {
  const store = await openSqliteStore(broker.storePath)
  const { keys } = await createRingStore(store, createSealer([broker.keyEncryptionKey])).read()
  await store.close()
  return keys.flatMap(({ privateKey }) => privateKey ?? [])
}

test('OPS-01 a bug is logged without its message, even where that looks like a frame of the stack', () => {
  for (const message of [
    PASSWORD,
    `x\n    at ${PASSWORD}`,
    `x\n    at f (${PASSWORD}:1:1)`,
    `\n    at ${PASSWORD}\n`,
  ]) {
    for (const bug of [new Error(message), new TypeError(message, { cause: new Error(PASSWORD) }), message]) {
      expect(JSON.stringify(describeBug(bug))).not.toContain(PASSWORD)
    }
  }
})

test('OPS-01 the search finds a planted secret, whole or its signature alone, and a private key', async () => {
  const proof = await cluster.requestToken(POD)
  const watch = createLeakWatch()
  watch.watch(proof)
  const [, payload, signature] = proof.split('.')

  for (const planted of [`a line with ${proof}`, `{"x":"${signature}"}`, `${payload}`]) {
    expect(() => watch.check({ log: planted })).toThrow()
    expect(() => watch.check({ log: '', audit: planted })).toThrow()
  }
  expect(() => watch.check({ log: '-----BEGIN PRIVATE KEY-----' })).toThrow()
  expect(() => watch.check({ log: '{"kty":"EC","d":"x"}' })).toThrow()
  expect(() => watch.check({ log: 'nothing of that kind' })).not.toThrow()
})
