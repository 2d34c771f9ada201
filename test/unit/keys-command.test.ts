/** `chancery keys`: what it says of a store, how it rotates, and how it ends. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { KEEP_SECONDS, PUBLISH_SECONDS } from '../../src/tokens/rotation.ts'
import { createKeysBench as createBench, KEY, NOW, statesOf, timeOf } from '../support/keys-bench.ts'
import { keysCommand } from '../support/run-keys.ts'
import { makeScratch } from '../support/scratch.ts'
import { makeVault } from '../support/vault.ts'

const OTHER_KEY = Buffer.alloc(32, 2)

describe('list', () => {
  test('says of each key its state, its age, what comes next and when', async () => {
    const bench = await createBench()
    await bench.pass(PUBLISH_SECONDS)
    expect((await bench.keys.run('rotate')).code).toBe(0)
    await bench.pass(600)

    const accounts = await bench.keys.list()

    expect(accounts).toHaveLength(4)
    const retired = accounts.find(({ state, algorithm }) => state === 'retired' && algorithm === 'ES256')
    expect(retired).toEqual({
      key_id: retired?.key_id,
      algorithm: 'ES256',
      state: 'retired',
      held: 'store',
      published_at: timeOf(NOW),
      since: timeOf(NOW + PUBLISH_SECONDS),
      age_seconds: PUBLISH_SECONDS + 600,
      next_step: 'is dropped',
      next_step_at: timeOf(NOW + PUBLISH_SECONDS + KEEP_SECONDS),
    })
    const current = accounts.find(({ state, algorithm }) => state === 'current' && algorithm === 'ES256')
    expect(current).toMatchObject({ next_step: 'retires', since: timeOf(NOW + PUBLISH_SECONDS) })
    await bench.pass(KEEP_SECONDS)
    const next = (await bench.keys.list()).find(({ state }) => state === 'next')
    expect(next).toMatchObject({ next_step: 'signs', age_seconds: 0 })
    expect(Date.parse(next?.next_step_at ?? '') / 1_000).toBeGreaterThan(NOW + 27 * 86_400)
  })

  test('is a table for people', async () => {
    const bench = await createBench()
    const { code, out, err } = await bench.keys.run('list')

    expect([code, err]).toEqual([0, ''])
    const [head, ...rows] = out.trimEnd().split('\n')
    expect(head).toMatch(/^KEY +ALGORITHM +STATE +HELD IN +AGE +NEXT STEP$/)
    expect(rows).toHaveLength(4)
    expect(rows.filter((row) => / (signs|retires) \d{4}-\d\d-\d\dT[\d:]+Z$/.test(row))).toHaveLength(4)
    expect(out).toContain(await bench.idOf('next'))
  })

  test('of a store without keys says so', async () => {
    const vault = makeVault()
    await vault.open()

    expect(await keysCommand(vault, () => NOW, []).run('list')).toMatchObject({
      code: 0,
      out: expect.stringContaining('there are no keys yet'),
    })
    expect(await keysCommand(vault, () => NOW, []).run('rotate')).toMatchObject({ code: 1 })
  })

  test('tells no time that is past: what is overdue comes as soon as a broker looks', async () => {
    const bench = await createBench()
    await bench.pass(2 * PUBLISH_SECONDS)
    bench.clock.advance(90 * PUBLISH_SECONDS)

    const times = (await bench.keys.list()).map(({ next_step_at: at }) => at)

    expect(new Set(times)).toEqual(new Set([timeOf(NOW + 92 * PUBLISH_SECONDS)]))
  })

  test('says of keys in files that they sign as soon as they may', async () => {
    const bench = await createBench()
    const ringStore = await bench.vault.ringStore([KEY])
    const ring = await ringStore.read()
    await ringStore.write(ring, { ...ring, keys: ring.keys.map((key) => ({ ...key, held: 'file' as const })) })

    const times = (await bench.keys.list()).map(({ next_step_at: at }) => at)

    expect(new Set(times)).toEqual(new Set([timeOf(NOW + PUBLISH_SECONDS)]))
  })

  test('changes nothing', async () => {
    const bench = await createBench()
    const before = await (await bench.vault.open()).signingKeys()

    await bench.keys.run('list')

    expect(await (await bench.vault.open()).signingKeys()).toEqual(before)
  })
})

describe('rotate', () => {
  test('lets the next keys sign, retires the others, and says until when those stay public', async () => {
    const bench = await createBench()
    await bench.pass(PUBLISH_SECONDS)
    const [before, next] = [await bench.idOf('current'), await bench.idOf('next')]

    const { code, out } = await bench.keys.run('rotate')

    expect(code).toBe(0)
    expect(out.split('\n').filter((line) => line !== '')).toHaveLength(2)
    expect(out).toContain(
      `ES256: ${next} signs now; ${before} stays public until ${timeOf(NOW + PUBLISH_SECONDS + KEEP_SECONDS)}`,
    )
    expect(await bench.idOf('current')).toBe(next)
    expect(await bench.idOf('retired')).toBe(before)
  })

  test('rotates one algorithm alone where it is asked to', async () => {
    const bench = await createBench()
    await bench.pass(PUBLISH_SECONDS)

    expect((await bench.keys.run('rotate', { algorithm: 'RS256' })).code).toBe(0)

    expect(await statesOf(bench)).toEqual(['ES256 current', 'ES256 next', 'RS256 current', 'RS256 retired'])
  })

  test('ends with 3 and the earliest time where the next key has not been public for a day', async () => {
    const bench = await createBench()
    await bench.pass(PUBLISH_SECONDS - 60)

    const { code, out, err } = await bench.keys.run('rotate')

    expect([code, out]).toEqual([3, ''])
    expect(err).toContain(`not yet, at the earliest ${timeOf(NOW + PUBLISH_SECONDS)}`)
    expect(err).toContain('has not been public for 24 h')
    expect(await statesOf(bench)).toEqual(['ES256 current', 'ES256 next', 'RS256 current', 'RS256 next'])
  })

  test('ends with 3 and the earliest time where a fifth key would be needed', async () => {
    const bench = await createBench()
    await bench.pass(PUBLISH_SECONDS)
    await bench.keys.run('rotate')
    await bench.pass(600)

    const { code, err } = await bench.keys.run('rotate')

    expect(code).toBe(3)
    expect(err).toContain(`at the earliest ${timeOf(NOW + 2 * PUBLISH_SECONDS + KEEP_SECONDS)}`)
    expect(err).toContain('four keys are public')
  })

  test('tells of both the time at which both can be rotated', async () => {
    const bench = await createBench()
    for (const algorithm of ['ES256', 'RS256']) {
      await bench.keys.run('revoke', { keyId: await bench.idOf('next', algorithm) })
      await bench.pass(600)
    }

    const { err } = await bench.keys.run('rotate')

    const last = (await bench.keys.list()).find(({ state, algorithm }) => state === 'next' && algorithm === 'RS256')
    expect(err).toContain(timeOf(Date.parse(last?.since ?? '') / 1_000 + PUBLISH_SECONDS))
  })

  test('rotates both or none, so that what was asked for and what was done are the same', async () => {
    const bench = await createBench()
    await bench.pass(PUBLISH_SECONDS)
    await bench.keys.run('revoke', { keyId: await bench.idOf('next', 'RS256') })
    await bench.pass(60)

    const { code, err } = await bench.keys.run('rotate')
    expect([code, err]).toEqual([3, expect.stringContaining(timeOf(NOW + 2 * PUBLISH_SECONDS))])

    expect(await statesOf(bench)).toEqual(['ES256 current', 'ES256 next', 'RS256 current', 'RS256 next'])
    expect((await bench.keys.run('rotate', { algorithm: 'ES256' })).code).toBe(0)
  })
})

describe('every one of them', () => {
  test.each(['list', 'rotate', 'revoke', 'reencrypt'] as const)(
    'refuses a store that is not there, and makes none: %s',
    async (act) => {
      const path = join(makeScratch(), 'typo.db')

      await expect(keysCommand({ path }, () => NOW, [KEY]).run(act, { keyId: 'x' })).rejects.toThrow(
        /typo\.db does not exist/,
      )
      expect(existsSync(path)).toBe(false)
    },
  )

  test.each(['list', 'rotate', 'revoke', 'reencrypt'] as const)(
    'refuses another key-encryption key: %s',
    async (act) => {
      const bench = await createBench()

      await expect(keysCommand(bench.vault, () => NOW, [OTHER_KEY]).run(act, { keyId: 'x' })).rejects.toThrow(
        'CHANCERY_KEY_ENCRYPTION_KEY: the key-encryption key does not open',
      )
    },
  )

  test('decides again where a broker was faster', async () => {
    const bench = await createBench()
    await bench.pass(PUBLISH_SECONDS)

    const done = await Promise.all([
      ...Array.from({ length: 4 }, async () => (await bench.keys.run('rotate')).code),
      bench.broker.list(),
    ])

    expect(done.filter((code) => code === 0)).toHaveLength(1)
    expect(done.filter((code) => code === 3)).toHaveLength(3)
  })
})
