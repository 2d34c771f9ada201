/** A proxy of the environment gets neither proof nor token that is for this machine alone. */

import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { ACCESS_TOKEN_TYPE } from '../support/broker.ts'
import { type ConnectProxy, startConnectProxy } from '../support/connect-proxy.ts'
import type { Finished } from '../support/process.ts'
import { makeScratch } from '../support/scratch.ts'

const COMMAND = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const LIBRARY = fileURLToPath(new URL('../support/client-process.ts', import.meta.url))
const BUN_PACKAGE = `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}`
const BUN = fileURLToPath(new URL(`../../node_modules/${BUN_PACKAGE}/bin/bun`, import.meta.url))

let machine: StandInServer
let proxy: ConnectProxy

beforeAll(async () => {
  const token = { access_token: 'x', issued_token_type: ACCESS_TOKEN_TYPE, token_type: 'Bearer', expires_in: 900 }
  machine = await startStandInServer({
    route: ({ path }) => (path === '/token' ? { status: 200, body: token } : { status: 204 }),
  })
  proxy = await startConnectProxy(() => Number(new URL(machine.origin).port))
})
afterAll(async () => {
  await machine.close()
  await proxy.close()
})

/** Runs something where a proxy is named, by every word that a runtime heeds. */
async function runBehindProxy(runtime: string, args: readonly string[], spared = ''): Promise<Finished> {
  const names = { HTTP_PROXY: proxy.origin, http_proxy: proxy.origin, NO_PROXY: spared, no_proxy: spared }
  const child = spawn(runtime, args, { env: { ...process.env, ...names, NODE_USE_ENV_PROXY: '1' } })
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    texts.out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    texts.err += chunk.toString()
  })
  return await new Promise((resolve) => child.on('close', (code) => resolve({ code, ...texts })))
}

function proofFile(): string {
  const path = join(makeScratch(), 'proof')
  writeFileSync(path, 'a.b.c')
  return path
}

describe.each([
  ['Node', process.execPath],
  ['Bun', BUN],
])('under %s', (_, runtime) => {
  const isThere = existsSync(runtime)

  test.skipIf(!isThere)('chancery token asks a broker on this machine directly', async () => {
    const args = ['token', '--broker', machine.origin, '--audience', 'ledger', '--proof-file', proofFile()]

    expect(await runBehindProxy(runtime, [COMMAND, ...args])).toEqual({ code: 0, out: 'x\n', err: '' })
    expect(proxy.asked).toEqual([])
  })

  test.skipIf(!isThere)('the library asks a broker on this machine directly', async () => {
    const settings = JSON.stringify({ broker: machine.origin, proof: { file: proofFile() } })

    expect(await runBehindProxy(runtime, [LIBRARY, settings])).toMatchObject({ code: 0, err: '' })
    expect(proxy.asked).toEqual([])
  })

  test.skipIf(!isThere)('a token for a service on this machine is sent there, or to nobody', async () => {
    const settings = JSON.stringify({ broker: machine.origin, proof: { file: proofFile() } })
    const refused = await runBehindProxy(runtime, [LIBRARY, settings, machine.origin])
    const spared = await runBehindProxy(runtime, [LIBRARY, settings, machine.origin], 'elsewhere.example, 127.0.0.1')

    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('name 127.0.0.1 in NO_PROXY') })
    expect(spared).toMatchObject({ code: 0, out: expect.stringContaining('"status":204') })
    expect(proxy.asked).toEqual([])
  })
})
