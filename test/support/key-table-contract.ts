/** What every store promises of signing keys: one ring after the other, each whole, and one writer for each. */

import { describe, expect, onTestFinished, test } from 'vitest'
import type { Store, StoredKey } from '../../src/store/store.ts'
import { race } from './race.ts'
import type { StoreUnderTest } from './store-under-test.ts'
import { ringOfPair, storedKey, storedRing } from './stored-keys.ts'

/** A process of its own that puts in a first ring. */
export const RACER = './race-first-keys.ts'

/** Gives the ids of all keys of a store. */
export async function idsOf(store: Store): Promise<readonly string[]> {
  return (await store.signingKeys()).keys.map(({ keyId }) => keyId).sort()
}

/** Runs the suite over stores that `create` makes, a new one for each test. */
export function describeKeyTable(name: string, create: () => Promise<StoreUnderTest>): void {
  const open = async (count = 1): Promise<readonly [Store, ...Store[]]> => {
    const { open: openOne } = await create()
    const first = await openOne()
    const others = await Promise.all(Array.from({ length: count - 1 }, openOne))
    onTestFinished(async () => {
      for (const store of [first, ...others]) await store.close()
    })
    return [first, ...others]
  }
  describe(`${name}: signing keys`, () => {
    describeRings(open)
    describeRaces(open, create)
  })
}

type Open = (count?: number) => Promise<readonly [Store, ...Store[]]>

function describeRings(open: Open): void {
  test('there are none at first', async () => {
    const [store] = await open()

    expect(await store.signingKeys()).toEqual({ version: 0, uptime: 0, keys: [], code: '' })
  })

  test('come back as they were put in, member by member', async () => {
    const [store] = await open()
    const ring = storedRing([
      storedKey('a', { state: 'retired', publishedAt: 1, since: 9, publishedUptime: 7, sinceUptime: 8 }),
      storedKey('b', { algorithm: 'RS256', publishedAt: 2, held: 'file' }),
      storedKey('c', { state: 'next', publishedAt: 3, sealed: 'é∞\n', publishedUptime: 0 }),
      storedKey('d', { state: 'withdrawn', publishedAt: 4, sinceUptime: 0 }),
    ])

    expect(await store.replaceSigningKeys(ring)).toBe(true)

    expect(await store.signingKeys()).toEqual(ring)
  })

  test('are replaced whole by the ring that follows theirs', async () => {
    const [store, other] = await open(2)
    await store.replaceSigningKeys(ringOfPair('old'))

    expect(await store.replaceSigningKeys(ringOfPair('new', 2))).toBe(true)

    expect(await other?.signingKeys()).toEqual(ringOfPair('new', 2))
  })

  test.each([0, 1, 3, 4])('are not replaced by ring %d where the stored one is ring 1', async (version) => {
    const [store] = await open()
    await store.replaceSigningKeys(ringOfPair('kept'))

    expect(await store.replaceSigningKeys(ringOfPair('other', version))).toBe(false)

    expect(await store.signingKeys()).toEqual(ringOfPair('kept'))
  })

  test.each<[string, readonly StoredKey[]]>([
    ['an id twice', [storedKey('a'), storedKey('a', { algorithm: 'RS256' })]],
    ['two current keys of one algorithm', [storedKey('a'), storedKey('b')]],
    ['two next keys of one algorithm', [storedKey('a', { state: 'next' }), storedKey('b', { state: 'next' })]],
    ['an unknown algorithm', [storedKey('a'), storedKey('b', { algorithm: 'HS256' as 'RS256' })]],
    ['an unknown state', [storedKey('a'), storedKey('b', { state: 'old' as 'retired' })]],
    ['a time that is no whole number', [storedKey('a'), storedKey('b', { algorithm: 'RS256', publishedAt: 1.5 })]],
  ])('are replaced all or not at all: %s', async (_what, keys) => {
    const [store] = await open()
    await store.replaceSigningKeys(ringOfPair('kept'))

    await expect(store.replaceSigningKeys(storedRing(keys, 2))).rejects.toThrow()

    expect(await store.signingKeys()).toEqual(ringOfPair('kept'))
    expect(await store.replaceSigningKeys(ringOfPair('next', 2))).toBe(true)
  })
}

function describeRaces(open: Open, create: () => Promise<StoreUnderTest>): void {
  test('of several callers at once that put in the same ring, one succeeds, and all see its keys', async () => {
    const stores = await open(4)

    const answers = await Promise.all(
      stores.map((store, number) => store.replaceSigningKeys(ringOfPair(`caller${number}`))),
    )

    expect(answers.filter((isDone) => isDone)).toHaveLength(1)
    const winner = answers.indexOf(true)
    for (const store of stores) expect(await store.signingKeys()).toEqual(ringOfPair(`caller${winner}`))
  })

  test('of several processes at once are one process’s, whole, and all see them', async () => {
    const { locator, open: openOne } = await create()

    const found = await race(RACER, locator, ['east', 'west', 'north'])

    const store = await openOne()
    onTestFinished(() => store.close())
    const kept = await idsOf(store)
    expect(kept).toHaveLength(2)
    expect(new Set(kept.map((keyId) => keyId.split(' ', 1)[0])).size).toBe(1)
    expect(found).toEqual([kept, kept, kept])
  })
}
