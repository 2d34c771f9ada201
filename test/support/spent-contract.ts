/** What every store promises about spent proofs. Part of the contract of every store. */

import { describe, expect, onTestFinished, test } from 'vitest'
import type { SpentProofs, Store } from '../../src/store/store.ts'
import { race, startRacer } from './race.ts'
import { LONG_AGO, NOW, spendable } from './spendable.ts'
import { turn } from './test-writer.ts'

interface StoreUnderTest {
  readonly open: () => Promise<Store>
  readonly locator: string
}

/** Opens lists of one empty store, as so many processes would. */
type OpenLists = (count?: number, now?: number) => Promise<readonly [SpentProofs, ...SpentProofs[]]>

/** Runs the suite over stores that `create` makes, a new one for each test. */
export function describeSpentProofs(name: string, create: () => Promise<StoreUnderTest>): void {
  const openLists: OpenLists = async (count = 1, now = LONG_AGO) => {
    const { open } = await create()
    const first = await openList(open, now)
    return [first, ...(await Promise.all(Array.from({ length: count - 1 }, () => openList(open, now))))]
  }
  describe(`${name}: a proof`, () => describeSpending(openLists))
  describe(`${name}: of several that spend one proof`, () => describeRaces(openLists, create))
  describe(`${name}: a spent proof`, () => describeForgetting(openLists))
  describe(`${name}: a list of spent proofs`, () => describeBelief(create))
}

async function openList(open: () => Promise<Store>, now: number): Promise<SpentProofs> {
  const store = await open()
  onTestFinished(() => store.close().catch(() => undefined))
  return await store.openSpentProofs(now)
}

function describeSpending(openLists: OpenLists): void {
  test('is spent once, whoever asks again and whatever else it says', async () => {
    const [list, other] = await openLists(2)

    expect(await list.spend(spendable('a'), NOW)).toBe('spent')

    expect(await list.spend(spendable('a'), NOW)).toBe('replayed')
    expect(await other?.spend(spendable('a', { issuedAt: NOW + 1, expiresAt: NOW + 3_600 }), NOW + 1)).toBe('replayed')
  })

  test('is spent by being spent alone, and then every process knows', async () => {
    const [list, other] = await openLists(2)
    const { digest } = spendable('a')
    expect(await list.isSpent(digest)).toBe(false)
    expect(await list.isSpent(digest)).toBe(false)

    await list.spend(spendable('a'), NOW)

    expect(await list.isSpent(digest)).toBe(true)
    expect(await other?.isSpent(digest)).toBe(true)
  })

  test('has nothing to do with another', async () => {
    const [list] = await openLists()
    await list.spend(spendable('a'), NOW)

    expect(await list.isSpent(spendable('b').digest)).toBe(false)
    expect(await list.spend(spendable('b'), NOW)).toBe('spent')
  })

  test('that is not spent is not counted, and one that is, is', async () => {
    const [list] = await openLists()
    const proofs = [spendable('a'), spendable('b'), spendable('a'), spendable('old', { issuedAt: LONG_AGO })]

    await Promise.all(proofs.map((proof) => list.spend(proof, NOW)))

    expect(await list.tend(NOW)).toEqual({ count: 2, hasMore: false })
  })
}

function describeRaces(openLists: OpenLists, create: () => Promise<StoreUnderTest>): void {
  test('at once in one process, one wins', async () => {
    const [list] = await openLists()

    const spendings = await Promise.all(Array.from({ length: 100 }, () => list.spend(spendable('a'), NOW)))

    expect(spendings.filter((spending) => spending === 'spent')).toHaveLength(1)
    expect(spendings.filter((spending) => spending === 'replayed')).toHaveLength(99)
  })

  test('through connections of their own, one wins', async () => {
    const lists = await openLists(4)

    const spendings = await Promise.all(lists.map((list) => list.spend(spendable('a'), NOW)))

    expect([...spendings].sort()).toEqual(['replayed', 'replayed', 'replayed', 'spent'])
  })

  test('in processes of their own, one wins each time', async () => {
    const { locator, open } = await create()
    await openList(open, LONG_AGO)

    const told = (await race('./race-to-spend.ts', locator, ['east', 'west', 'north'])) as readonly string[][]

    const [east = []] = told
    expect(east).toHaveLength(50)
    for (const index of east.keys()) {
      expect(told.map((spendings) => spendings[index] ?? '').sort()).toEqual(['replayed', 'replayed', 'spent'])
    }
  })

  test('one that is killed before it can answer has spent it all the same', async () => {
    const { locator, open } = await create()
    const list = await openList(open, LONG_AGO)
    const racer = await startRacer('./race-to-spend.ts', locator, 'silent')
    const answer = expect(racer.go()).rejects.toThrow('ended')
    while (!(await list.isSpent(spendable('proof 49').digest))) await turn()

    racer.child.kill('SIGKILL')
    await answer

    expect(await list.spend(spendable('proof 49'), NOW)).toBe('replayed')
    expect(await (await openList(open, NOW)).spend(spendable('proof 49'), NOW)).toBe('replayed')
  })
}

function describeForgetting(openLists: OpenLists): void {
  test.each([
    ['what it has left of a long life', 3_600, 4_500],
    ['a quarter of an hour where it has less left', 10, 1_800],
  ])('is remembered for %s, and a quarter of an hour more', async (_what, left, remembered) => {
    const [list] = await openLists()
    const proof = spendable('a', { expiresAt: NOW + left })
    await list.spend(proof, NOW)

    await list.tend(NOW + remembered - 1)
    expect(await list.isSpent(proof.digest)).toBe(true)

    expect(await list.tend(NOW + remembered)).toEqual({ count: 0, hasMore: false })
    expect(await list.isSpent(proof.digest)).toBe(false)
  })

  test('that is forgotten does not come back with a clock that was ahead', async () => {
    const [list, other] = await openLists(2)
    await list.spend(spendable('a'), NOW)
    await list.tend(NOW + 86_400)
    expect(await list.isSpent(spendable('a').digest)).toBe(false)

    expect(await list.spend(spendable('a'), NOW)).toBe('predates')
    await list.tend(NOW)
    expect(await other?.spend(spendable('a'), NOW)).toBe('predates')
    // Nobody who proves themselves anew waits for the clock to come round again.
    expect(await list.spend(spendable('b', { issuedAt: NOW + 1, expiresAt: NOW + 901 }), NOW)).toBe('spent')
  })

  test('is still remembered when the clock is set back by ten minutes', async () => {
    const [list] = await openLists()
    await list.spend(spendable('a'), NOW)
    await list.tend(NOW + 900 + 60)

    await list.tend(NOW + 360)

    expect(await list.spend(spendable('a'), NOW + 360)).toBe('replayed')
  })

  test('is forgotten a few at a time, the oldest first, until none is left that nobody needs', async () => {
    const [list] = await openLists()
    const proofs = Array.from({ length: 1_000 }, (_, index) => spendable(`${index}`, { expiresAt: NOW + 900 + index }))
    await Promise.all(proofs.map((proof) => list.spend(proof, NOW)))

    let tended = await list.tend(NOW + 1_800 + 500)
    expect(tended).toEqual({ count: expect.any(Number), hasMore: true })
    expect(tended.count).toBeGreaterThan(499)
    while (tended.hasMore) tended = await list.tend(NOW + 1_800 + 500)

    expect(tended.count).toBe(499)
    expect(await list.isSpent(spendable('500').digest)).toBe(false)
    expect(await list.isSpent(spendable('501').digest)).toBe(true)
  })
}

function describeBelief(create: () => Promise<StoreUnderTest>): void {
  test('that is new takes no proof that one before it may have seen', async () => {
    const { open } = await create()
    const list = await openList(open, NOW)

    expect(list.believedFrom).toBe(NOW + 1)
    expect(await list.spend(spendable('a', { issuedAt: NOW }), NOW)).toBe('predates')
    expect(await list.spend(spendable('b', { issuedAt: NOW + 1 }), NOW)).toBe('spent')
  })

  test.each([
    ['a restart', 0, NOW + 1],
    ['an absence of five minutes', 300, NOW + 1],
    ['a longer absence', 301, NOW + 361],
    ['a clock set back by five minutes', -300, NOW + 1],
    ['a clock set back further', -301, NOW - 241],
  ])('after %s is believed from where it must be', async (_what, away, expected) => {
    const { open } = await create()
    const store = await open()
    await store.openSpentProofs(NOW)
    await store.close()

    const again = await openList(open, NOW + away)
    const other = await openList(open, NOW + away + 200)

    expect(again.believedFrom).toBe(expected)
    expect(other.believedFrom).toBe(expected)
    expect(await again.spend(spendable('a', { issuedAt: expected - 1 }), NOW + away)).toBe('predates')
    expect(await again.spend(spendable('b', { issuedAt: expected }), NOW + away)).toBe('spent')
  })

  test('that was tended lately has not been away', async () => {
    const { open } = await create()
    const list = await openList(open, NOW)
    await list.tend(NOW + 86_400)

    expect((await openList(open, NOW + 86_700)).believedFrom).toBe(NOW + 1)
    expect((await openList(open, NOW + 87_001)).believedFrom).toBe(NOW + 87_061)
  })

  test('knows after a restart what was spent before it, at once', async () => {
    const { open } = await create()
    const store = await open()
    const list = await store.openSpentProofs(LONG_AGO)
    await list.spend(spendable('a'), NOW)
    await list.tend(NOW)
    await store.close()

    const again = await openList(open, NOW + 1)

    expect(await again.spend(spendable('a'), NOW + 1)).toBe('replayed')
    expect(await again.spend(spendable('b'), NOW + 1)).toBe('spent')
    expect((await again.tend(NOW + 1)).count).toBe(2)
  })

  test('refuses, whatever it is asked, when its store is closed', async () => {
    const { open } = await create()
    const store = await open()
    const list = await store.openSpentProofs(LONG_AGO)
    await store.close()

    await expect(list.spend(spendable('a'), NOW)).rejects.toThrow()
    await expect(list.isSpent(spendable('a').digest)).rejects.toThrow()
    await expect(list.tend(NOW)).rejects.toThrow()
    await expect(store.openSpentProofs(NOW)).rejects.toThrow()
  })
}
