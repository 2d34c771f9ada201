/** What an operator sees of the signing keys of a running broker: a line and a count for each step, and each trouble. */

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { decodeProtectedHeader } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KEEP_SECONDS, MAX_UNCONFIRMED_SECONDS, PUBLISH_SECONDS } from '../../src/tokens/rotation.ts'
import { createTestClock } from '../support/clock.ts'
import { keysCommand } from '../support/run-keys.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { PERIOD } from '../support/vault.ts'

let scene: Scene
/** How often the broker may ask for the time before the clock jumps beyond what keys are used for without being confirmed. */
let jumpAfter = Number.POSITIVE_INFINITY
beforeEach(async () => {
  jumpAfter = Number.POSITIVE_INFINITY
  const clock = createTestClock()
  const now = (): number => clock.now() + (--jumpAfter < 0 ? MAX_UNCONFIRMED_SECONDS + 1 : 0)
  scene = await openScene({ cluster: { algorithm: 'ES256', now: clock.now }, broker: { clock: { ...clock, now } } })
})
afterEach(() => scene.close())

function storePath(): string {
  return join(scene.broker.directory, 'store.db')
}

function edit(sql: string): void {
  const database = new DatabaseSync(storePath())
  database.exec(sql)
  database.close()
}

/** Lets time go by. The broker looks before it is asked for anything, as its keys are not confirmed any more. */
async function pass(seconds: number): Promise<number> {
  scene.clock.advance(seconds)
  return (await scene.broker.send('/readyz')).status
}

/** Gives each step that was logged: level, what happened, and to which algorithm. */
function events(): readonly string[] {
  const lines = scene.broker.logs() as readonly { level?: string; event?: string; algorithm?: string }[]
  return lines.flatMap(({ level, event, algorithm }) => (event === undefined ? [] : [`${level} ${event} ${algorithm}`]))
}

async function gaugeOf(name: string): Promise<number | undefined> {
  const line = (await scene.broker.metrics()).split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length))
}

async function signerOfNow(): Promise<string | undefined> {
  const { json } = await scene.broker.exchange(await scene.proof())
  return decodeProtectedHeader(String(json.access_token)).kid
}

test('each step has a line in the log and a count: published, promoted, retired, dropped', async () => {
  expect(await pass(PERIOD)).toBe(200)
  expect([...events()].sort()).toEqual([
    'info promoted ES256',
    'info promoted RS256',
    'info retired ES256',
    'info retired RS256',
  ])
  expect(await pass(KEEP_SECONDS)).toBe(200)

  expect([...events()].slice(4).sort()).toEqual([
    'info dropped ES256',
    'info dropped RS256',
    'info published ES256',
    'info published RS256',
  ])
  for (const event of ['promoted', 'retired', 'dropped', 'published']) {
    expect(await gaugeOf(`chancery_signing_key_events_total{algorithm="ES256",event="${event}"}`)).toBe(1)
  }
})

test('the keys that a broker starts with are told once, by name', () => {
  const [line, ...others] = scene.broker.logs().filter(({ msg }) => msg === 'signing keys')

  expect(others).toEqual([])
  expect(line?.keys).toHaveLength(4)
})

test('a revocation is a warning, and counted', async () => {
  const keys = keysCommand({ path: storePath() }, scene.clock.now, [])
  const current = (await keys.list()).find(({ state, algorithm }) => state === 'current' && algorithm === 'ES256')
  await keys.run('revoke', { keyId: current?.key_id })
  await pass(MAX_UNCONFIRMED_SECONDS + 1)

  expect(events()).toContain('warn revoked ES256')
  expect(await gaugeOf('chancery_signing_key_events_total{algorithm="ES256",event="revoked"}')).toBe(1)
  expect(await signerOfNow()).not.toBe(current?.key_id)
  const { json } = await scene.broker.send('/.well-known/jwks.json')
  expect(JSON.stringify(json)).not.toContain(current?.key_id)
})

test('what is measured: how many keys in which state, since when one signs, when its turn is over', async () => {
  const now = scene.clock.now()
  for (const state of ['current', 'next']) {
    expect(await gaugeOf(`chancery_signing_keys{algorithm="RS256",state="${state}"}`)).toBe(1)
  }
  expect(await gaugeOf('chancery_signing_key_current_since_timestamp_seconds{algorithm="ES256"}')).toBe(now)
  const wanted = await gaugeOf('chancery_signing_key_rotation_wanted_timestamp_seconds{algorithm="ES256"}')
  expect(wanted).toBeGreaterThan(now + 0.94 * PERIOD)
  expect(wanted).toBeLessThanOrEqual(now + PERIOD)
  expect(await gaugeOf('chancery_signing_key_rotation_late{algorithm="ES256"}')).toBe(0)
  expect(await gaugeOf('chancery_signing_keys_confirmed_timestamp_seconds')).toBe(now)
  expect(await gaugeOf('chancery_signing_keys_trouble')).toBe(0)

  await pass(PERIOD)

  expect(await gaugeOf('chancery_signing_keys{algorithm="RS256",state="retired"}')).toBe(1)
  expect(await gaugeOf('chancery_signing_keys{algorithm="RS256",state="next"}')).toBeUndefined()
  await pass(KEEP_SECONDS)
  expect(await gaugeOf('chancery_signing_key_current_since_timestamp_seconds{algorithm="ES256"}')).toBe(now + PERIOD)
})

describe('a rotation that is late', () => {
  test('is an error in the log, once, and a metric, until it has happened', async () => {
    edit(`CREATE TRIGGER full BEFORE UPDATE ON key_ring BEGIN SELECT RAISE(ABORT, 'disk full'); END`)
    const told = () => scene.broker.logs().filter(({ msg }) => msg === 'a step with the signing keys cannot be taken')

    expect(await pass(PERIOD + 21_601)).toBe(200)
    await pass(MAX_UNCONFIRMED_SECONDS + 1)

    expect(told()).toHaveLength(1)
    expect(new Set(told()[0]?.troubles as readonly string[])).toEqual(
      new Set(['disk full', 'ES256 rotation is late', 'RS256 rotation is late']),
    )
    expect(await gaugeOf('chancery_signing_key_rotation_late{algorithm="ES256"}')).toBe(1)
    expect(await gaugeOf('chancery_signing_keys_trouble')).toBe(1)
    edit('DROP TRIGGER full')
    await pass(MAX_UNCONFIRMED_SECONDS + 1)
    expect(await gaugeOf('chancery_signing_key_rotation_late{algorithm="ES256"}')).toBe(0)
    expect(await gaugeOf('chancery_signing_keys_trouble')).toBe(0)
    expect(events()).toContain('info promoted ES256')
    expect(scene.broker.logs().map(({ msg }) => msg)).toContain(
      'nothing stands in the way of the signing keys any more',
    )
  })
})

describe('keys that cannot be confirmed', () => {
  const spoil = () => edit(`UPDATE signing_keys SET state = 'withdrawn' WHERE state = 'current'`)
  const mend = () => edit(`UPDATE signing_keys SET state = 'current' WHERE state = 'withdrawn'`)

  test('leave a broker not ready after ten minutes: no token, no key set, and an error in the log', async () => {
    spoil()
    const proof = await scene.proof()

    expect(await pass(MAX_UNCONFIRMED_SECONDS + 1)).toBe(503)

    expect((await scene.broker.exchange(proof)).status).toBe(503)
    expect(scene.broker.records().at(-1)).toMatchObject({ decision: 'refused', reason: 'not_ready' })
    expect((await scene.broker.send('/.well-known/jwks.json')).status).toBe(503)
    expect((await scene.broker.send('/healthz')).status).toBe(200)
    expect(await gaugeOf('chancery_signing_keys_trouble')).toBe(1)
    const told = scene.broker.logs().filter(({ msg }) => String(msg).includes('could not be confirmed'))
    expect(told).toHaveLength(1)
    expect(JSON.stringify(told)).toContain('no ES256 key is current')
    mend()
    expect((await scene.broker.send('/readyz')).status).toBe(200)
  })

  test('are told with what the store says, where that is what is wrong', async () => {
    edit('ALTER TABLE key_ring RENAME TO lost')
    await pass(MAX_UNCONFIRMED_SECONDS + 1)

    const [told] = scene.broker.logs().filter(({ msg }) => String(msg).includes('could not be confirmed'))
    expect(told).toMatchObject({ level: 'error', message: expect.stringContaining('no such table: key_ring') })
    edit('ALTER TABLE lost RENAME TO key_ring')
  })

  test('are used for ten minutes', async () => {
    spoil()

    expect(await pass(MAX_UNCONFIRMED_SECONDS)).toBe(200)
    expect((await scene.broker.exchange(await scene.proof())).status).toBe(200)
    mend()
  })
})

test('a key that cannot be used in the middle of an exchange leaves no token, and an error in the log', async () => {
  const proof = await scene.proof()
  await scene.broker.exchange(proof)
  edit('ALTER TABLE key_ring RENAME TO lost')
  // Both clocks are asked when it begins.
  jumpAfter = 2

  const { status } = await scene.broker.exchange(proof)

  edit('ALTER TABLE lost RENAME TO key_ring')
  expect(status).toBe(503)
  expect(scene.broker.records().at(-1)).toMatchObject({ decision: 'refused', reason: 'key_unavailable' })
  const [told] = scene.broker.logs().filter(({ msg }) => msg === 'no key signed')
  expect(told).toMatchObject({ level: 'error', reason: 'key_unavailable', error: 'Error' })
})

test('what signs after a rotation was public before it, and what signed before is public after it', async () => {
  const before = await signerOfNow()
  const { json } = await scene.broker.send('/.well-known/jwks.json')
  await pass(PUBLISH_SECONDS)
  await keysCommand({ path: storePath() }, scene.clock.now, []).run('rotate')
  await pass(MAX_UNCONFIRMED_SECONDS + 1)
  const after = await signerOfNow()

  expect(after).not.toBe(before)
  expect(JSON.stringify(json)).toContain(after)
  expect(JSON.stringify((await scene.broker.send('/.well-known/jwks.json')).json)).toContain(before)
})
