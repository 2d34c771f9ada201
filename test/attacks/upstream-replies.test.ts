/** Answers of upstreams that try to lead somewhere else, to blow up, or never to end. */

import { brotliCompressSync, gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { type Failure, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import type { RefusalReason } from '../../src/audit/reasons.ts'
import { expectIssued, expectRefusal } from '../support/answers.ts'
import { formOf } from '../support/broker.ts'
import { type RawUpstream, startRawUpstream } from '../support/raw-upstream.ts'
import { openScene, type Scene, type SceneOptions } from '../support/scene.ts'

const DISCOVERY_PATH = '/.well-known/openid-configuration'
const KEY_SET_PATH = '/openid/v1/jwks'

/** Longer than the broker waits between two attempts. */
const RETRY_SECONDS = 31

async function openOwnScene(options: SceneOptions = {}): Promise<Scene> {
  const scene = await openScene({ cluster: { algorithm: 'ES256' }, ...options })
  onTestFinished(() => scene.close())
  return scene
}

/** A scene whose issuer answers in raw bytes; the cluster only signs. */
async function openRawScene(): Promise<{ scene: Scene; upstream: RawUpstream }> {
  const upstream = await startRawUpstream()
  onTestFinished(() => upstream.close())
  const scene = await openOwnScene({
    cluster: { algorithm: 'ES256', issuer: upstream.origin },
    broker: { insecureHosts: [upstream.host] },
  })
  return { scene, upstream }
}

/** Asserts that a genuine token cannot be judged while a path answers like this. The broker has no keys before, and none after. */
async function expectUnusable(scene: Scene, path: string, answer: Failure, reason: RefusalReason): Promise<void> {
  scene.cluster.fail(path, answer)
  const reply = await scene.broker.exchange(await scene.proof())
  scene.cluster.recover()
  expectRefusal(scene.broker, reply, 'TU', reason)
  scene.clock.advance(RETRY_SECONDS)
}

async function expectGenuineIssued(scene: Scene): Promise<void> {
  expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
}

test.each([
  ['metadata', DISCOVERY_PATH],
  ['keys', KEY_SET_PATH],
])('JWK-15 follows no redirect from %s', async (_, path) => {
  const scene = await openOwnScene()
  const { issuer, jwks } = scene.cluster
  const good = path === KEY_SET_PATH ? jwks : { issuer, jwks_uri: issuer + KEY_SET_PATH }
  const elsewhere = await startStandInServer({ route: () => ({ status: 200, body: good }) })
  onTestFinished(() => elsewhere.close())

  for (const status of [300, 301, 302, 303, 305, 307, 308]) {
    for (const location of [`${elsewhere.origin}/`, `//${elsewhere.host}/`, issuer + path, path, '/', '']) {
      await expectUnusable(scene, path, { status, headers: { location }, body: good }, 'upstream_redirected')
    }
  }
  await expectUnusable(scene, path, { status: 304 }, 'upstream_redirected')
  expect(elsewhere.requests).toEqual([])
  await expectGenuineIssued(scene)
})

test('JWK-15 follows no pointer in the head of a good answer', async () => {
  const scene = await openOwnScene()
  const elsewhere = await startStandInServer({ route: () => ({ status: 200, body: scene.cluster.jwks }) })
  onTestFinished(() => elsewhere.close())
  const pointer = `${elsewhere.origin}/`
  const headers = {
    location: pointer,
    'content-location': pointer,
    refresh: `0; url=${pointer}`,
    link: `<${pointer}>; rel=canonical`,
    'alt-svc': `h2="${elsewhere.host}"; ma=86400`,
  }
  scene.cluster.fail(KEY_SET_PATH, { status: 200, headers, body: scene.cluster.jwks })

  for (let fetches = 0; fetches < 3; fetches++) {
    await expectGenuineIssued(scene)
    scene.clock.advance(3_600)
  }
  expect(elsewhere.requests).toEqual([])
})

test('NET-05 asks for an answer without encoding, and takes no other', async () => {
  const scene = await openOwnScene()
  const text = JSON.stringify(scene.cluster.jwks)
  const encodings = [
    ...['gzip', 'br', 'deflate', 'zstd', 'compress', 'x-gzip', 'unknown', 'GZIP', ',', 'chunked'],
    ...['identity, gzip', 'gzip, identity', 'identity, identity', 'gzip;q=0', 'aws-chunked'],
    Array.from({ length: 100 }, () => 'gzip').join(', '),
    Array.from({ length: 1_000 }, () => 'br').join(','),
  ]

  for (const encoding of encodings) {
    const answer = { status: 200, headers: { 'content-encoding': encoding }, body: text }
    await expectUnusable(scene, KEY_SET_PATH, answer, 'upstream_encoded')
  }
  const asked = scene.cluster.requests.map(({ headers }) => headers['accept-encoding'])
  expect(new Set(asked)).toEqual(new Set(['identity']))
  const plain = { status: 200, headers: { 'content-encoding': 'identity' }, body: text }
  scene.cluster.fail(KEY_SET_PATH, plain)
  await expectGenuineIssued(scene)
})

/** Inflated, each would be too large; so a reason other than that says that it was not. */
test('NET-05 never inflates what it was sent, so that no bomb goes off', async () => {
  const { scene, upstream } = await openRawScene()
  const zeros = Buffer.alloc(64 * 1_048_576)
  const bombs = [
    ['Content-Encoding: br', brotliCompressSync(zeros), 'upstream_encoded'],
    ['Content-Encoding: gzip', gzipSync(zeros, { level: 1 }), 'upstream_encoded'],
    ['Content-Encoding: identity\r\nContent-Encoding: gzip', gzipSync(zeros.subarray(0, 1e6)), 'upstream_encoded'],
    ['X-Nothing: said', gzipSync(zeros.subarray(0, 1e6)), 'upstream_malformed'],
    ['X-Nothing: said', brotliCompressSync(zeros), 'upstream_malformed'],
  ] as const

  for (const [field, body, reason] of bombs) {
    const head = `HTTP/1.1 200 OK\r\n${field}\r\nContent-Length: ${body.length}\r\n\r\n`
    upstream.answerWith(Buffer.concat([Buffer.from(head), body]))
    expectRefusal(scene.broker, await scene.broker.exchange(await scene.proof()), 'TU', reason)
    scene.clock.advance(RETRY_SECONDS)
  }
})

const BODY = '{"keys":[]}'

/** Each is a whole answer in raw bytes, and why nothing is made of it. */
const STRANGE_ANSWERS: Readonly<Record<string, readonly [answer: string, reason: RefusalReason]>> = {
  'a transfer coding that is still on': [
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\n\x1f\x8b\x08\r\n0\r\n\r\n`,
    'upstream_malformed',
  ],
  'two lengths': [`HTTP/1.1 200 OK\r\nContent-Length: 11\r\nContent-Length: 12\r\n\r\n${BODY}`, 'upstream_unreachable'],
  'a length beside chunks': [
    `HTTP/1.1 200 OK\r\nContent-Length: 11\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n${BODY}\r\n0\r\n\r\n`,
    'upstream_unreachable',
  ],
  'a length that is too large, before any of it comes': [
    'HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n',
    'upstream_too_large',
  ],
  'a head of a megabyte': [`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(160_000)}\r\n`, 'upstream_unreachable'],
  'bare line feeds': [`HTTP/1.1 200 OK\nContent-Length: 11\n\n${BODY}`, 'upstream_unreachable'],
  'another protocol': ['SSH-2.0-OpenSSH_9.9\r\n', 'upstream_unreachable'],
}

test.each(Object.entries(STRANGE_ANSWERS))('NET-05 makes nothing of %s', async (_, [answer, reason]) => {
  const { scene, upstream } = await openRawScene()
  upstream.answerWith(Buffer.from(answer, 'latin1'))

  expectRefusal(scene.broker, await scene.broker.exchange(await scene.proof()), 'TU', reason)
})

test.each([
  ['to another protocol', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ['to HTTP/2', 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n\0\0\0\x04\0\0\0\0\0'],
])('NET-05 gives up an upstream that switches %s, and asks it again later', async (_, answer) => {
  const { scene, upstream } = await openRawScene()
  upstream.answerWith(answer)
  const exchange = async () => {
    const body = formOf(await scene.proof())
    return await scene.broker.send('/token', { method: 'POST', body, signal: AbortSignal.timeout(7_000) })
  }

  const { status, json } = await exchange()
  expect({ status, error: json.error }).toEqual({ status: 503, error: 'temporarily_unavailable' })
  upstream.answerWith(`HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n`)
  scene.clock.advance(RETRY_SECONDS)
  expectRefusal(scene.broker, await exchange(), 'TU', 'upstream_status')
})
