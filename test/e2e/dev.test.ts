/** `chancery dev` as a developer has it: one process, the environment that it prints, and the lines that it writes. */

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { hasTool } from '../support/found-tool.ts'
import { findFreePort, type Running, runChancery, startChancery } from '../support/process.ts'

const WORKLOAD = fileURLToPath(new URL('../support/dev-workload.ts', import.meta.url))
const CLOUDS = ['kubernetes', 'aws', 'gcp', 'azure'] as const

/** Where the tests' own environment would lead an SDK, were it not taken away. */
const MISLEADING = { AWS_PROFILE: 'mine', GOOGLE_APPLICATION_CREDENTIALS: '/home/me/adc.json' }

let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'chancery-dev-test-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function untilSaid(running: Running, pattern: RegExp): Promise<RegExpExecArray> {
  return await vi.waitFor(
    () => {
      const said = pattern.exec(running.out())
      if (said === null) throw new Error(`${pattern} was not said:\n${running.out()}\n${running.err()}`)
      return said
    },
    { timeout: 15_000, interval: 25 },
  )
}

async function startDev(...args: readonly string[]): Promise<Running> {
  const running = startChancery(['dev', '--port', '0', ...args])
  await untilSaid(running, /^# Then try\n(.+\n)+/m)
  return running
}

interface Told {
  readonly status: number
  readonly requestId: string
  readonly body: { readonly access_token?: string; readonly error?: string }
}

/** Runs a workload in a shell that read the environment, as the developer's does. */
async function runWorkload(environment: string, cloud: string): Promise<Told> {
  const words = [process.execPath, WORKLOAD, cloud]
  if (cloud === 'kubernetes') words.push(join(directory, 'run', 'kubernetes-token'))
  const child = spawn('sh', ['-c', `. '${environment}' && exec "$@"`, 'sh', ...words], {
    env: { PATH: process.env.PATH, ...MISLEADING },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  for await (const chunk of child.stdout) out += String(chunk)
  return JSON.parse(out) as Told
}

describe('a developer’s clouds', () => {
  let dev: Running
  const environment = (): string => join(directory, 'run', 'environment')
  const federation = (): string => join(directory, 'federation.json')

  beforeAll(async () => {
    dev = await startDev('--directory', directory)
  })
  afterAll(async () => {
    dev.child.kill('SIGINT')
    await dev.finished
  })

  test('give each cloud’s official SDK a proof, and the broker a token for it', async () => {
    const told = await Promise.all(CLOUDS.map((cloud) => runWorkload(environment(), cloud)))

    for (const { status, body } of told) {
      expect(status, JSON.stringify(body)).toBe(200)
      expect(decodeJwt(body.access_token ?? '')).toMatchObject({
        sub: 'spiffe://dev.example/payments/api',
        aud: 'ledger',
        scope: 'entries:read',
      })
    }
    for (const [at, { requestId }] of told.entries()) {
      const line = `issued {3}payments/api -> ledger \\[entries:read\\] {2}dev-${CLOUDS[at]}: .+ {2}${requestId}$`
      await untilSaid(dev, new RegExp(`^\\d\\d:\\d\\d:\\d\\d {2}${line}`, 'm'))
    }
  })

  test('are told without colours to whatever is no terminal', () => {
    expect(dev.out()).not.toContain('\u001b')
  })

  test('are found by the lines that were printed, which are those of the file', async () => {
    const printed = dev.out().match(/^(export \w+=.*|unset .*)$/gm) ?? []

    expect(readFileSync(environment(), 'utf8').split('\n').slice(1, -1)).toEqual(printed)
    const node = ['--env-file', environment(), '-p', 'process.env.CHANCERY_AUDIENCE']
    expect(spawnSync(process.execPath, node, { encoding: 'utf8' }).stdout.trim()).toBe('ledger')
  })

  test('keep what leads to them, and their proofs, from other accounts of the machine', () => {
    for (const file of ['environment', 'kubernetes-token']) {
      expect(statSync(join(directory, 'run', file)).mode & 0o777).toBe(0o600)
    }
    expect(statSync(join(directory, 'run')).mode & 0o777).toBe(0o700)
  })

  test.skipIf(!hasTool('curl', 'what dev prints to try'))('answer the commands that are printed to try', async () => {
    const [, curl = ''] = await untilSaid(dev, /^(curl .*)$/m)
    const answer = spawnSync('sh', ['-c', curl], { encoding: 'utf8' })

    expect(JSON.parse(answer.stdout)).toMatchObject({ token_type: 'Bearer' })
  })

  test('follow the document when it is edited, and explain what it refuses', async () => {
    const document = JSON.parse(readFileSync(federation(), 'utf8')) as { bindings: Record<string, unknown> }
    const { 'payments-api-gcp': _, ...bindings } = document.bindings
    writeFileSync(federation(), JSON.stringify({ ...document, bindings }))
    await untilSaid(dev, /^document in force: 3 bindings$/m)

    const { status, requestId } = await runWorkload(environment(), 'gcp')
    const [, explain = ''] = await untilSaid(dev, new RegExp(`refused .*${requestId}\\n +why: chancery (.*)$`, 'm'))
    const explained = await runChancery(explain.split(' '))

    expect(status).toBe(400)
    expect(explained.code).toBe(1)
    expect(explained.out).toContain('it has no bindings at all')
  })

  test('keep what was in force when an edit breaks the document, and say what is wrong', async () => {
    writeFileSync(federation(), '{ "version": 1 }')

    await untilSaid(dev, /^document refused: what was in force still is\n +\S*: .+ \[\w+\]$/m)
    expect((await runWorkload(environment(), 'aws')).status).toBe(200)
  })
})

describe('what stands in the directory', () => {
  const opened: string[] = []
  const running: Running[] = []
  const openOwn = (): string => {
    const own = mkdtempSync(join(tmpdir(), 'chancery-dev-own-'))
    opened.push(own)
    return own
  }
  afterEach(async () => {
    for (const each of running.splice(0)) {
      each.child.kill('SIGTERM')
      await each.finished
    }
    for (const own of opened.splice(0)) rmSync(own, { recursive: true, force: true })
  })

  test('is never written over: a document stays as it is, and is good for the next start on the same port', async () => {
    const own = openOwn()
    const args = ['dev', '--port', String(await findPortWithRoom()), '--directory', own]
    const first = startChancery(args)
    await untilSaid(first, /^# Then try$/m)
    first.child.kill('SIGINT')
    expect((await first.finished).code).toBe(0)
    const text = readFileSync(join(own, 'federation.json'), 'utf8').replace('"dev.example"', '"mine.example"')
    writeFileSync(join(own, 'federation.json'), text)

    const second = startChancery(args)
    running.push(second)
    await untilSaid(second, /^# Then try$/m)
    const told = await Promise.all(CLOUDS.slice(1).map((cloud) => runWorkload(join(own, 'run', 'environment'), cloud)))

    expect(told.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(decodeJwt(told[0]?.body.access_token ?? '').sub).toBe('spiffe://mine.example/payments/api')
    expect(readFileSync(join(own, 'federation.json'), 'utf8')).toBe(text)
  })

  test('goes with a temporary directory that nobody changed, and stays where somebody did', async () => {
    const untouched = await startDev()
    const touched = await startDev()
    const [path, edited] = [untouched, touched].map((each) => /^ {2}document +(\S+)/m.exec(each.out())?.[1] ?? '')
    writeFileSync(edited ?? '', '{}')
    for (const each of [untouched, touched]) each.child.kill('SIGTERM')
    const ends = await Promise.all([untouched.finished, touched.finished])
    opened.push(join(edited ?? '', '..'))

    expect(ends.map(({ code }) => code)).toEqual([0, 0])
    expect(existsSync(join(path ?? '', '..'))).toBe(false)
    expect(readFileSync(edited ?? '', 'utf8')).toBe('{}')
    expect(ends[1]?.out).toContain(`${edited} is still there`)
  })

  test('is not taken for ours where --environment names a file of somebody else', async () => {
    const file = join(openOwn(), 'profile')
    writeFileSync(file, 'export MINE=1\n')

    const { code, err } = await runChancery(['dev', '--port', '0', '--environment', file])

    expect(code).toBe(2)
    expect(err).toContain('is not ours to write over')
    expect(readFileSync(file, 'utf8')).toBe('export MINE=1\n')
  })

  test('a port that is taken is named, and nothing is left running', async () => {
    // Below those that systems give out by themselves, so that none of the clouds' is somebody else's.
    const port = 20_000 + (process.pid % 1_000) * 10
    const taken = createServer()
    await new Promise<void>((resolve, reject) => taken.on('error', reject).listen(port, '127.0.0.1', resolve))

    const ends = [
      await runChancery(['dev', '--port', String(port), '--directory', openOwn()]),
      await runChancery(['dev', '--port', String(port - 1), '--directory', openOwn()]),
    ]
    taken.close()

    expect(ends.map(({ code }) => code)).toEqual([2, 2])
    for (const { err } of ends) expect(err).toContain(String(port))
  })
})

/** A free port with four free ones after it, as far as anybody can tell. */
async function findPortWithRoom(): Promise<number> {
  for (;;) {
    const port = await findFreePort()
    const isFree = await Promise.all([1, 2, 3, 4].map((after) => canListen(port + after)))
    if (isFree.every(Boolean)) return port
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
