/** The way from each kind of secret to a token, as src/verify/replacing has it: old callers and new ones at one service, and a real broker. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { generateStandInKey } from '../../providers/kit/stand-in-keys.ts'
import { createVerifier, type Verifier } from '../../src/verify/verifier.ts'
import { createLedger as createKeyLedger } from '../snippets/replacing/api-key-caller-before.ts'
import { createApp as createKeyApp } from '../snippets/replacing/api-key-service.ts'
import { createLedger as createBasicLedger } from '../snippets/replacing/basic-auth-caller-before.ts'
import { createApp as createBasicApp } from '../snippets/replacing/basic-auth-service.ts'
import { createLedger } from '../snippets/replacing/caller.ts'
import { createLedger as createSecretLedger } from '../snippets/replacing/client-secret-caller-before.ts'
import { createWhoCalls } from '../snippets/replacing/client-secret-service.ts'
import { createLedger as createHmacLedger } from '../snippets/replacing/shared-hmac-secret-caller-before.ts'
import { createApp as createHmacApp } from '../snippets/replacing/shared-hmac-secret-service.ts'
import { startTestBroker, type TestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { documentFor } from '../support/document.ts'
import { findFreePort } from '../support/process.ts'
import { rawJws, signerOf } from '../support/raw-jws.ts'
import { openScene, type Scene } from '../support/scene.ts'

const SECRET = 'an old secret'

let scene: Scene
let broker: TestBroker
let issuer: string
let directory: string
let verifier: Verifier
/** Who still came with what is to go. */
let counted: string[]
const servers: Server[] = []

beforeAll(async () => {
  const clock = createTestClock(Math.floor(Date.now() / 1_000))
  scene = await openScene({ broker: { clock } })
  const port = await findFreePort()
  issuer = `http://127.0.0.1:${port}`
  const document = documentFor(scene.cluster.issuer)
  broker = await startTestBroker({
    ...{ clock, document, insecureHosts: [scene.cluster.host] },
    flags: { issuer, listen: `127.0.0.1:${port}` },
  })
  directory = mkdtempSync(join(tmpdir(), 'chancery-replacing-'))
  writeFileSync(join(directory, 'proof'), await scene.proof())
})
beforeEach(() => {
  counted = []
  verifier = createVerifier({ issuer, audience: 'ledger' })
  vi.stubEnv('CHANCERY_PROOF_FILE', join(directory, 'proof'))
})
afterAll(async () => {
  for (const server of servers) server.closeAllConnections()
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  await broker.stop()
  await scene.close()
  rmSync(directory, { recursive: true })
})

const count = (caller: string): void => void counted.push(caller)

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function callerAt(call: () => Promise<Response>): Promise<unknown> {
  const response = await call()
  return response.status === 200 ? ((await response.json()) as { caller: unknown }).caller : response.status
}

/** A refused token beside a good secret: the token decides. */
async function statusWith(ledger: string, headers: Record<string, string>): Promise<number> {
  return (await fetch(`${ledger}/entries`, { headers: { authorization: 'Bearer x.y.z', ...headers } })).status
}

test('an API key', async () => {
  const app = createKeyApp(verifier, new Map([[SECRET, 'payments']]), count)
  const answer = getRequestListener(app.fetch)
  const ledger = await listen((request, response) => void answer(request, response))

  expect(await callerAt(createKeyLedger(ledger, SECRET))).toBe('payments')
  expect(await callerAt(createKeyLedger(ledger, 'another'))).toBe(401)
  expect(await callerAt(createLedger(ledger, issuer))).toBe('payments/api')
  expect(await statusWith(ledger, { 'x-api-key': SECRET })).toBe(401)
  expect((await fetch(`${ledger}/entries`)).status).toBe(401)
  expect(counted).toEqual(['payments'])
})

test('a shared HMAC secret', async () => {
  const ledger = await listen(createHmacApp(verifier, new Map([['payments/api', SECRET]]), count))

  expect(await callerAt(createHmacLedger(ledger, SECRET))).toBe('payments/api')
  expect(await callerAt(createHmacLedger(ledger, 'another'))).toBe(401)
  expect(await callerAt(createLedger(ledger, issuer))).toBe('payments/api')
  expect(await statusWith(ledger, { 'x-caller': 'payments/api' })).toBe(401)
  expect((await fetch(`${ledger}/entries`, { headers: { 'x-caller': 'payments/api' } })).status).toBe(401)
  expect((await fetch(`${ledger}/entries`, { headers: { 'x-caller': 'nobody', 'x-signature': '' } })).status).toBe(401)
  expect(counted).toEqual(['payments/api'])
})

test('basic authentication', async () => {
  const isPassword = async (user: string, password: string): Promise<boolean> =>
    user === 'payments' && password === SECRET
  const app = createBasicApp(verifier, isPassword, count)
  const ledger = await app.listen({ port: 0, host: '127.0.0.1' })

  expect(await callerAt(createBasicLedger(ledger, SECRET))).toBe('payments')
  expect(await callerAt(createBasicLedger(ledger, 'another'))).toBe(401)
  expect(await callerAt(createLedger(ledger, issuer))).toBe('payments/api')
  expect(await statusWith(ledger, {})).toBe(401)
  expect(counted).toEqual(['payments'])
  await app.close()
})

test('a client secret', async () => {
  const key = await generateStandInKey('RS256', 'old')
  const now = Math.floor(Date.now() / 1_000)
  const idp = await listen((request, response) => {
    const claims = { iss: idp, aud: 'ledger', client_id: 'payments', iat: now, exp: now + 600 }
    const token = rawJws({ alg: 'RS256', kid: 'old' }, claims, signerOf(key))
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.url === '/token' ? { access_token: token } : { keys: [key.jwk] }))
  })
  const whoCalls = createWhoCalls(verifier, idp, count)
  const ledger = await listen((request, response) => {
    const answer = (status: number, caller?: string): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ caller }))
    whoCalls(request.headers.authorization?.slice('Bearer '.length) ?? '').then(
      (caller) => answer(200, caller),
      () => answer(401),
    )
  })
  const forged = rawJws({ alg: 'RS256', kid: 'old', typ: 'at+jwt' }, { iss: issuer, aud: 'ledger' }, signerOf(key))

  expect(await callerAt(createSecretLedger(ledger, idp, SECRET))).toBe('payments')
  expect(await callerAt(createLedger(ledger, issuer))).toBe('payments/api')
  expect(await statusWith(ledger, { authorization: `Bearer ${forged}` })).toBe(401)
  expect(await statusWith(ledger, {})).toBe(401)
  expect(counted).toEqual(['payments'])
})
