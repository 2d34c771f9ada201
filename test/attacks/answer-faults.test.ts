/** What is answered when something is wrong with us: no stack trace, no message, and never a token. */

import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { Refusal } from '../../src/exchange/refusal.ts'
import { type AppPorts, createApp } from '../../src/http/app.ts'
import { createServer } from '../../src/http/server.ts'
import { DESCRIPTIONS } from '../../src/oauth/errors.ts'
import { expectErrorShape } from '../support/answers.ts'
import { formOf, type Reply } from '../support/broker.ts'
import { BROKER } from '../support/document.ts'
import { sendRaw } from '../support/raw-http.ts'

const SECRET = 'eyJhbGciOiJSUzI1NiJ9.a-secret-in-a-message'
const JWKS = '/.well-known/jwks.json'

let server: Server | undefined
afterEach(() => server?.close())

/** Serves the application over these ports, and gives where. */
async function serve(ports: Partial<AppPorts>): Promise<{ origin: string; bugs: readonly string[] }> {
  const bugs: string[] = []
  const app = createApp({
    brokerIssuer: BROKER,
    exchange: () => Promise.reject(new Refusal('not_ready')),
    snapshot: () => undefined,
    subjectTokenTypes: [],
    isTrustedProxy: () => false,
    onBug: (_, requestId) => void bugs.push(requestId),
    ...ports,
  })
  const listening = createServer(app, undefined)
  server = listening
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  return { origin: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`, bugs }
}

async function ask(origin: string, path: string): Promise<Reply> {
  const body = formOf(SECRET).toString()
  const head = path === '/token' ? 'POST /token' : `GET ${path}`
  const fields = `Host: b\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n`
  const length = path === '/token' ? `Content-Length: ${body.length}\r\n\r\n${body}` : '\r\n'
  const [reply] = await sendRaw(origin, `${head} HTTP/1.1\r\n${fields}${length}`)
  if (reply === undefined) throw new Error('no answer came')
  return reply
}

function expectError(reply: Reply, status: number, description: keyof typeof DESCRIPTIONS): void {
  expectErrorShape(reply)
  expect([reply.status, reply.json.error_description]).toEqual([status, DESCRIPTIONS[description]])
  expect(JSON.stringify([...reply.headers])).not.toContain(SECRET)
  expect(reply.text).not.toContain(SECRET)
}

test('OAU-27 a bug in the exchange is a plain 500', async () => {
  for (const bug of [
    new Error(SECRET),
    new TypeError(SECRET),
    SECRET,
    undefined,
    { message: SECRET },
    new RangeError(),
  ]) {
    const { origin } = await serve({ exchange: () => Promise.reject(bug) })

    expectError(await ask(origin, '/token'), 500, 'internal')
    server?.close()
  }
})

test('OAU-27 a bug anywhere else is a plain 500, and reported under its request id', async () => {
  const { origin, bugs } = await serve({
    snapshot: () => {
      throw new Error(SECRET)
    },
  })

  for (const path of [JWKS, '/readyz']) {
    const reply = await ask(origin, path)

    expectError(reply, 500, 'internal')
    expect(bugs).toContain(reply.requestId)
  }
})

test('OAU-27 an answer that cannot be written as JSON gives no token', async () => {
  const circular: Record<string, unknown> = { access_token: SECRET }
  circular.itself = circular
  const { origin } = await serve({ exchange: async () => circular as never })

  expectError(await ask(origin, '/token'), 500, 'internal')
})

test('OPS-05 without a document or a key nothing is ready, and probes of life still answer', async () => {
  const { origin } = await serve({})

  for (const path of ['/readyz', JWKS, '/token']) {
    const reply = await ask(origin, path)

    expectError(reply, 503, 'broker_unavailable')
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0)
  }
  expect(await ask(origin, '/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } })
})
