/** The command on a machine whose own Node is too old: another one runs it, and nobody can tell. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CommandScene, openCommandScene } from '../support/command-scene.ts'

const COMMAND = fileURLToPath(new URL('../../src/launch.mjs', import.meta.url))
const AGEING = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } })`
const BUNDLED = new URL(`../../node_modules/node-${process.platform}-${process.arch}/package.json`, import.meta.url)
const isThere = existsSync(BUNDLED)

let scene: CommandScene

beforeAll(async () => {
  scene = await openCommandScene()
})
afterAll(() => scene.close())

function start(args: readonly string[]) {
  const env = { ...process.env, ...scene.env }
  const old = ['--import', `data:text/javascript,${encodeURIComponent(AGEING)}`]
  return spawn(process.execPath, [...old, COMMAND, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
}

test.skipIf(!isThere).each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const)(
  'passes %s on',
  async (signal) => {
    const script = `trap 'exit 42' ${signal.slice(3)}; echo ready; while :; do sleep 0.05; done`
    const running = start(['exec', '--', 'sh', '-c', script])
    await once(running.stdout, 'data')
    running.kill(signal)

    expect(await once(running, 'exit')).toEqual([42, null])
  },
)

test.skipIf(!isThere)('ends as a shell would say that the other one was ended by a signal', async () => {
  const running = start(['exec', '--', 'sh', '-c', 'kill -9 $PPID'])

  expect(await once(running, 'exit')).toEqual([137, null])
})
