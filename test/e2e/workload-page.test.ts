/** Every command of the page on a workload's commands, run as it stands there; only addresses and paths are those of this run. */

import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readAgentConfig } from '../../src/cli/agent/config.ts'
import { askSocket } from '../support/ask-socket.ts'
import { type CommandScene, claimsOf, openCommandScene, until } from '../support/command-scene.ts'
import { hasTool } from '../support/found-tool.ts'
import { findFreePort } from '../support/process.ts'

const PAGE = readFileSync(new URL('../../src/cli/README.md', import.meta.url), 'utf8')
const hasCurl = hasTool('curl', 'the page’s curl')
const LAUNCHER = fileURLToPath(new URL('../../src/launch.mjs', import.meta.url))

let scene: CommandScene
let ledger: string
let port: number
const authorizations: (string | undefined)[] = []
const service = createServer((request, response) => {
  authorizations.push(request.headers.authorization)
  response.end()
})

/** Every line of the page's shell blocks. */
function commands(): readonly string[] {
  return [...PAGE.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) => block.trim().split('\n'))
}

function find(beginning: string): readonly string[] {
  const found = commands().filter((command) => command.startsWith(beginning))
  expect(found, beginning).not.toEqual([])
  return found
}

function localise(text: string): string {
  return text
    .replaceAll('https://broker.corp.example', scene.gate.origin)
    .replaceAll('https://ledger.corp.example', ledger)
    .replaceAll('/run/', `${scene.directory}/run/`)
    .replaceAll('127.0.0.1:9465', `127.0.0.1:${port}`)
}

/** Runs a line of the page as a shell does, after the two that say where the broker is. */
function shell(line: string) {
  const script = [...find('export'), `exec 2>&1`, line].map(localise).join('\n')
  const { CHANCERY_PROOF_FILE = '', CHANCERY_PROOF_AUDIENCE = '' } = scene.env
  const path = `${scene.directory}/bin:${process.env.PATH}`
  return scene.start(['exec', '--', 'sh', '-c', `cd "$1"; unset CHANCERY_TOKEN; ${script}`, 'sh', scene.directory], {
    PATH: path,
    CHANCERY_PROOF_FILE,
    CHANCERY_PROOF_AUDIENCE,
  })
}

beforeAll(async () => {
  scene = await openCommandScene()
  port = await findFreePort()
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
  ledger = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
  for (const directory of ['bin', 'run', 'run/tokens']) mkdirSync(join(scene.directory, directory))
  symlinkSync(LAUNCHER, join(scene.directory, 'bin/chancery'))
  symlinkSync(process.execPath, join(scene.directory, 'bin/node'))
  const server = '#!/bin/sh\ncat "$CHANCERY_TOKEN_FILE"\n'
  const job = '#!/bin/sh\nprintf "%s %s" "$1" "$CHANCERY_TOKEN"\n'
  for (const [name, text] of Object.entries({ server, 'nightly-job': job })) {
    writeFileSync(join(scene.directory, name), text)
    chmodSync(join(scene.directory, name), 0o755)
  }
  const [, yaml = ''] = /<!-- agent.yaml -->\n```yaml\n([\s\S]*?)```/.exec(PAGE) ?? []
  writeFileSync(join(scene.directory, 'agent.yaml'), localise(yaml))
  writeFileSync(join(scene.directory, 'run/server.pid'), `${process.pid}\n`)
  process.on('SIGHUP', () => undefined)
})
afterAll(async () => {
  process.removeAllListeners('SIGHUP')
  service.close()
  await scene.close()
})

test('there is no command on the page that is not run here', () => {
  const run = ['export', 'chancery token', 'chancery exec', 'chancery agent', 'curl -s --unix-socket']

  expect(commands().filter((command) => !run.some((known) => command.startsWith(known)))).toEqual([])
})

test.skipIf(!hasCurl)('token', async () => {
  const outputs: string[] = []
  for (const line of find('chancery token')) {
    const { code, out } = await shell(line).finished
    expect({ line, code, out }).toMatchObject({ code: 0 })
    outputs.push(out)
  }

  expect(outputs[0]).toMatch(/^ey[\w.-]+\n$/)
  expect(JSON.parse(outputs[1] ?? '')).toMatchObject({ token_type: 'Bearer' })
  expect(authorizations).toEqual([expect.stringMatching(/^Bearer ey/)])
  expect(outputs[3]).toContain('chancery: got a token for audience ledger')
})

test('exec', async () => {
  const [job = '', ...servers] = find('chancery exec')
  const done = await shell(job).finished

  expect(done.out).toMatch(/^--full ey/)
  for (const line of servers) expect(claimsOf((await shell(line).finished).out)).toMatchObject({ aud: 'ledger' })
})

test.skipIf(!hasCurl)('agent, and what asks it', async () => {
  const [forever = '', once = '', flags = ''] = find('chancery agent')
  const written = await shell(once).finished
  const read = (file: string): string => readFileSync(join(scene.directory, file), 'utf8')

  expect(written).toMatchObject({ code: 0 })
  expect(claimsOf(read('run/tokens/ledger'))).toMatchObject({ aud: 'ledger' })
  expect(read('run/tokens/orders.header')).toMatch(/^Authorization: Bearer ey[\w.-]+\n$/)
  expect(read('run/tokens/changed')).toBe('')

  const agent = shell(`exec ${forever}`)
  await until(() => askSocket(join(scene.directory, 'run/tokens/agent.sock'), '/healthz'))
  const [token, health] = await Promise.all(find('curl -s').map((line) => shell(line).finished))
  agent.child.kill('SIGTERM')

  expect(JSON.parse(token?.out ?? '')).toMatchObject({ access_token: expect.stringMatching(/^ey/) })
  expect(JSON.parse(health?.out ?? '')).toMatchObject({ status: expect.stringMatching(/^(ok|failing)$/) })
  expect((await agent.finished).code).toBe(0)

  const byFlags = shell(`exec ${flags}`)
  await until(async () => expect((await askSocket(port, '/healthz')).status).toBe(200))
  byFlags.child.kill('SIGTERM')
  await byFlags.finished

  expect(claimsOf(read('ledger-token'))).toMatchObject({ aud: 'ledger' })
})

test('the table of members is what a configuration can have', () => {
  const [, table = ''] = PAGE.split('| Member | What |')
  const named = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| (.*?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(?:outputs\[\])?\.?([a-z_]+)`|`outputs\[\]\.([a-z_]+)`/g)].map(([, one, two]) => one ?? two),
  )
  const problems = (() => {
    try {
      readAgentConfig({ unknown: 1, outputs: [{ audience: 'a', file: '/a', unknown: 1 }] })
      return []
    } catch (error) {
      return [...String(error).matchAll(/there are ([a-z_, ]+)/g)].flatMap(([, list = '']) => list.split(', '))
    }
  })()

  expect(new Set(named)).toEqual(new Set(problems.filter((name) => name !== 'outputs')))
})

test('the table of options is the help’s', async () => {
  const { out } = await scene.run(['token', '--help'])
  const [, table = ''] = PAGE.split('| Option | Variable | What |')
  const rows = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| `(--[a-z-]+) [^|]*\| (?:`(\w+)`|–) \|/gm)]

  expect(rows).toHaveLength(7)
  for (const [, option = '', variable = ''] of rows) {
    expect(out).toContain(`${option} <`)
    expect(out).toContain(variable)
  }
})
