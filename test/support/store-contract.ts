/** What every store promises, whatever it is made of. A store is tested by one call of {@link describeStore}. */

import { describe, expect, onTestFinished, test } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import { describeKeyTable, idsOf, RACER } from './key-table-contract.ts'
import { race } from './race.ts'
import { describeSpentProofs } from './spent-contract.ts'
import type { StoreUnderTest } from './store-under-test.ts'
import { storedKey, storedRing } from './stored-keys.ts'

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
  describe(`${name}: the kept document`, () => describeDocument(open))
  describe(`${name}: durability`, () => describeDurability(create))
  describeSpentProofs(name, create)
}

type Open = (count?: number) => Promise<readonly [Store, ...Store[]]>

function describeDocument(open: Open): void {
  const document = { file: 'federation.json', text: '{"name":"Bücher"}', code: 'c0de' }

  test('is not there at first', async () => {
    const [store] = await open()

    expect(await store.keptDocument()).toBeUndefined()
  })

  test('is the last one that was kept, and every process sees it', async () => {
    const [store, other] = await open(2)
    await store.keepDocument({ file: 'old.json', text: '{}', code: '' })

    await store.keepDocument(document)

    expect(await store.keptDocument()).toEqual(document)
    expect(await other?.keptDocument()).toEqual(document)
  })

  test('gets another code while it is still the same one, and keeps its own otherwise', async () => {
    const [store] = await open()
    await store.keepDocument(document)

    for (const parts of [{ file: 'other.json' }, { text: '{}' }, { code: 'other' }]) {
      await store.recodeDocument({ ...document, ...parts }, 'wrong')
    }
    expect(await store.keptDocument()).toEqual(document)
    await store.recodeDocument(document, 'new')

    expect(await store.keptDocument()).toEqual({ ...document, code: 'new' })
  })

  test('may be large', async () => {
    const [store] = await open()
    const text = `"${'é'.repeat(5_000_000)}"`

    await store.keepDocument({ ...document, text })

    expect((await store.keptDocument())?.text === text).toBe(true)
  })

  test('has nothing to do with the keys', async () => {
    const [store] = await open()
    await store.replaceSigningKeys(storedRing([storedKey('a')]))

    await store.keepDocument(document)

    expect(await idsOf(store)).toEqual(['a'])
  })
}

function describeDurability(create: () => Promise<StoreUnderTest>): void {
  test('what was acknowledged is there when the store is opened again', async () => {
    const { open } = await create()
    const first = await open()
    await first.replaceSigningKeys(storedRing([storedKey('a')]))
    await first.keepDocument({ file: 'f', text: 't', code: 'c' })
    await first.close()

    const second = await open()
    onTestFinished(() => second.close())

    expect(await second.signingKeys()).toEqual(storedRing([storedKey('a')]))
    expect(await second.keptDocument()).toEqual({ file: 'f', text: 't', code: 'c' })
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
    await expect(store.recodeDocument({ file: 'f', text: 't', code: 'c' }, 'd')).rejects.toThrow()
    await expect(store.keptDocument()).rejects.toThrow()
    await expect(store.keepDocument({ file: 'f', text: 't', code: 'c' })).rejects.toThrow()
  })
}
