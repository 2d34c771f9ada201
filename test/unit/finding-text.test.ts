/** What commands print of a document that they cannot use: whoever wrote it gets no hold of the terminal. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { check } from '../../src/cli/check.ts'
import { runDiff } from '../../src/cli/diff.ts'
import type { Terminal } from '../../src/cli/exit.ts'
import { runExplain } from '../../src/cli/explain.ts'
import { CLUSTER } from '../support/federation-parts.ts'
import { makeScratch } from '../support/scratch.ts'
import { platformFor, teamFor } from '../support/team-documents.ts'

const insecureHost: readonly string[] = []
const HOSTILE = '\u001b[2J\nall is well\u202e'
const TOLD = '\\u001b[2J\\u000aall is well\\u202e'

/** Gives a directory in which one team's document has a member of that name. */
function writeHostile(): string {
  const directory = join(makeScratch(), 'teams')
  mkdirSync(directory)
  writeFileSync(join(directory, 'platform.json'), JSON.stringify(platformFor(CLUSTER)))
  writeFileSync(join(directory, 'payments.json'), JSON.stringify(teamFor('payments', { [HOSTILE]: 1 })))
  return directory
}

const attributes = '{"kubernetes.namespace":"payments","kubernetes.service_account":"api"}'

test.each<[string, (path: string, terminal: Terminal) => Promise<number>]>([
  ['check', (path, terminal) => check(path, { insecureHost }, terminal)],
  ['explain', (path, terminal) => runExplain({ federation: path, attributes, insecureHost }, terminal)],
  ['diff', (path, terminal) => runDiff(path, path, { insecureHost }, terminal)],
])('%s escapes what a document says', async (_command, run) => {
  const written: string[] = []
  const write = (text: string) => void written.push(text)

  await run(writeHostile(), { out: write, err: write })

  expect(written.join('')).toContain(`there is no such member: ${TOLD}`)
  for (const raw of ['\u001b', '\u202e', '\nall is well']) expect(written.join('')).not.toContain(raw)
})

test('a broker that cannot start says why as check does', () => {
  const directory = writeHostile()
  const command = fileURLToPath(new URL('../../src/launch.mjs', import.meta.url))
  writeFileSync(join(directory, 'platform.json'), JSON.stringify({ ...platformFor(CLUSTER), [HOSTILE]: 1 }))
  const flags = { issuer: 'http://127.0.0.1:1', federation: directory, store: `sqlite:${join(makeScratch(), 'db')}` }
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
  const { status, stderr } = spawnSync(process.execPath, [command, 'serve', ...args], { encoding: 'utf8' })

  const [first] = stderr.split('\n').filter((line) => !line.startsWith('{'))

  expect(status).toBe(2)
  expect(first).toBe(
    `error: ${join(directory, 'platform.json')} /${TOLD}: there is no such member: ${TOLD} [member_unknown]`,
  )
})
