/** The last good documents: kept in a real store, given back only to whoever kept them. */

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { digestOf } from '../../src/federation/digest.ts'
import { createKeptDocuments, type KeptDocuments, type PackedDocument } from '../../src/federation/kept.ts'
import { createSealer } from '../../src/store/seal.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { makeScratch } from '../support/scratch.ts'

const KEY = Buffer.alloc(32, 1)
const OTHER_KEY = Buffer.alloc(32, 2)

function packed(
  delegation: string | undefined,
  text = `text of ${delegation}`,
  file = `${delegation}.json`,
): PackedDocument {
  return { delegation, file, digest: digestOf(text), packed: new TextEncoder().encode(text) }
}

const PLATFORM = packed(undefined)
const PAYMENTS = packed('payments')

interface Shelf {
  readonly store: Store
  /** Opens the kept documents under these keys. */
  with(...keys: readonly Uint8Array[]): KeptDocuments
  /** Changes the rows of a delegation by hand. */
  edit(delegation: string, column: string, value: string | Uint8Array): void
}

async function openShelf(): Promise<Shelf> {
  const path = join(makeScratch(), 'store.db')
  const store = await openSqliteStore(path)
  const database = new DatabaseSync(path)
  onTestFinished(async () => {
    database.close()
    await store.close()
  })
  return {
    store,
    with: (...keys) => createKeptDocuments(store, createSealer(keys)),
    edit: (delegation, column, value) =>
      void database.prepare(`UPDATE kept_documents SET ${column} = ? WHERE delegation = ?`).run(value, delegation),
  }
}

async function restored(kept: KeptDocuments): Promise<readonly string[]> {
  return (await kept.restore()).map(({ delegation = 'platform' }) => delegation).sort()
}

test('there are none before any was kept', async () => {
  const shelf = await openShelf()

  expect(await shelf.with(KEY).restore()).toEqual([])
})

test.each([
  ['a key', [KEY]],
  ['no key', []],
])('the last ones that were kept come back, under %s, and no others', async (_what, keys) => {
  const shelf = await openShelf()
  await shelf.with(...keys).keep([packed(undefined, 'old'), packed('orders')])
  await shelf.with(...keys).keep([PLATFORM, PAYMENTS])

  const documents = await shelf.with(...keys).restore()

  expect(new Set(documents)).toEqual(new Set([PLATFORM, PAYMENTS]))
})

test('a key that was put behind a new one still vouches', async () => {
  const shelf = await openShelf()
  await shelf.with(KEY).keep([PLATFORM])

  expect(await restored(shelf.with(OTHER_KEY, KEY))).toEqual(['platform'])
})

test('only what has changed is written', async () => {
  const shelf = await openShelf()
  const written = vi.spyOn(shelf.store, 'keepDocuments')
  const kept = shelf.with(KEY)
  await kept.keep([PLATFORM, PAYMENTS])

  await kept.keep([PLATFORM, packed('payments', 'other')])
  await kept.keep([PLATFORM, packed('payments', 'other', 'moved.json')])
  await kept.keep([PLATFORM])

  const delegations = written.mock.calls.map(([documents]) => documents.map(({ delegation }) => delegation))
  expect(delegations).toEqual([['', 'payments'], ['payments'], ['payments'], []])
  expect(await restored(kept)).toEqual(['platform'])
})

test('what could not be written is tried again', async () => {
  const shelf = await openShelf()
  const kept = shelf.with(KEY)
  vi.spyOn(shelf.store, 'keepDocuments').mockRejectedValueOnce(new Error('full'))
  await expect(kept.keep([PLATFORM])).rejects.toThrow('full')

  await kept.keep([PLATFORM])

  expect(await restored(kept)).toEqual(['platform'])
})

describe('a document does not come back', () => {
  test('where it was kept under another key', async () => {
    const shelf = await openShelf()
    await shelf.with(OTHER_KEY).keep([PLATFORM])

    expect(await restored(shelf.with(KEY))).toEqual([])
  })

  test('where it was kept without a key and there is one now, or the other way round', async () => {
    const shelf = await openShelf()
    await shelf.with().keep([PLATFORM])
    expect(await restored(shelf.with(KEY))).toEqual([])

    await shelf.with(KEY).keep([PLATFORM])
    expect(await restored(shelf.with())).toEqual([])
  })

  test.each([
    ['its text', 'packed', new TextEncoder().encode('text of an attacker')],
    ['its digest', 'digest', digestOf('text of an attacker')],
    ['its file', 'file', 'other.json'],
    ['its delegation', 'delegation', 'orders'],
  ])('where %s was changed by hand; the others do', async (_what, column, value) => {
    const shelf = await openShelf()
    await shelf.with(KEY).keep([PLATFORM, PAYMENTS])
    shelf.edit('payments', column, value)

    expect(await restored(shelf.with(KEY))).toEqual(['platform'])
  })

  test('where a team’s was put in place of the platform’s', async () => {
    const shelf = await openShelf()
    await shelf.with(KEY).keep([PAYMENTS])
    shelf.edit('payments', 'delegation', '')

    expect(await restored(shelf.with(KEY))).toEqual([])
  })

  test.each([
    ['empty', ''],
    ['shorter', 'A'.repeat(42)],
    ['of another text', createSealer([KEY]).authenticate('{}')],
    ['not ASCII', 'é'.repeat(43)],
    ['not even text', '\ud800'.repeat(43)],
  ])('where the code is %s', async (_what, code) => {
    const shelf = await openShelf()
    await shelf.with(KEY).keep([PLATFORM])
    shelf.edit('', 'code', code)

    expect(await restored(shelf.with(KEY))).toEqual([])
  })
})
