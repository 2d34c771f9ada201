/** An agent that is run from its source is as small as one that was built, from its second start on. */

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CommandScene, openCommandScene, until } from '../support/command-scene.ts'

const MAX_KIB = 80 * 1_024

let scene: CommandScene

beforeAll(async () => {
  scene = await openCommandScene()
})
afterAll(() => scene.close())

test.skipIf(process.platform !== 'linux' || process.env.TEST_RUNTIME !== undefined)('stays below 80 MiB', async () => {
  const run = async (name: string): Promise<number> => {
    const file = join(scene.directory, name)
    const agent = scene.start(['agent', '--output', `ledger=${file}`, '--listen', `unix:${file}.sock`])
    await until(() => expect(existsSync(file)).toBe(true))
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${agent.child.pid}/status`, 'utf8')) ?? []
    agent.child.kill('SIGTERM')
    await agent.finished
    return Number(kib)
  }
  await run('first')

  expect(await run('second')).toBeLessThan(MAX_KIB)
})
