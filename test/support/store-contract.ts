/** What every store promises, whatever it is made of. A store is tested by one call of {@link describeStore}. */

import { randomBytes } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { KeptDocument, Store, StoredKey } from '../../src/store/store.ts'
import { race } from './race.ts'
import { describeSpentProofs } from './spent-contract.ts'

/** One empty store that several may open. */
export interface StoreUnderTest {
  /** Opens it once more, as another process would. */
  readonly open: () => Promise<Store>
  /** Where a process of its own finds it: `sqlite:PATH`. */
  readonly locator: string
}

const RACER = './race-first-keys.ts'

/** Makes a row; nothing is read into its members. */
export function storedKey(keyId: string, parts: Partial<StoredKey> = {}): StoredKey {
  return {
    keyId,
    algorithm: 'ES256',
    state: 'current',
    publishedAt: 1_768_478_400,
    sealed: `sealed ${keyId}`,
    ...parts,
  }
}

function keptDocument(delegation: string, parts: Partial<KeptDocument> = {}): KeptDocument {
  const name = delegation === '' ? 'platform' : delegation
  return {
    delegation,
    file: `${name}.json`,
    digest: `digest of ${name}`,
    packed: new Uint8Array([0, 255]),
    code: 'c0de',
    ...parts,
  }
}

function sortKept(documents: readonly KeptDocument[]): readonly KeptDocument[] {
  return documents.toSorted((one, other) => (one.delegation < other.delegation ? -1 : 1))
}

/** Runs the contract's suite over stores that `create` makes, a new one for each test. */
export function describeStore(name: string, create: () => Promise<StoreUnderTest>): void {
  const open = async (count = 1): Promise<readonly [Store, ...Store[]]> => {
    const { open: openOne } = await create()
    const first = await openOne()
    const others = await Promise.all(Array.from({ length: count - 1 }, openOne))
    onTestFinished(async () => {
      for (const store of [first, ...others]) await store.close().catch(() => undefined)
    })
    return [first, ...others]
  }
  describe(`${name}: signing keys`, () => describeKeys(open, create))
  describe(`${name}: the kept documents`, () => describeDocuments(open))
  describe(`${name}: durability`, () => describeDurability(create))
  describeSpentProofs(name, create)
}

type Open = (count?: number) => Promise<readonly [Store, ...Store[]]>

function describeKeys(open: Open, create: () => Promise<StoreUnderTest>): void {
  test('there are none at first', async () => {
    const [store] = await open()

    expect(await store.signingKeys()).toEqual([])
  })

  test('come back as they were added, member by member', async () => {
    const [store] = await open()
    const keys = [
      storedKey('a', { state: 'retired', publishedAt: 1 }),
      storedKey('b', { algorithm: 'RS256', publishedAt: 2 }),
      storedKey('c', { state: 'next', publishedAt: 3, sealed: 'é∞\n' }),
    ]

    await store.addFirstSigningKeys(keys)

    expect(await store.signingKeys()).toEqual(keys)
  })

  test('are not added where there are any', async () => {
    const [store] = await open()
    await store.addFirstSigningKeys([storedKey('a')])

    await store.addFirstSigningKeys([storedKey('b', { algorithm: 'RS256' })])

    expect(idsOf(await store.signingKeys())).toEqual(['a'])
  })

  test.each([
    ['an id twice', [storedKey('a'), storedKey('a', { algorithm: 'RS256' })]],
    ['two current keys of one algorithm', [storedKey('a'), storedKey('b')]],
    ['two next keys of one algorithm', [storedKey('a', { state: 'next' }), storedKey('b', { state: 'next' })]],
    ['an unknown algorithm', [storedKey('a'), storedKey('b', { algorithm: 'HS256' as 'RS256' })]],
    ['an unknown state', [storedKey('a'), storedKey('b', { state: 'old' as 'retired' })]],
    ['a time that is no whole number', [storedKey('a'), storedKey('b', { algorithm: 'RS256', publishedAt: 1.5 })]],
  ])('are added all or not at all: %s', async (_what, keys) => {
    const [store] = await open()

    await expect(store.addFirstSigningKeys(keys)).rejects.toThrow()

    expect(await store.signingKeys()).toEqual([])
    await store.addFirstSigningKeys([storedKey('c')])
    expect(idsOf(await store.signingKeys())).toEqual(['c'])
  })

  test('of several that add at once are one caller’s, whole', async () => {
    const stores = await open(4)

    await Promise.all(stores.map((store, number) => store.addFirstSigningKeys(pairOf(`caller${number}`))))

    const found = await Promise.all(stores.map(async (store) => idsOf(await store.signingKeys())))
    expect(found[0]).toHaveLength(2)
    expect(new Set(found[0]?.map(callerOf)).size).toBe(1)
    expect(new Set(found.map(String)).size).toBe(1)
  })

  test('of several processes that add at once are one process’s, whole, and all see them', async () => {
    const { locator, open: openOne } = await create()

    const found = await race(RACER, locator, ['east', 'west', 'north'])

    const store = await openOne()
    onTestFinished(() => store.close())
    const kept = idsOf(await store.signingKeys())
    expect(kept).toHaveLength(2)
    expect(new Set(kept.map(callerOf)).size).toBe(1)
    expect(found).toEqual([kept, kept, kept])
  })
}

function describeDocuments(open: Open): void {
  const platform = keptDocument('', { file: 'Bücher.json' })

  test('are not there at first', async () => {
    const [store] = await open()

    expect(await store.keptDocuments()).toEqual([])
  })

  test('are the last ones that were kept for each delegation, and every process sees them', async () => {
    const [store, other] = await open(2)
    const payments = keptDocument('payments', { packed: new Uint8Array([1]) })
    await store.keepDocuments([keptDocument('', { file: 'old.json' }), payments], ['', 'payments'])

    await store.keepDocuments([platform, keptDocument('orders')], ['', 'payments', 'orders'])

    const expected = [platform, keptDocument('orders'), payments]
    expect(sortKept(await store.keptDocuments())).toEqual(expected)
    expect(sortKept((await other?.keptDocuments()) ?? [])).toEqual(expected)
  })

  test('are forgotten where their delegation is not named any more', async () => {
    const [store] = await open()
    await store.keepDocuments([platform, keptDocument('payments'), keptDocument('orders')], ['', 'payments', 'orders'])

    await store.keepDocuments([], ['', 'orders'])

    expect(sortKept(await store.keptDocuments())).toEqual([platform, keptDocument('orders')])
  })

  test('change all at once or not at all', async () => {
    const [store] = await open()
    await store.keepDocuments([platform], [''])
    const broken = keptDocument('orders', { packed: 'text' as unknown as Uint8Array })

    await expect(store.keepDocuments([keptDocument('payments'), broken], ['payments', 'orders'])).rejects.toThrow()

    expect(await store.keptDocuments()).toEqual([platform])
  })

  test('may be large', async () => {
    const [store] = await open()
    const packed = randomBytes(10_000_000)

    await store.keepDocuments([keptDocument('', { packed })], [''])

    const [kept] = await store.keptDocuments()
    expect(Buffer.compare(kept?.packed ?? Buffer.of(), packed)).toBe(0)
  })

  test('have nothing to do with the keys', async () => {
    const [store] = await open()
    await store.addFirstSigningKeys([storedKey('a')])

    await store.keepDocuments([platform], [''])

    expect(idsOf(await store.signingKeys())).toEqual(['a'])
  })
}

function describeDurability(create: () => Promise<StoreUnderTest>): void {
  test('what was acknowledged is there when the store is opened again', async () => {
    const { open } = await create()
    const first = await open()
    await first.addFirstSigningKeys([storedKey('a')])
    await first.keepDocuments([keptDocument('')], [''])
    await first.close()

    const second = await open()
    onTestFinished(() => second.close())

    expect(await second.signingKeys()).toEqual([storedKey('a')])
    expect(await second.keptDocuments()).toEqual([keptDocument('')])
  })

  test('what was acknowledged survives a process that ends without closing', async () => {
    const { locator, open } = await create()

    const [kept] = await race(RACER, locator, ['alone'])

    const store = await open()
    onTestFinished(() => store.close())
    expect(idsOf(await store.signingKeys())).toEqual(kept)
  })

  test('a store that is closed refuses, whatever it is asked', async () => {
    const { open } = await create()
    const store = await open()
    await store.close()

    await expect(store.signingKeys()).rejects.toThrow()
    await expect(store.addFirstSigningKeys([storedKey('a')])).rejects.toThrow()
    await expect(store.keptDocuments()).rejects.toThrow()
    await expect(store.keepDocuments([keptDocument('')], [''])).rejects.toThrow()
  })
}

/** The two keys that one caller adds. */
export function pairOf(caller: string): readonly StoredKey[] {
  return [storedKey(`${caller} 1`), storedKey(`${caller} 2`, { algorithm: 'RS256' })]
}

function idsOf(keys: readonly StoredKey[]): readonly string[] {
  return keys.map(({ keyId }) => keyId).sort()
}

function callerOf(keyId: string): string | undefined {
  return keyId.split(' ', 1)[0]
}
