/** Whoever reads a command's output may stop: `chancery check … | head -1` is not the command's fault. */

import { spawn } from 'node:child_process'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { makeScratch } from '../support/scratch.ts'

const COMMAND = fileURLToPath(new URL('../../src/launch.mjs', import.meta.url))

test('a command whose reader has gone ends as it would have, and without a stack', async () => {
  const path = join(makeScratch(), 'federation.json')
  writeFileSync(path, JSON.stringify({ version: 1, identities: Object.fromEntries(names(400)) }))
  const child = spawn(process.execPath, [COMMAND, 'check', path], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let told = ''
  child.stderr.on('data', (chunk: Buffer) => {
    told += chunk.toString()
  })
  const code = await new Promise((resolve) => child.on('close', resolve))

  expect(told).not.toContain('EPIPE')
  expect(code).toBe(1)
})

/** Identities that are each a finding, so that there is more to write than a pipe holds. */
function names(count: number): readonly (readonly [string, object])[] {
  return Array.from({ length: count }, (_, n) => [`Wrong ${n}`, { grants: {} }] as const)
}

test('a command that cannot write where it is to ends with 2, and one line', async () => {
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, [COMMAND, '--help'], { stdio: ['ignore', full, 'pipe'] })
  let told = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    told += chunk.toString()
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  closeSync(full)

  expect({ code, told }).toEqual({ code: 2, told: 'chancery: ENOSPC: no space left on device, write\n' })
})
