/** What an agent answers over HTTP, and whom it does not answer. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { IdentityPoolClient } from 'google-auth-library'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Agent, startAgent } from '../../src/cli/agent/agent.ts'
import { createAgentLog } from '../../src/cli/agent/agent-log.ts'
import type { ListenPlace } from '../../src/cli/agent/listen-place.ts'
import { REAL_WORLD } from '../../src/cli/delivery/keep-fresh.ts'
import { askSocket, type Bend } from '../support/ask-socket.ts'
import { type ClientScene, openClientScene } from '../support/client-scene.ts'
import { findFreePort } from '../support/process.ts'
import { makeScratch } from '../support/scratch.ts'

let scene: ClientScene
let agent: Agent
let port: number

beforeAll(async () => {
  scene = await openClientScene()
  port = await findFreePort()
  agent = await start({ kind: 'loopback', host: '127.0.0.1', port })
})
afterAll(async () => {
  await agent.stop()
  await scene.close()
})

function start(listen: ListenPlace): Promise<Agent> {
  const { now } = scene.clock
  const settings = {
    broker: scene.issuer,
    audience: 'ledger',
    proof: { file: '/pod/token' },
    environment: {},
    now,
    elapsed: now,
    readFile: () => scene.proof(),
  }
  const world = { ...REAL_WORLD, now: () => now() * 1_000 }
  return startAgent(
    { settings, outputs: [], listen },
    createAgentLog('text', () => undefined, world.now),
    world,
  )
}

describe('GET /token', () => {
  test('gives the answer of a token endpoint, which nobody keeps', async () => {
    const { status, headers, json } = await askSocket(port, '/token?audience=ledger&scope=entries:read')

    expect({ status, json }).toEqual({
      status: 200,
      json: {
        access_token: expect.stringMatching(/^ey/),
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: 900,
        expires_at: expect.any(Number),
        scope: 'entries:read',
      },
    })
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
  })

  test('without an audience is for the agent’s own', async () => {
    const named = await askSocket(port, '/token?audience=ledger')

    expect((await askSocket(port, '/token')).json.access_token).toBe(named.json.access_token)
    expect((await askSocket(port, '/token?audience=')).json.access_token).toBe(named.json.access_token)
  })

  test.each([
    ['a refused target', '/token?audience=other', 403, 'target_refused'],
    ['an unknown parameter', '/token?audience=ledger&format=raw', 400, 'invalid_request'],
    ['a repeated parameter', '/token?audience=ledger&audience=orders', 400, 'invalid_request'],
    ['an audience that is too long', `/token?audience=${'a'.repeat(2_049)}`, 400, 'invalid_request'],
    ['a scope that is none', '/token?audience=ledger&scope=%22', 400, 'invalid_request'],
    ['an unknown path', '/tokens', 404, 'not_found'],
    ['a path that no URL has', '//', 404, 'not_found'],
    ['an address', 'http://elsewhere.example/token', 404, 'not_found'],
  ])('of %s is an error with a name', async (_, path, status, error) => {
    expect(await askSocket(port, path)).toMatchObject({
      status,
      json: { error, error_description: expect.any(String) },
    })
  })

  test.each(['POST', 'OPTIONS', 'HEAD'])('is not %s', async (method) => {
    const reply = await askSocket(port, '/token?audience=ledger', { method })

    expect(reply).toMatchObject({ status: 405, headers: { allow: 'GET' } })
    expect(reply.headers).not.toHaveProperty('access-control-allow-origin')
  })

  const strangers: Readonly<Record<string, Bend>> = {
    'has not the header': { headers: { 'x-chancery-agent': undefined } },
    'has another value in the header': { headers: { 'x-chancery-agent': 'true' } },
    'has the header twice': { headers: { 'x-chancery-agent': ['1', '1'] } },
    'calls us by a name of DNS': { headers: { host: 'rebound.attacker.example' } },
    'calls us by a name that begins like ours': { headers: { host: 'localhost.attacker.example:80' } },
    'calls us by two names': { headers: { host: ['localhost', 'attacker.example'] } },
    'calls us by another address': { headers: { host: '169.254.169.254' } },
    'comes from a page': { headers: { origin: 'http://localhost:3000' } },
    'comes from a browser': { headers: { 'sec-fetch-site': 'same-origin' } },
    'was sent on by a proxy': { headers: { 'x-forwarded-for': '10.0.0.1' } },
    'was sent on by a proxy that says so otherwise': { headers: { forwarded: 'for=10.0.0.1' } },
    'was sent on by a proxy that names itself': { headers: { via: '1.1 proxy' } },
  }
  test.each(Object.entries(strangers))('gives nothing to a request that %s', async (_, bend) => {
    const { status, json } = await askSocket(port, '/token?audience=ledger', bend)

    expect({ status, json }).toEqual({
      status: 403,
      json: { error: 'forbidden', error_description: expect.any(String) },
    })
  })

  test.each(['localhost:99', '127.0.0.1', '[::1]:1', 'agent', 'LOCALHOST'])('answers to %s', async (host) => {
    expect(await askSocket(port, '/token?audience=ledger', { headers: { host } })).toMatchObject({ status: 200 })
  })

  test('is a URL source of google-auth-library, as its configuration file says', async () => {
    const client = new IdentityPoolClient({
      type: 'external_account',
      audience: 'ledger',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${scene.issuer}/token`,
      credential_source: {
        url: `http://127.0.0.1:${port}/token?audience=ledger`,
        headers: { 'x-chancery-agent': '1' },
        format: { type: 'json', subject_token_field_name: 'access_token' },
      },
    })
    const own = await askSocket(port, '/token?audience=ledger')

    expect(await client.retrieveSubjectToken()).toBe(own.json.access_token)
  })
})

describe('the socket file', () => {
  test('is its owner’s alone, and gone when the agent is', async () => {
    const path = join(makeScratch(), 'agent.sock')
    const other = await start({ kind: 'socket', path })
    const mode = statSync(path).mode & 0o777
    const reply = await askSocket(path, '/token?audience=ledger')
    await other.stop()

    expect({ mode, status: reply.status }).toEqual({ mode: 0o600, status: 200 })
    expect(existsSync(path)).toBe(false)
  })

  test('of an agent that is gone is replaced; a living one’s is not, nor what is no socket', async () => {
    const directory = makeScratch()
    const place = (name: string): ListenPlace => ({ kind: 'socket', path: join(directory, name) })
    const living = await start(place('living'))
    writeFileSync(join(directory, 'file'), 'mine')
    leaveSocket(join(directory, 'dead'))

    await expect(start(place('living'))).rejects.toThrow('another agent listens there')
    await expect(start(place('file'))).rejects.toThrow('something else lies there')
    const reborn = await start(place('dead'))
    const reply = await askSocket(join(directory, 'dead'), '/healthz')
    await Promise.all([living.stop(), reborn.stop()])

    expect(reply.status).toBe(200)
  })
})

test('a socket file whose agent is too busy to be heard is left alone', async () => {
  const path = join(makeScratch(), 'busy')
  const deaf = `() => { console.log('listening'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) }`
  const script = `require('net').createServer().listen({ path: process.argv[1], backlog: 1 }, ${deaf})`
  const busy = spawn(process.execPath, ['-e', script, path])
  await once(busy.stdout, 'data')
  const waiting = Array.from({ length: 8 }, () => connect(path).on('error', () => undefined))

  await expect(start({ kind: 'socket', path })).rejects.toThrow('another agent listens there')
  expect(existsSync(path)).toBe(true)
  for (const connection of waiting) connection.destroy()
  busy.kill('SIGKILL')
})

/** Makes what an agent leaves that had no time to clear up. */
function leaveSocket(path: string): void {
  const script = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', script, path])
}
