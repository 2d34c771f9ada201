/** A broker that cannot be started says which setting is wrong, and leaves nothing open. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SettingsError } from '../../providers/contract/errors.ts'
import type { Flags } from '../../src/config.ts'
import { startTestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { documentFor } from '../support/document.ts'
import { CLUSTER } from '../support/federation-parts.ts'
import { makeScratch } from '../support/scratch.ts'
import { fillStore } from '../support/vault.ts'

const KEY = Buffer.alloc(32, 1)
const OTHER_KEY = Buffer.alloc(32, 2).toString('base64')

interface Attempt {
  readonly flags?: Flags
  readonly env?: Readonly<Record<string, string>>
  readonly document?: object
}

/** Tries to start a broker over a store whose keys are sealed with {@link KEY}. */
async function attempt({
  flags = {},
  env = { CHANCERY_KEY_ENCRYPTION_KEY: KEY.toString('base64') },
  document,
}: Attempt) {
  const directory = makeScratch()
  const path = join(directory, 'store.db')
  await fillStore(path, [KEY], 1)
  const error = await startTestBroker({
    clock: createTestClock(),
    document: document ?? documentFor(CLUSTER),
    flags: { store: `sqlite:${path}`, ...flags },
    env,
  }).then(
    async (broker) => broker.stop(),
    (thrown: unknown) => thrown,
  )
  // SQLite takes these away when the last who had the store open has closed it.
  return { error, left: readdirSync(directory).filter((name) => name !== 'store.db') }
}

test('the right settings start it, and stopping it leaves nothing open', async () => {
  expect(await attempt({})).toEqual({ error: undefined, left: [] })
})

describe('it is refused by name', () => {
  test.each<[string, Attempt]>([
    ['--audit', { flags: { audit: 'file:/nowhere/audit.jsonl' } }],
    ['CHANCERY_KEY_ENCRYPTION_KEY', { env: { CHANCERY_KEY_ENCRYPTION_KEY: OTHER_KEY } }],
    ['CHANCERY_KEY_ENCRYPTION_KEY', { env: {} }],
    ['--store', { flags: { store: 'sqlite:/nowhere/store.db' } }],
    ['--federation', { document: { version: 2 } }],
    ['--listen', { flags: { listen: '192.0.2.1:1' }, env: { CHANCERY_KEY_ENCRYPTION_KEY: KEY.toString('base64') } }],
  ])('%s', async (name, wrong) => {
    const { error } = await attempt(wrong)

    expect(error).toBeInstanceOf(SettingsError)
    expect(error).toMatchObject({ problems: [{ path: [name], message: expect.stringContaining(`${name}: `) }] })
  })
})

describe('nothing is left open', () => {
  test.each<[string, Attempt]>([
    ['the audit file cannot be opened', { flags: { audit: 'file:/nowhere/audit.jsonl' } }],
    ['the keys cannot be opened', { env: { CHANCERY_KEY_ENCRYPTION_KEY: OTHER_KEY } }],
    ['there is no document', { document: { version: 2 } }],
    ['nobody can listen there', { flags: { listen: '192.0.2.1:1' } }],
  ])('where %s', async (_why, wrong) => {
    const { error, left } = await attempt(wrong)

    expect(error).toBeInstanceOf(Error)
    expect(left).toEqual([])
  })
})
