/** A process that is killed between any two statements leaves a ring from which the next one goes on. */

import { spawnSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { isPublished } from '../../src/tokens/signing-key.ts'
import { makeScratch } from '../support/scratch.ts'
import { makeVault, PERIOD } from '../support/vault.ts'

const SCRIPT = fileURLToPath(new URL('../support/dying-rotation.ts', import.meta.url))
const KEY = Buffer.alloc(32, 1)
const NOW = 1_768_478_400

/** More than any rotation takes. */
const MAX_STATEMENTS = 100

const PATIENCE_MS = 180_000

/** Runs the process, and gives what it told; nothing where it was killed. */
function run(path: string, diesAt: number, now: number): readonly string[] | undefined {
  const args = [SCRIPT, path, KEY.toString('base64'), PERIOD, now, diesAt].map(String)
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (signal === 'SIGKILL') return undefined
  expect(stderr).toBe('')
  return JSON.parse(stdout) as readonly string[]
}

const FRESH = ['ES256 current', 'ES256 next', 'RS256 current', 'RS256 next']
const ROTATED = ['ES256 current', 'ES256 retired', 'RS256 current', 'RS256 retired']

/** Makes a store whose keys are due, with all that it holds in one file. */
async function makeDueStore(): Promise<string> {
  const vault = makeVault()
  let now = NOW
  const source = await vault.source([KEY], () => now)
  await source.list()
  now += PERIOD - 3 * 86_400
  await source.list()
  vault.edit('PRAGMA wal_checkpoint(TRUNCATE)')
  return vault.path
}

test.each<[string, () => Promise<string | undefined>, number, readonly string[]]>([
  ['that makes the first keys', async () => undefined, NOW, FRESH],
  ['that rotates', makeDueStore, NOW + PERIOD, ROTATED],
])(
  'a process %s',
  async (_what, make, now, done) => {
    const prepared = await make()
    const directory = makeScratch()
    let kills = 0
    for (let diesAt = 0; diesAt < MAX_STATEMENTS; diesAt++) {
      const path = join(directory, `${diesAt}.db`)
      if (prepared !== undefined) copyFileSync(prepared, path)
      const told = run(path, diesAt, now)
      if (told !== undefined) {
        expect(told).toEqual(done)
        break
      }
      kills++
      const left = await makeVault(path).held([KEY])
      expect(left.filter(isPublished).length).toBeLessThanOrEqual(4)
      const currents = left.filter(({ state }) => state === 'current').map(({ algorithm }) => algorithm)
      expect(left.length === 0 ? ['ES256', 'RS256'] : currents.sort()).toEqual(['ES256', 'RS256'])
      const { keys } = await makeVault(path).load([KEY], now)
      expect(keys.map(({ algorithm, state }) => `${algorithm} ${state}`).sort()).toEqual(done)
    }
    expect(kills).toBeGreaterThan(6)
  },
  PATIENCE_MS,
)
