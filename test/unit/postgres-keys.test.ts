/** Signing keys in PostgreSQL, as brokers and `chancery keys` meet there. */

import { expect, onTestFinished, test } from 'vitest'
import { type KeysAct, type KeysOptions, runKeys } from '../../src/cli/keys.ts'
import type { KeyAccount } from '../../src/cli/keys-text.ts'
import { startTestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { documentFor } from '../support/document.ts'
import { CLUSTER } from '../support/federation-parts.ts'
import { describePostgres } from '../support/postgres-suite.ts'

const KEY = Buffer.alloc(32, 1).toString('base64')

describePostgres('signing keys in PostgreSQL', (server) => {
  const clock = createTestClock()

  /** Runs a command as an operator does, by the variable. */
  async function run(url: string, act: KeysAct, options: KeysOptions = {}, key = KEY) {
    const written = { out: '', err: '' }
    const terminal = {
      out: (text: string) => {
        written.out += text
      },
      err: (text: string) => {
        written.err += text
      },
    }
    const env = { CHANCERY_STORE: url, CHANCERY_KEY_ENCRYPTION_KEY: key }
    return { code: await runKeys(act, {}, options, terminal, { now: clock.now, env }), ...written }
  }

  const start = async (url: string) => {
    const env = { CHANCERY_KEY_ENCRYPTION_KEY: KEY }
    const broker = await startTestBroker({ clock, document: documentFor(CLUSTER), flags: { store: url }, env })
    onTestFinished(() => broker.stop())
    return broker
  }

  test('are those of every broker on it, and what a command changes is seen by all', async () => {
    const url = await server().createDatabase()
    const brokers = [await start(url), await start(url)]
    const publishedBy = async () =>
      Promise.all(brokers.map(async (broker) => (await broker.send('/.well-known/jwks.json')).text))
    const [one, other] = await publishedBy()
    expect(one).toBe(other)
    const listed = JSON.parse((await run(url, 'list', { isJson: true })).out) as readonly KeyAccount[]
    const current = listed.find(({ state, algorithm }) => state === 'current' && algorithm === 'ES256')
    expect(one).toContain(current?.key_id)

    const revoked = await run(url, 'revoke', { keyId: current?.key_id })

    expect(revoked.code).toBe(0)
    await expect
      .poll(async () => (await publishedBy()).filter((text) => text.includes(current?.key_id ?? '')), {
        timeout: 5_000,
      })
      .toEqual([])
    expect((await run(url, 'rotate')).code).toBe(3)
    expect((await run(url, 'reencrypt')).code).toBe(0)
  })

  test('are told not to be there where no broker has been, and none are made', async () => {
    const url = await server().createDatabase()

    const error = await run(url, 'list').catch((thrown: Error) => thrown.message)

    expect(error).toContain('does not exist: name the store of a broker')
    expect(await server().query(url, "SELECT to_regnamespace('chancery') AS schema")).toEqual([{ schema: null }])
  })

  test('are not changed by whoever writes the database', async () => {
    const url = await server().createDatabase()
    await start(url)
    await server().query(url, "UPDATE chancery.signing_keys SET state = 'retired' WHERE state = 'next'")

    await expect(run(url, 'list')).rejects.toThrow('does not open a signing key')
  })
})
