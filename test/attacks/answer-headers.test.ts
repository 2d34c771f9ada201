/** The header fields of every answer there is: OAU-27. */

import type { Socket } from 'node:net'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { MAX_IN_FLIGHT } from '../../src/http/token-route.ts'
import { DESCRIPTIONS } from '../../src/oauth/errors.ts'
import { expectErrorShape, expectRefusal } from '../support/answers.ts'
import { formOf, type Reply } from '../support/broker.ts'
import { openSocket, parseReplies, readToClose, sendRaw } from '../support/raw-http.ts'
import { openScene, type Scene } from '../support/scene.ts'

const FORM = 'application/x-www-form-urlencoded'
const PUBLIC = [
  '/.well-known/jwks.json',
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
]
const PROBES = ['/healthz', '/readyz']

let scene: Scene
/** Begins with the file, as it takes ten seconds to be given up. */
let tooSlow: Promise<readonly Reply[]>
beforeAll(async () => {
  scene = await openScene()
  tooSlow = sendRaw(scene.broker.origin, `POST /token HTTP/1.1\r\nHost: b\r\nContent-Type: ${FORM}\r\n`)
})
afterAll(() => scene.close())

const seen = new Set<string>()

/** What holds of every answer, good or bad. */
function expectCommon(reply: Reply | undefined): asserts reply is Reply {
  if (reply === undefined) throw new Error('no answer came')
  expect(reply.headers.get('content-type')).toBe('application/json')
  expect(reply.headers.get('x-content-type-options')).toBe('nosniff')
  expect(reply.requestId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  expect(seen).not.toContain(reply.requestId)
  seen.add(reply.requestId)
  const ours = new Set(['content-type', 'x-content-type-options', 'cache-control', 'pragma', 'x-request-id'])
  const framing = ['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding', 'allow', 'retry-after']
  expect([...reply.headers.keys()].filter((name) => !ours.has(name) && !framing.includes(name))).toEqual([])
  expect(reply.text).not.toMatch(/\bat .+:\d+|\.ts\b|Error\b|node_modules/)
}

function expectPrivate(reply: Reply | undefined): asserts reply is Reply {
  expectCommon(reply)
  expect([reply.headers.get('cache-control'), reply.headers.get('pragma')]).toEqual(['no-store', 'no-cache'])
}

function expectError(reply: Reply | undefined, status: number, description: keyof typeof DESCRIPTIONS): void {
  expectPrivate(reply)
  expectErrorShape(reply)
  expect([reply.status, reply.json.error_description]).toEqual([status, DESCRIPTIONS[description]])
}

test('OAU-27 a token is never stored', async () => {
  const reply = await scene.broker.exchange(await scene.proof())

  expectPrivate(reply)
  expect(reply.status).toBe(200)
})

test('OAU-27 keys and metadata are public for five minutes, by GET and by HEAD', async () => {
  for (const path of PUBLIC) {
    for (const method of ['GET', 'HEAD']) {
      const reply = await scene.broker.send(path, { method })

      expectCommon(reply)
      expect([reply.status, reply.headers.get('cache-control')]).toEqual([200, 'public, max-age=300'])
      expect(reply.headers.get('pragma')).toBeNull()
    }
  }
})

test('OAU-27 probes are private', async () => {
  for (const path of PROBES) {
    const reply = await scene.broker.send(path)

    expectPrivate(reply)
    expect([reply.status, Object.keys(reply.json)]).toEqual([200, ['status']])
  }
})

const NOWHERE = [
  ...['/', '/token/', '/TOKEN', '/token/x', '//token', '/token//', '/token;x', '/x/token', '/./token/../x'],
  ...['/metrics', '/.well-known/', '/.well-known/jwks', '/.well-known/openid-configuration/', '/healthz/', '/health'],
  ...['/token%2f', '/token%00', '/%', '/%zz', '/%ff', '/*', '/:x', '/favicon.ico', '/.env', '/..%2f..%2fetc%2fpasswd'],
  ...['/.well-known/oauth-authorization-server/x', '/admin', '/__proto__', '/constructor', '/token.json'],
]

test('OAU-27 there is nothing at any other path, by whatever method', async () => {
  for (const path of NOWHERE) {
    for (const method of ['GET', 'POST']) {
      const [reply, ...others] = await sendRaw(
        scene.broker.origin,
        `${method} ${path} HTTP/1.1\r\nHost: b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      )

      expect(others).toEqual([])
      expectError(reply, 404, 'path_unknown')
    }
  }
})

test('OAU-27 every path says which methods it takes', async () => {
  for (const path of [...PUBLIC, ...PROBES]) {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const reply = await scene.broker.send(path, { method })

      expectError(reply, 405, 'method_not_allowed')
      expect(reply.headers.get('allow')).toBe('GET, HEAD')
    }
  }
  expectError(await scene.broker.send('/token'), 405, 'method_not_allowed')
})

test('OAU-27 every refusal of a request has them', async () => {
  const proof = await scene.proof()
  const exchange = scene.broker.exchange

  expectError(await exchange('garbage'), 400, 'subject_token_refused')
  expectError(await exchange(proof, { grant_type: 'x' }), 400, 'grant_type_unsupported')
  expectError(await exchange(proof, { grant_type: undefined }), 400, 'parameter_missing')
  expectError(await exchange(proof, { client_id: ['x', 'x'] }), 400, 'parameter_repeated')
  expectError(await exchange(proof, { actor_token: proof }), 400, 'actor_unsupported')
  expectError(await exchange(proof, { subject_token_type: 'x' }), 400, 'subject_token_type_unsupported')
  expectError(await exchange(proof, { requested_token_type: 'x' }), 400, 'requested_token_type_unsupported')
  expectError(await exchange(proof, { audience: 'x' }), 400, 'target_refused')
  expectError(await exchange(proof, { audience: ['x', 'y'] }), 400, 'target_ambiguous')
  expectError(await exchange(proof, { scope: 'x' }), 400, 'scope_refused')
  expectError(await exchange(proof, { scope: '"' }), 400, 'scope_malformed')
  expectError(await exchange(proof, { padding: 'x'.repeat(70_000) }), 413, 'body_too_large')
  const body = formOf(proof)
  expectError(await scene.broker.send('/token?scope=x', { method: 'POST', body }), 400, 'parameter_in_query')
  expectError(await scene.broker.send('/token', { method: 'POST', body: 'x' }), 415, 'media_type_unsupported')
  const headers = { authorization: 'Bearer x' }
  expectError(await scene.broker.send('/token', { method: 'POST', body, headers }), 400, 'authorization_unsupported')
})

test('OAU-27 trouble upstream has them, and says when to come again', async () => {
  const other = await openScene()
  other.cluster.fail('*', 'down')
  const reply = await other.broker.exchange(await other.proof())
  await other.close()

  expectError(reply, 503, 'upstream_unavailable')
  expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0)
})

/** Requests that no client sends, and what the parser or the first look at a head makes of them. */
const BROKEN: readonly (readonly [string, string, 400 | 431])[] = [
  ['no request line', 'GARBAGE\r\n\r\n', 400],
  ['no Host', 'GET /token HTTP/1.1\r\n\r\n', 400],
  ['an empty Host', 'GET /token HTTP/1.1\r\nHost:\r\n\r\n', 400],
  ['two Hosts', 'GET /token HTTP/1.1\r\nHost: b\r\nHost: b\r\n\r\n', 400],
  ['HTTP/1.0 without a Host', 'GET /token HTTP/1.0\r\n\r\n', 400],
  ['a proxy’s target', 'GET http://b/token HTTP/1.1\r\nHost: b\r\n\r\n', 400],
  ['no target', 'OPTIONS * HTTP/1.1\r\nHost: b\r\n\r\n', 400],
  ['an unknown version', 'GET /token HTTP/9.9\r\nHost: b\r\n\r\n', 400],
  ['HTTP/2 in the clear', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['a space before a colon', 'GET /token HTTP/1.1\r\nHost: b\r\nX : y\r\n\r\n', 400],
  ['a length that is no number', 'POST /token HTTP/1.1\r\nHost: b\r\nContent-Length: x\r\n\r\n', 400],
  ['an expectation', 'POST /token HTTP/1.1\r\nHost: b\r\nExpect: x\r\nContent-Length: 0\r\n\r\n', 400],
  ['a long target', `GET /${'x'.repeat(3_000)} HTTP/1.1\r\nHost: b\r\n\r\n`, 400],
  ['a long field', `GET /token HTTP/1.1\r\nHost: b\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ['many fields', `GET /token HTTP/1.1\r\nHost: b\r\n${'X: y\r\n'.repeat(150)}\r\n`, 431],
]

test.each(BROKEN)('OAU-27 a request with %s is answered like everything else', async (_, bytes, status) => {
  const [reply, ...others] = await sendRaw(scene.broker.origin, bytes)

  expect(others).toEqual([])
  expectError(reply, status, status === 431 ? 'head_too_large' : 'request_malformed')
  expect(reply?.headers.get('connection')).toBe('close')
})

/** Requests that Node answers, or drops, by itself where nobody takes them. */
const SPECIAL = [
  'CONNECT token:443 HTTP/1.1\r\nHost: b\r\n\r\n',
  'GET /token HTTP/1.1\r\nHost: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'GET /token HTTP/1.1\r\nHost: b\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n',
]

test('OAU-27 nobody gets a tunnel or another protocol', async () => {
  for (const bytes of SPECIAL) {
    const socket = await openSocket(scene.broker.origin)
    const received = readToClose(socket)
    socket.write(bytes)
    socket.end()
    const text = await received

    expect(text).not.toMatch(/^HTTP\/1\.1 (101|2)/)
    if (text !== '') expectError(parseReplies(text)[0], 405, 'method_not_allowed')
  }
})

test('OAU-27 too many at once are told so, and served when the others are done', async () => {
  const busy = await openScene()
  onTestFinished(() => busy.close())
  const proof = await busy.proof()
  busy.cluster.fail('*', 'slow')
  // All wait for one key set that does not come; those that no longer fit are answered at once.
  const replies = await Promise.all(Array.from({ length: MAX_IN_FLIGHT + 8 }, () => busy.broker.exchange(proof)))
  busy.cluster.recover()

  const turnedAway = replies.filter(({ status }) => status === 429)
  expect(turnedAway).toHaveLength(8)
  for (const reply of turnedAway) expectRefusal(busy.broker, reply, 'RL', 'too_busy')
  expect(replies.filter(({ status }) => status === 503)).toHaveLength(MAX_IN_FLIGHT)
  busy.clock.advance(60)
  expect((await busy.broker.exchange(proof)).status).toBe(200)
})

test('OAU-27 bodies that never end take nobody’s place', async () => {
  const held: Socket[] = []
  onTestFinished(() => {
    for (const socket of held) socket.destroy()
  })
  const head = `POST /token HTTP/1.1\r\nHost: b\r\nContent-Type: ${FORM}\r\nContent-Length: 60000\r\n\r\ngrant_type=`
  for (let count = 0; count < MAX_IN_FLIGHT + 8; count++) {
    const socket = await openSocket(scene.broker.origin)
    socket.on('error', () => undefined).write(head)
    held.push(socket)
  }

  expect((await scene.broker.exchange(await scene.proof())).status).toBe(200)
})

test('OAU-27 a request that is never complete is given up after ten seconds', async () => {
  const [reply, ...others] = await tooSlow

  expect(others).toEqual([])
  expectError(reply, 408, 'request_too_slow')
})
