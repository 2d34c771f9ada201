/** What every store promises, whatever it is made of. A store is tested by one call of {@link describeStore}. */

import { randomBytes } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { KeptDocument, Store } from '../../src/store/store.ts'
import { describeKeyTable, idsOf, RACER } from './key-table-contract.ts'
import { race } from './race.ts'
import { describeSpentProofs } from './spent-contract.ts'
import type { StoreUnderTest } from './store-under-test.ts'
import { storedKey, storedRing } from './stored-keys.ts'

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
  describeKeyTable(name, create)
  describe(`${name}: the kept documents`, () => describeDocuments(open))
  describe(`${name}: durability`, () => describeDurability(create))
  describeSpentProofs(name, create)
}

type Open = (count?: number) => Promise<readonly [Store, ...Store[]]>

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

  test('are kept by several processes at once, in whatever order each has them', async () => {
    const stores = await open(3)
    const names = Array.from({ length: 60 }, (_, index) => `team-${index}`)
    const documents = names.map((name) => keptDocument(name))

    for (let round = 0; round < 3; round++) {
      await Promise.all(
        stores.map((store, number) => store.keepDocuments(number === 1 ? documents.toReversed() : documents, names)),
      )
    }

    expect(await stores[0].keptDocuments()).toHaveLength(60)
  })

  test('get another code while they are still the same ones, and keep their own otherwise', async () => {
    const [store] = await open()
    const payments = keptDocument('payments')
    await store.keepDocuments([platform, payments], ['', 'payments'])

    for (const parts of [{ delegation: 'orders' }, { file: 'other.json' }, { digest: 'other' }, { code: 'other' }]) {
      await store.recodeDocument({ ...platform, ...parts }, 'wrong')
    }
    expect(sortKept(await store.keptDocuments())).toEqual([platform, payments])
    await store.recodeDocument(platform, 'new')

    expect(sortKept(await store.keptDocuments())).toEqual([{ ...platform, code: 'new' }, payments])
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
    await store.replaceSigningKeys(storedRing([storedKey('a')]))

    await store.keepDocuments([platform], [''])

    expect(await idsOf(store)).toEqual(['a'])
  })
}

function describeDurability(create: () => Promise<StoreUnderTest>): void {
  test('what was acknowledged is there when the store is opened again', async () => {
    const { open } = await create()
    const first = await open()
    await first.replaceSigningKeys(storedRing([storedKey('a')]))
    await first.keepDocuments([keptDocument('')], [''])
    await first.close()

    const second = await open()
    onTestFinished(() => second.close())

    expect(await second.signingKeys()).toEqual(storedRing([storedKey('a')]))
    expect(await second.keptDocuments()).toEqual([keptDocument('')])
  })

  test('what was acknowledged survives a process that ends without closing', async () => {
    const { locator, open } = await create()

    const [kept] = await race(RACER, locator, ['alone'])

    const store = await open()
    onTestFinished(() => store.close())
    expect(await idsOf(store)).toEqual(kept)
  })

  test('a store that is closed refuses, whatever it is asked', async () => {
    const { open } = await create()
    const store = await open()
    await store.close()

    await expect(store.signingKeys()).rejects.toThrow()
    await expect(store.replaceSigningKeys(storedRing([storedKey('a')]))).rejects.toThrow()
    await expect(store.recodeDocument(keptDocument(''), 'd')).rejects.toThrow()
    await expect(store.keptDocuments()).rejects.toThrow()
    await expect(store.keepDocuments([keptDocument('')], [''])).rejects.toThrow()
  })
}
