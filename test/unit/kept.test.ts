/** The last good document: kept in a real store, given back only to whoever kept it. */

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createKeptDocuments, type KeptDocuments } from '../../src/federation/kept.ts'
import { createSealer } from '../../src/store/seal.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { documentFor } from '../support/document.ts'
import { CLUSTER, CONTEXT, tell } from '../support/federation-parts.ts'
import { makeScratch } from '../support/scratch.ts'

const KEY = Buffer.alloc(32, 1)
const OTHER_KEY = Buffer.alloc(32, 2)
const TEXT = JSON.stringify(documentFor(CLUSTER))

interface Shelf {
  /** Opens the kept documents under these keys. */
  with(...keys: readonly Uint8Array[]): KeptDocuments
  /** Changes the row by hand. */
  edit(column: 'file' | 'text' | 'code', value: string): void
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
    with: (...keys) => createKeptDocuments(store, createSealer(keys), CONTEXT),
    edit: (column, value) => void database.prepare(`UPDATE kept_document SET ${column} = ?`).run(value),
  }
}

async function bindingsRestored(kept: KeptDocuments): Promise<number | undefined> {
  return (await kept.restore())?.federation?.bindings.size
}

test('there is none before one was kept', async () => {
  const shelf = await openShelf()

  expect(await shelf.with(KEY).restore()).toBeUndefined()
})

test.each([
  ['a key', [KEY]],
  ['no key', []],
])('the last one that was kept comes back, proved anew, under %s', async (_what, keys) => {
  const shelf = await openShelf()
  await shelf.with(...keys).keep('old.json', JSON.stringify(documentFor(CLUSTER, { bindings: {} })))
  await shelf.with(...keys).keep('federation.json', TEXT)

  expect(await bindingsRestored(shelf.with(...keys))).toBe(1)
})

test('a key that was put behind a new one still vouches', async () => {
  const shelf = await openShelf()
  await shelf.with(KEY).keep('federation.json', TEXT)

  expect(await bindingsRestored(shelf.with(OTHER_KEY, KEY))).toBe(1)
})

test('one that can no longer be proved comes back as what is wrong with it', async () => {
  const shelf = await openShelf()
  await shelf.with(KEY).keep('federation.json', '{"version": 2}')

  const restored = await shelf.with(KEY).restore()

  expect(restored?.federation).toBeUndefined()
  expect(tell(restored?.findings ?? [])).toContain('error /version shape')
  expect(restored?.findings[0]?.file).toBe('federation.json')
})

describe('nothing comes back', () => {
  test('where it was kept under another key', async () => {
    const shelf = await openShelf()
    await shelf.with(OTHER_KEY).keep('federation.json', TEXT)

    expect(await shelf.with(KEY).restore()).toBeUndefined()
  })

  test('where it was kept without a key and there is one now, or the other way round', async () => {
    const shelf = await openShelf()
    await shelf.with().keep('federation.json', TEXT)
    expect(await shelf.with(KEY).restore()).toBeUndefined()

    await shelf.with(KEY).keep('federation.json', TEXT)
    expect(await shelf.with().restore()).toBeUndefined()
  })

  test('where its text was changed by hand', async () => {
    const shelf = await openShelf()
    await shelf.with(KEY).keep('federation.json', TEXT)
    shelf.edit('text', TEXT.replace('"payments"', '"attacker"'))

    expect(await shelf.with(KEY).restore()).toBeUndefined()
  })

  test.each([
    ['empty', ''],
    ['shorter', 'A'.repeat(42)],
    ['of another text', createSealer([KEY]).authenticate('{}')],
    ['made with another key', createSealer([OTHER_KEY]).authenticate(TEXT)],
    ['not ASCII', 'é'.repeat(43)],
    ['not even text', '\ud800'.repeat(43)],
  ])('where the code is %s', async (_what, code) => {
    const shelf = await openShelf()
    await shelf.with(KEY).keep('federation.json', TEXT)
    shelf.edit('code', code)

    expect(await shelf.with(KEY).restore()).toBeUndefined()
  })
})
