/** The keeper: one ring, swapped in whole, used only while it is confirmed. */

import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createKeyKeeper, type KeyKeeper } from '../../src/tokens/key-keeper.ts'
import type { KeyListing } from '../../src/tokens/key-source.ts'
import { MAX_UNCONFIRMED_SECONDS } from '../../src/tokens/rotation.ts'
import { type MadeKey, makeSigningKey, signerOf } from '../support/made-keys.ts'

const ec = await makeSigningKey('ES256')
const rsa = await makeSigningKey('RS256')
const next = await makeSigningKey('ES256', { state: 'next' })
const nextRsa = await makeSigningKey('RS256', { state: 'next' })
const KEYS = [ec, rsa, next]
const ROTATED: readonly MadeKey[] = [{ ...ec, state: 'retired' }, rsa, { ...next, state: 'current' }]
const INPUT = Buffer.from('what is signed')

interface Bench {
  readonly keeper: KeyKeeper
  /** What the source gives from now on. */
  list(keys: readonly MadeKey[] | Error | Promise<readonly MadeKey[]>): void
  readonly looks: (readonly [KeyListing, KeyListing | undefined])[]
  readonly troubles: unknown[]
  /** Both clocks: one can be set, the other only goes on. */
  readonly clocks: { now: number; elapsed: number }
  count(): number
}

function createBench(): Bench {
  let listed: readonly MadeKey[] | Error | Promise<readonly MadeKey[]> = KEYS
  let count = 0
  const bench = { looks: [] as Bench['looks'], troubles: [] as unknown[], clocks: { now: 1_000_000, elapsed: 0 } }
  const keeper = createKeyKeeper({
    source: {
      async list() {
        count++
        const keys = await listed
        if (keys instanceof Error) throw keys
        return { keys, steps: [], turns: [], troubles: [] }
      },
      sign: signerOf(KEYS),
    },
    now: () => bench.clocks.now,
    elapsed: () => bench.clocks.elapsed,
    onLook: (listing, before) => void bench.looks.push([listing, before]),
    onTrouble: (error) => void bench.troubles.push(error),
  })
  onTestFinished(() => keeper.stop())
  return {
    ...bench,
    keeper,
    count: () => count,
    list(keys) {
      listed = keys
    },
  }
}

async function signerIn({ keeper }: Bench): Promise<string | undefined> {
  return (await keeper.ring())?.signerFor('ES256').keyId
}

describe('the ring', () => {
  test('is there from the start, and swapped when the keys have changed', async () => {
    const bench = createBench()
    await bench.keeper.start()
    expect(await signerIn(bench)).toBe(ec.keyId)

    bench.list(ROTATED)
    await bench.keeper.look()

    expect(await signerIn(bench)).toBe(next.keyId)
    expect(bench.looks.map(([listing, before]) => [listing.keys, before?.keys])).toEqual([
      [KEYS, undefined],
      [ROTATED, KEYS],
    ])
  })

  test('is the same while the keys are: an exchange has no two of one moment', async () => {
    const bench = createBench()
    await bench.keeper.start()
    const before = bench.keeper.ring()

    bench.list(KEYS.map((key) => ({ ...key, since: key.since + 1 })))
    await bench.keeper.look()

    expect(bench.keeper.ring()).toBe(before)
  })

  test.each<[string, readonly MadeKey[]]>([
    ['a key came', [...KEYS, nextRsa]],
    ['a key went', [ec, rsa]],
    ['a key was promoted', ROTATED],
  ])('is another where %s', async (_what, keys) => {
    const bench = createBench()
    await bench.keeper.start()
    const before = bench.keeper.ring()

    bench.list(keys)
    await bench.keeper.look()

    expect(bench.keeper.ring()).not.toBe(before)
    expect((await bench.keeper.ring())?.jwks.keys).toHaveLength(keys.length)
  })

  test('signs after it was swapped out, as an exchange that began with it ends with it', async () => {
    const bench = createBench()
    await bench.keeper.start()
    const before = await bench.keeper.ring()
    bench.list(ROTATED)
    await bench.keeper.look()

    expect(before?.signerFor('ES256').sign(INPUT)).toBeInstanceOf(Buffer)
    expect(before?.signerFor('ES256').keyId).toBe(ec.keyId)
  })

  test('is not there at the start where nobody can tell which keys there are', async () => {
    const bench = createBench()
    bench.list(new Error('no store'))

    await expect(bench.keeper.start()).rejects.toThrow('no store')
    expect(await bench.keeper.ring()).toBeUndefined()
  })

  test('is not swapped for one without a key that signs', async () => {
    const bench = createBench()
    await bench.keeper.start()

    bench.list([rsa, next])
    await bench.keeper.look()

    expect(await signerIn(bench)).toBe(ec.keyId)
    expect(bench.troubles).toMatchObject([{ message: expect.stringContaining('no ES256 key is current') }])
  })
})

describe('a ring that cannot be confirmed', () => {
  async function startThenFail(): Promise<Bench> {
    const bench = createBench()
    await bench.keeper.start()
    bench.list(new Error('no store'))
    return bench
  }

  test('is used for ten minutes, by either clock', async () => {
    const bench = await startThenFail()
    bench.clocks.now += MAX_UNCONFIRMED_SECONDS
    bench.clocks.elapsed += MAX_UNCONFIRMED_SECONDS
    await bench.keeper.look()

    expect(await signerIn(bench)).toBe(ec.keyId)
    expect(bench.troubles).toHaveLength(1)
  })

  test.each([
    ['by the clock that only goes on', 0, MAX_UNCONFIRMED_SECONDS + 1],
    ['by the clock that can be set, as after a sleep', MAX_UNCONFIRMED_SECONDS + 1, 0],
    ['by a clock that was set back', -MAX_UNCONFIRMED_SECONDS - 1, 0],
  ])('is not used after that, %s', async (_what, now, elapsed) => {
    const bench = await startThenFail()
    const ring = await bench.keeper.ring()
    bench.clocks.now += now
    bench.clocks.elapsed += elapsed

    expect(await bench.keeper.ring()).toBeUndefined()
    expect(() => ring?.signerFor('ES256').sign(INPUT)).toThrow('not confirmed')
  })

  test('is looked at before it is used again', async () => {
    const bench = await startThenFail()
    bench.clocks.now += 1_000_000
    bench.list(ROTATED)

    const rings = await Promise.all([bench.keeper.ring(), bench.keeper.ring(), bench.keeper.ring()])

    expect(new Set(rings.map((ring) => ring?.signerFor('ES256').keyId))).toEqual(new Set([next.keyId]))
    expect(bench.count()).toBe(2)
    expect(bench.keeper.ring()).not.toBeInstanceOf(Promise)
  })

  test('counts from when the look began, and not from when an answer came', async () => {
    const bench = createBench()
    await bench.keeper.start()
    let answer = (_keys: readonly MadeKey[]): void => undefined
    bench.list(new Promise((resolve) => (answer = resolve)))
    const look = bench.keeper.look()
    bench.clocks.elapsed += MAX_UNCONFIRMED_SECONDS + 1
    bench.list(new Error('no store'))
    answer(KEYS)
    await look

    expect(await bench.keeper.ring()).toBeUndefined()
  })
})

describe('looks', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
  })

  test('come every two seconds or so, whatever the one before found', async () => {
    const bench = createBench()
    await bench.keeper.start()

    await vi.advanceTimersByTimeAsync(1_499)
    expect(bench.count()).toBe(1)
    await vi.advanceTimersByTimeAsync(1_001)
    expect(bench.count()).toBe(2)
    bench.list(new Error('no store'))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(bench.count()).toBeGreaterThanOrEqual(4)
    expect(bench.count()).toBeLessThanOrEqual(5)
  })

  test('of processes that were started together do not come together', async () => {
    const times = new Set<number>()
    for (let index = 0; index < 20; index++) {
      const bench = createBench()
      await bench.keeper.start()
      let waited = 0
      for (; bench.count() === 1; waited += 10) await vi.advanceTimersByTimeAsync(10)
      times.add(waited)
      await bench.keeper.stop()
    }

    expect(times.size).toBeGreaterThan(5)
  })

  test('never overlap, and end when the keeper is stopped', async () => {
    const bench = createBench()
    await bench.keeper.start()
    let answer = (_keys: readonly MadeKey[]): void => undefined
    bench.list(new Promise((resolve) => (answer = resolve)))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(bench.count()).toBe(2)

    let isStopped = false
    const stopped = bench.keeper.stop().then(() => {
      isStopped = true
    })
    await vi.advanceTimersByTimeAsync(10)
    expect(isStopped).toBe(false)
    answer(KEYS)
    await stopped
    await vi.advanceTimersByTimeAsync(60_000)

    expect(bench.count()).toBe(2)
  })
})
