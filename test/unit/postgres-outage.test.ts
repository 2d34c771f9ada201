/** A PostgreSQL server that is killed, restarted, silent or gone, while it is in use. */

import { setImmediate } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openPostgresStore } from '../../src/store/postgres.ts'
import { createGate } from '../../src/store/postgres-gate.ts'
import { parsePostgresUrl } from '../../src/store/postgres-url.ts'
import type { SpentProofs, Store } from '../../src/store/store.ts'
import { describePostgres } from '../support/postgres-suite.ts'
import { startRacer } from '../support/race.ts'
import { startSilentProxy } from '../support/silent-proxy.ts'
import { LONG_AGO, NOW, spendable } from '../support/spendable.ts'

async function openAt(url: string): Promise<{ readonly store: Store; readonly list: SpentProofs }> {
  const store = await openPostgresStore(parsePostgresUrl(url))
  onTestFinished(() => store.close())
  return { store, list: await store.openSpentProofs(LONG_AGO) }
}

/** Spends one proof after another, from several callers, until it is told to stop. Gives what was acknowledged. */
function spendOn(list: SpentProofs): { readonly spent: string[]; stop(): Promise<void> } {
  const spent: string[] = []
  let isStopped = false
  let next = 0
  const spendSome = async (): Promise<void> => {
    while (!isStopped) {
      const name = `proof ${next++}`
      const spending = await list.spend(spendable(name), NOW).catch(() => 'failed')
      if (spending === 'spent') spent.push(name)
      else await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const all = Promise.all(Array.from({ length: 8 }, spendSome))
  return {
    spent,
    async stop() {
      isStopped = true
      await all
    },
  }
}

describePostgres('a PostgreSQL server', (server) => {
  const query = (url: string, sql: string) => server().query(url, sql)

  test('that is killed again and again has lost nothing that was acknowledged, and is used again at once', async () => {
    const url = await server().createDatabase()
    const { list } = await openAt(url)
    const spending = spendOn(list)

    for (let round = 1; round <= 2; round++) {
      const before = spending.spent.length
      await expect.poll(() => spending.spent.length, { timeout: 10_000, interval: 20 }).toBeGreaterThan(before + 50)
      await server().kill()
      await server().start()
    }
    const before = spending.spent.length
    await expect.poll(() => spending.spent.length, { timeout: 10_000, interval: 20 }).toBeGreaterThan(before + 50)
    await spending.stop()

    expect(spending.spent.length).toBeGreaterThan(150)
    const again = await Promise.all(spending.spent.map((name) => list.spend(spendable(name), NOW)))
    expect(new Set(again)).toEqual(new Set(['replayed']))
    const [counted] = await query(
      url,
      'SELECT (SELECT sum(count) FROM chancery.spent_counts) = (SELECT count(*) FROM chancery.spent_proofs) AS fits',
    )
    expect(counted).toEqual({ fits: true })
  })

  test('that is killed while processes of their own spend has told no two of them that a proof is theirs', async () => {
    const url = await server().createDatabase()
    await openAt(url)
    const racers = await Promise.all(['east', 'west'].map((name) => startRacer('./race-to-spend-on.ts', url, name)))
    const telling = racers.map(({ go }) => go())
    for (let round = 0; round < 2; round++) {
      const [{ count = 0 } = {}] = await query(url, 'SELECT count(*)::int AS count FROM chancery.spent_proofs')
      const more = 'SELECT count(*)::int > $count AS more FROM chancery.spent_proofs'.replace(
        '$count',
        `${Number(count) + 20}`,
      )
      await expect.poll(() => query(url, more), { timeout: 10_000, interval: 20 }).toEqual([{ more: true }])
      await server().kill()
      await server().start()
    }
    for (const { child } of racers) child.send('stop')
    const [east = [], west = []] = (await Promise.all(telling)) as string[][]

    expect(Math.min(east.length, west.length)).toBeGreaterThan(0)
    expect(east.filter((name) => west.includes(name))).toEqual([])
    const { list } = await openAt(url)
    const again = await Promise.all([...east, ...west].map((name) => list.spend(spendable(name), NOW)))
    expect(new Set(again)).toEqual(new Set(['replayed']))
  })

  test('that was restarted is asked again on a new connection, and nobody notices', async () => {
    const url = await server().createDatabase()
    const { store, list } = await openAt(url)
    await Promise.all([list.spend(spendable('a'), NOW), list.isSpent(spendable('a').digest), store.signingKeys()])
    await query(url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chancery'`)

    expect(await list.spend(spendable('a'), NOW)).toBe('replayed')
    expect(await list.isSpent(spendable('b').digest)).toBe(false)
    expect((await store.signingKeys()).keys).toEqual([])
  })

  test('that is gone is not waited for, and used as soon as it is back', async () => {
    const url = await server().createDatabase()
    const { store, list } = await openAt(url)
    await server().stop()

    await expect(list.spend(spendable('a'), NOW)).rejects.toThrow()
    await expect(list.isSpent(spendable('a').digest)).rejects.toThrow()
    await expect(store.signingKeys()).rejects.toThrow()
    await server().start()

    const trySpend = () => list.spend(spendable('a'), NOW).catch(() => 'failed')
    await expect.poll(trySpend, { timeout: 5_000 }).toBe('spent')
  })

  test('is asked by few connections, however much is asked of it', async () => {
    const url = await server().createDatabase()
    const { store, list } = await openAt(url)
    const names = Array.from({ length: 2_000 }, (_, index) => `${index}`)
    const kept = { delegation: '', file: 'f', digest: 'd', packed: new Uint8Array(1_000), code: 'c' }
    const busy = Promise.all([
      ...names.map((name) => list.spend(spendable(name), NOW)),
      ...names.map((name) => list.isSpent(spendable(name).digest)),
      ...names.slice(0, 50).flatMap(() => [store.signingKeys(), store.keepDocuments([kept], ['']), list.tend(NOW)]),
    ])
    let most = 0
    const watch = async (): Promise<void> => {
      const [row] = await query(url, "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'chancery'")
      most = Math.max(most, Number(row?.count))
    }
    await Promise.all([busy, watch().then(watch).then(watch)])

    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(6)
  })

  test('that falls silent is waited for once, and then nobody waits until it speaks again', async () => {
    const url = await server().createDatabase()
    const proxy = await startSilentProxy(server().port)
    onTestFinished(() => proxy.close())
    const { list } = await openAt(url.replace(`:${server().port}/`, `:${proxy.port}/`))
    await list.spend(spendable('a'), NOW)
    proxy.fallSilent()

    const began = performance.now()
    const first = Array.from({ length: 5 }, (_, index) => list.spend(spendable(`b ${index}`), NOW))
    const later = setImmediate().then(() => list.spend(spendable('c'), NOW))
    const ends = await Promise.allSettled([...first, later])
    expect(new Set(ends.map(({ status }) => status))).toEqual(new Set(['rejected']))
    expect(performance.now() - began).toBeLessThan(6_000)
    await expect(list.spend(spendable('d'), NOW)).rejects.toThrow('a moment ago')
    await expect(list.isSpent(spendable('d').digest)).rejects.toThrow('a moment ago')

    // One who finds out whether it is back waits for it, and nobody with them.
    const tryOnce = async () => {
      const trial = list.spend(spendable('trial'), NOW).catch((error: Error) => error.message)
      return (await Promise.race([trial, setImmediate('under way')])) === 'under way'
    }
    await expect.poll(tryOnce).toBe(true)
    await expect(list.spend(spendable('d'), NOW)).rejects.toThrow('a moment ago')
    proxy.speak()
    const trySpend = () => list.spend(spendable('e'), NOW).catch(() => 'failed')
    await expect.poll(trySpend, { timeout: 10_000, interval: 20 }).toBe('spent')
  })
})

describe('the gate', () => {
  const outage = () => Promise.reject(new Error('connection refused'))

  test('lets one caller at a time find out whether the database is back, and the others once it is', async () => {
    let now = 0
    const gate = createGate(() => now)
    await expect(gate.enter(outage)).rejects.toThrow('refused')
    expect(gate.isShut()).toBe(true)
    await expect(gate.enter(async () => 'asked')).rejects.toThrow('a moment ago')

    now = 500
    expect(gate.isShut()).toBe(false)
    const { promise, resolve: answer } = Promise.withResolvers<string>()
    const trial = gate.enter(() => promise)
    await expect(gate.enter(async () => 'asked')).rejects.toThrow('a moment ago')
    answer('back')

    expect(await trial).toBe('back')
    expect(await gate.enter(async () => 'asked')).toBe('asked')
  })

  test('rests anew after a trial that failed', async () => {
    let now = 0
    const gate = createGate(() => now)
    await expect(gate.enter(outage)).rejects.toThrow('refused')
    now = 500
    await expect(gate.enter(outage)).rejects.toThrow('refused')

    now = 999
    expect(gate.isShut()).toBe(true)
    now = 1_000
    expect(gate.isShut()).toBe(false)
  })

  test('stays open where the server answers, though it refuses a statement', async () => {
    const gate = createGate(() => 0)
    const refusal = Object.assign(new Error('violates check constraint'), { severity: 'ERROR' })

    await expect(gate.enter(() => Promise.reject(refusal))).rejects.toThrow('violates')
    gate.failed(refusal)
    expect(gate.isShut()).toBe(false)
    gate.failed(Object.assign(new Error('shutting down'), { severity: 'FATAL' }))
    expect(gate.isShut()).toBe(true)
  })
})
