/** `chancery agent`, as a process: its files, its signals, and a broker that goes away and comes back. */

import { spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { askSocket } from '../support/ask-socket.ts'
import { type CommandScene, claimsOf, openCommandScene, until } from '../support/command-scene.ts'

let scene: CommandScene
let shortLived: CommandScene

beforeAll(async () => {
  scene = await openCommandScene()
  shortLived = await openCommandScene({ lifeSeconds: 3 })
})
afterAll(async () => {
  await scene.close()
  await shortLived.close()
})

/** Makes a directory for one test, and gives paths in it. */
function makePlace(of: CommandScene, name: string): (file: string) => string {
  const directory = join(of.directory, name)
  mkdirSync(directory)
  return (file) => join(directory, file)
}

function writeConfig(path: string, config: object): string {
  writeFileSync(path, JSON.stringify(config))
  return path
}

function read(file: string): string {
  return readFileSync(file, 'utf8')
}

describe('--once', () => {
  test('writes every file of a YAML configuration, in its format and mode, and ends', async () => {
    const at = makePlace(scene, 'once')
    const yaml = `# tokens of this workload
broker: ${scene.gate.origin}
proof:
  file: ${scene.proofFile}
outputs:
  - audience: ledger
    scope: entries:read
    file: ${at('ledger')}
  - { audience: orders, file: ${at('orders.json')}, format: json, mode: "0640" }
  - { audience: orders, file: ${at('orders.header')}, format: header, mode: "0444" }
`
    writeFileSync(at('agent.yaml'), yaml)
    const { code, out } = await scene.run(['agent', '--config', at('agent.yaml'), '--once'])

    expect({ code, out }).toEqual({ code: 0, out: '' })
    expect(claimsOf(read(at('ledger')))).toMatchObject({ aud: 'ledger', scope: 'entries:read' })
    expect(read(at('ledger'))).not.toMatch(/\s/)
    expect(JSON.parse(read(at('orders.json')))).toMatchObject({ token_type: 'Bearer', expires_at: expect.any(Number) })
    expect(read(at('orders.header'))).toMatch(/^Authorization: Bearer [\w.-]+\n$/)
    const modes = ['ledger', 'orders.json', 'orders.header'].map((file) => statSync(at(file)).mode & 0o777)
    expect(modes).toEqual([0o600, 0o640, 0o444])
    expect(readdirSync(at('.')).sort()).toEqual(['agent.yaml', 'ledger', 'orders.header', 'orders.json'])
  })

  test('replaces a link and never follows it, and takes away what an agent left that was killed', async () => {
    const at = makePlace(scene, 'link')
    writeFileSync(at('.token.0123456789abcdef.new'), 'half a tok')
    utimesSync(at('.token.0123456789abcdef.new'), 0, 0)
    writeFileSync(at('victim'), 'untouched')
    symlinkSync(at('victim'), at('token'))
    const { code } = await scene.run(['agent', '--once', '--output', `ledger=${at('token')}`])

    expect(code).toBe(0)
    expect(read(at('victim'))).toBe('untouched')
    expect(lstatSync(at('token')).isFile()).toBe(true)
    expect(readdirSync(at('.')).sort()).toEqual(['token', 'victim'])
  })

  test('writes what it can, and its exit code is that of the first trouble', async () => {
    const at = makePlace(scene, 'partly')
    const outputs = ['--output', `other=${at('other')}`, '--output', `ledger=${at('ledger')}`]
    const refused = await scene.run(['agent', '--once', ...outputs])
    const unwritable = await scene.run(['agent', '--once', '--output', 'ledger=/nowhere/token'])

    expect([refused.code, unwritable.code]).toEqual([1, 2])
    expect(refused.err).toContain('code=target_refused')
    expect(unwritable.err).toContain('code=file_not_written')
    expect(claimsOf(read(at('ledger')))).toMatchObject({ aud: 'ledger' })
    expect(existsSync(at('other'))).toBe(false)
  })
})

describe('a configuration that cannot be used', () => {
  test.each([
    [
      'a member that there is not',
      { outputs: [{ audience: 'a', file: '/a', owner: 'me' }] },
      'outputs[0].owner: there is no such member',
    ],
    ['a place that other machines reach', { listen: '0.0.0.0:8080' }, 'listen: must be unix:/PATH'],
    ['nothing to do', {}, 'there is nothing to do'],
  ])('is refused with the place in it: %s', async (_, config, expected) => {
    const at = makePlace(scene, `refused ${_}`)
    const { code, err } = await scene.run(['agent', '--config', writeConfig(at('agent.json'), config)])

    expect(code).toBe(2)
    expect(err).toContain(expected)
  })

  test('is refused as an option too', async () => {
    const { code, err } = await scene.run(['agent', '--listen', '10.0.0.1:8080'])

    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('serves its own machine alone') })
  })
})

describe.concurrent('while it runs', () => {
  test('renews a token, tells a command, and shows no token in its log', async () => {
    const at = makePlace(shortLived, 'renewal')
    const onChange = { command: ['sh', '-c', `cat "$CHANCERY_TOKEN_FILE" >> ${at('seen')}; echo >> ${at('seen')}`] }
    const config = { outputs: [{ audience: 'ledger', file: at('token'), on_change: onChange }], log: 'json' }
    const agent = shortLived.start(['agent', '--config', writeConfig(at('agent.json'), config)])
    const tokens = await until(() => {
      const seen = read(at('seen')).split('\n').filter(Boolean)
      expect(new Set(seen).size).toBe(2)
      return seen
    })
    for (const token of tokens) shortLived.watch(token)
    agent.child.kill('SIGTERM')
    const { code, err } = await agent.finished

    expect(code).toBe(0)
    for (const line of err.trim().split('\n')) {
      expect(JSON.parse(line)).toMatchObject({ time: expect.any(String), level: 'info', message: expect.any(String) })
    }
  })

  test('sends a signal to the process of a pid file', async () => {
    const at = makePlace(shortLived, 'signal')
    const script = `echo $$ > ${at('pid')}; trap 'exit 42' USR1; while :; do sleep 0.05; done`
    const consumer = shortLived.start(['exec', '--', 'sh', '-c', script])
    await until(() => expect(read(at('pid'))).toMatch(/\d\n/))
    const onChange = { signal: 'SIGUSR1', pid_file: at('pid') }
    const config = { outputs: [{ audience: 'ledger', file: at('token'), on_change: onChange }] }
    const agent = shortLived.start(['agent', '--config', writeConfig(at('agent.json'), config)])

    expect(await consumer.finished).toMatchObject({ code: 42 })
    agent.child.kill('SIGTERM')
    await agent.finished
  })

  test('gives the token that it has while the broker is away, says that it is stale, and recovers', async () => {
    const elsewhere = await openCommandScene({ lifeSeconds: 15 })
    const at = makePlace(elsewhere, 'outage')
    const agent = elsewhere.start([
      'agent',
      '--output',
      `ledger=${at('token')}`,
      '--listen',
      `unix:${at('agent.sock')}`,
    ])
    const before = await until(async () => {
      const answer = await askSocket(at('agent.sock'), '/token?audience=ledger')
      expect(answer.status).toBe(200)
      return answer.json.access_token
    })
    elsewhere.gate.shut()
    await until(async () => {
      const health = await askSocket(at('agent.sock'), '/healthz')
      expect(health).toMatchObject({
        status: 200,
        json: { status: 'stale', tokens: [{ error: 'broker_unreachable' }] },
      })
    })
    const meanwhile = await askSocket(at('agent.sock'), '/token?audience=ledger')
    elsewhere.gate.open()
    await until(async () => {
      expect(await askSocket(at('agent.sock'), '/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } })
    })
    const after = await askSocket(at('agent.sock'), '/token?audience=ledger')
    agent.child.kill('SIGTERM')
    await agent.finished
    await elsewhere.close()

    expect(meanwhile).toMatchObject({ status: 200, json: { access_token: before } })
    expect(after.json.access_token).not.toBe(before)
  })

  test('begins while the broker is away, and is not well until it has a token', async () => {
    const elsewhere = await openCommandScene()
    const at = makePlace(elsewhere, 'late')
    elsewhere.gate.shut()
    const agent = elsewhere.start([
      'agent',
      '--output',
      `ledger=${at('token')}`,
      '--listen',
      `unix:${at('agent.sock')}`,
    ])
    await until(async () => {
      const health = await askSocket(at('agent.sock'), '/healthz')
      expect(health).toMatchObject({ status: 503, json: { status: 'failing', tokens: [{ status: 'missing' }] } })
    })
    elsewhere.gate.open()
    await until(async () => expect((await askSocket(at('agent.sock'), '/healthz')).status).toBe(200))
    agent.child.kill('SIGINT')
    const { code } = await agent.finished
    const isSocketGone = !existsSync(at('agent.sock'))
    await elsewhere.close()

    expect({ code, isSocketGone }).toEqual({ code: 0, isSocketGone: true })
  })

  test('writes a file again once it can, without asking the broker again', async () => {
    const elsewhere = await openCommandScene()
    const at = makePlace(elsewhere, 'unwritable')
    const agent = elsewhere.start(['agent', '--output', `ledger=${at('later/token')}`])
    await until(() => expect(agent.err()).toContain('token not written'))
    mkdirSync(at('later'))
    await until(() => expect(existsSync(at('later/token'))).toBe(true))
    const asked = elsewhere.broker.records().length
    agent.child.kill('SIGTERM')
    await agent.finished
    await elsewhere.close()

    expect(asked).toBe(1)
  })
})

describe('SIGHUP', () => {
  test('has the configuration read again: what is new is done, and what it had it keeps', async () => {
    const at = makePlace(scene, 'reload')
    const ledger = { audience: 'ledger', file: at('ledger') }
    const config = writeConfig(at('agent.json'), { outputs: [ledger] })
    const agent = scene.start(['agent', '--config', config])
    await until(() => expect(existsSync(at('ledger'))).toBe(true))
    const before = read(at('ledger'))
    writeConfig(config, {
      outputs: [ledger, { audience: 'orders', file: at('orders') }],
      listen: `unix:${at('agent.sock')}`,
    })
    agent.child.kill('SIGHUP')
    await until(() => expect(existsSync(at('orders'))).toBe(true))
    const answer = await until(() => askSocket(at('agent.sock'), '/token?audience=ledger'))
    writeConfig(config, { outputs: [] })
    agent.child.kill('SIGHUP')
    await until(() => expect(agent.err()).toContain('the old one stays'))
    const still = await askSocket(at('agent.sock'), '/healthz')
    agent.child.kill('SIGTERM')
    const { code } = await agent.finished

    expect(code).toBe(0)
    expect(read(at('ledger'))).toBe(before)
    expect(answer.json.access_token).toBe(before)
    expect(still).toMatchObject({ status: 200, json: { tokens: [{ audience: 'ledger' }, { audience: 'orders' }] } })
  })
})

test('SIGTERM ends it also while its configuration is being read', async () => {
  const at = makePlace(scene, 'end')
  const agent = scene.start(['agent', '--config', writeConfig(at('agent.json'), { listen: `unix:${at('old.sock')}` })])
  await until(() => expect(agent.err()).toContain('agent ready'))
  rmSync(at('agent.json'))
  spawnSync('mkfifo', [at('agent.json')])
  agent.child.kill('SIGHUP')
  agent.child.kill('SIGTERM')
  await until(() => expect(agent.err()).toContain('ending'))
  // Opened for both ways: a pipe that is opened for writing alone has this thread wait for a reader, who may be gone.
  const pipe = openSync(at('agent.json'), 'r+')
  writeSync(pipe, JSON.stringify({ listen: `unix:${at('new.sock')}` }))
  closeSync(pipe)
  const { code } = await agent.finished

  expect(code).toBe(0)
  expect(readdirSync(at('.'))).toEqual(['agent.json'])
})

test('a configuration that is not there is told of by its name', async () => {
  const { code, err } = await scene.run(['agent', '--config', '/nowhere/agent.json'])

  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('/nowhere/agent.json cannot be used: ENOENT') })
})
