/** Spent proofs in the embedded store: what concerns its file, its locks and its limit. */

import { copyFileSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { MAX_SPENT_PROOFS } from '../../src/store/retention.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { whenFree } from '../../src/store/sqlite-transaction.ts'
import type { SpentProofs } from '../../src/store/store.ts'
import { refusedTwice } from '../support/busy-database.ts'
import { makeScratch } from '../support/scratch.ts'
import { LONG_AGO, NOW, spendable } from '../support/spendable.ts'

interface Opened {
  readonly list: SpentProofs
  readonly close: () => Promise<void>
}

async function openAt(path: string, now = LONG_AGO): Promise<Opened> {
  const store = await openSqliteStore(path)
  onTestFinished(() => store.close().catch(() => undefined))
  return { list: await store.openSpentProofs(now), close: store.close }
}

/** Opens the file as somebody else would. */
function intrude(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  onTestFinished(() => database.close())
  return database
}

test('the file holds neither what was signed nor whose it was, but a digest and a time', async () => {
  const path = join(makeScratch(), 'store.db')
  const { list } = await openAt(path)
  await list.spend(spendable('AKIAEXAMPLE'), NOW)

  const texts = readdirSync(join(path, '..')).map((name) => readFileSync(join(path, '..', name), 'latin1'))
  expect(texts.some((text) => text.includes(Buffer.from(spendable('AKIAEXAMPLE').digest).toString('latin1')))).toBe(
    true,
  )
  expect(texts.join('')).not.toContain('AKIAEXAMPLE')
  const [row] = intrude(path).prepare('SELECT * FROM spent_proofs').all()
  expect(row).toEqual({
    digest: new Uint8Array(spendable('AKIAEXAMPLE').digest),
    remember_until: NOW + 1_800,
  })
})

test('what is spent is on disk before it is told, whatever becomes of the machine', async () => {
  const path = join(makeScratch(), 'store.db')
  const synchronous: unknown[] = []
  const { exec } = DatabaseSync.prototype
  DatabaseSync.prototype.exec = function watch(sql: string) {
    exec.call(this, sql)
    if (sql === 'BEGIN IMMEDIATE') synchronous.push(this.prepare('PRAGMA synchronous').get()?.synchronous)
  }
  onTestFinished(() => {
    DatabaseSync.prototype.exec = exec
  })
  const { list } = await openAt(path)
  synchronous.length = 0

  await list.spend(spendable('a'), NOW)

  // 2 is FULL: the log is flushed with every transaction.
  expect(synchronous).toEqual([2])
})

describe('an older state of the file', () => {
  test('that is put back under the name is believed from then on only', async () => {
    const directory = makeScratch()
    const [path, backup] = [join(directory, 'store.db'), join(directory, 'backup.db')]
    const first = await openAt(path)
    await first.list.tend(NOW)
    await first.close()
    copyFileSync(path, backup)
    const second = await openAt(path, NOW)
    expect(await second.list.spend(spendable('a'), NOW)).toBe('spent')
    await second.close()
    renameSync(backup, path)

    const { list } = await openAt(path, NOW + 1)

    expect(list.believedFrom).toBe(NOW + 61)
    expect((await openAt(path, NOW + 2)).list.believedFrom).toBe(NOW + 61)
    expect(await list.spend(spendable('a'), NOW + 1)).toBe('predates')
  })

  test('that is put back into the file is believed from then on only, if it is older than five minutes', async () => {
    const directory = makeScratch()
    const [path, backup] = [join(directory, 'store.db'), join(directory, 'backup.db')]
    const first = await openAt(path)
    await first.close()
    copyFileSync(path, backup)
    const second = await openAt(path, NOW)
    await second.list.tend(NOW + 200)
    expect(await second.list.spend(spendable('a'), NOW + 200)).toBe('spent')
    await second.close()
    copyFileSync(backup, path)

    const { list } = await openAt(path, NOW + 201)

    expect(list.believedFrom).toBe(NOW + 261)
    expect(await list.spend(spendable('a'), NOW + 201)).toBe('predates')
  })

  test('that is put in its place while it is in use stops all spending', async () => {
    const directory = makeScratch()
    const path = join(directory, 'store.db')
    const { list } = await openAt(path)
    copyFileSync(path, join(directory, 'backup.db'))
    renameSync(join(directory, 'backup.db'), path)

    await expect(list.spend(spendable('a'), NOW)).rejects.toThrow('replaced')
    await expect(list.tend(NOW)).rejects.toThrow('replaced')
    expect(await list.isSpent(spendable('a').digest)).toBe(false)
  })
})

describe('a list', () => {
  test('that is full takes no more, forgets nothing for it, and still knows what was spent', async () => {
    const path = join(makeScratch(), 'store.db')
    const { list } = await openAt(path)
    await list.spend(spendable('a'), NOW)
    intrude(path).exec(`UPDATE spending SET count = ${MAX_SPENT_PROOFS - 1}`)

    const spendings = await Promise.all(['b', 'c', 'a'].map((name) => list.spend(spendable(name), NOW)))

    expect(spendings).toEqual(['spent', 'full', 'replayed'])
    expect(await list.spend(spendable('d'), NOW)).toBe('full')
    expect(await list.isSpent(spendable('d').digest)).toBe(false)
    expect(await list.tend(NOW + 1_800)).toEqual({ count: MAX_SPENT_PROOFS - 2, hasMore: false })
    const later = spendable('d', { issuedAt: NOW + 1_800, expiresAt: NOW + 2_700 })
    expect(await list.spend(later, NOW + 1_800)).toBe('spent')
  })

  test('is counted anew when it is opened', async () => {
    const path = join(makeScratch(), 'store.db')
    const { list } = await openAt(path)
    await list.spend(spendable('a'), NOW)
    intrude(path).exec(`UPDATE spending SET count = ${MAX_SPENT_PROOFS}`)

    const again = await openAt(path)

    expect((await again.list.tend(NOW)).count).toBe(1)
  })

  test('that has lost its past lets nobody through', async () => {
    const path = join(makeScratch(), 'store.db')
    const { list } = await openAt(path)
    intrude(path).exec('DELETE FROM spending')

    await expect(list.spend(spendable('a'), NOW)).rejects.toThrow('past')
    await expect(list.tend(NOW)).rejects.toThrow('past')
  })

  test('refuses a digest that is none', async () => {
    const { list } = await openAt(join(makeScratch(), 'store.db'))

    await expect(list.spend(spendable('a', { digest: new Uint8Array(31) }), NOW)).rejects.toThrow()
    expect(await list.spend(spendable('a'), NOW)).toBe('spent')
  })
})

describe('while another process writes', () => {
  test('nothing else waits: spending goes on when it is done, and asking at once', async () => {
    const path = join(makeScratch(), 'store.db')
    const { list } = await openAt(path)
    const other = intrude(path)
    other.exec('BEGIN IMMEDIATE')
    const refused = refusedTwice()

    const ended: string[] = []
    const spending = list.spend(spendable('a'), NOW).finally(() => ended.push('spending'))
    await refused
    const asked = await list.isSpent(spendable('a').digest)
    ended.push('asking')
    other.exec('COMMIT')

    expect(asked).toBe(false)
    expect(await spending).toBe('spent')
    expect(ended).toEqual(['asking', 'spending'])
  })

  test('it alone is waited for: any other trouble is told at once', async () => {
    const work = vi.fn(() => {
      throw new Error('disk full')
    })

    await expect(whenFree(work)).rejects.toThrow('disk full')

    expect(work).toHaveBeenCalledTimes(1)
  })

  test('for more than five seconds, nobody is let through', async () => {
    const path = join(makeScratch(), 'store.db')
    const { list } = await openAt(path)
    const other = intrude(path)
    other.exec('BEGIN IMMEDIATE')

    await expect(list.spend(spendable('a'), NOW)).rejects.toThrow('locked')

    other.exec('COMMIT')
    expect(await list.isSpent(spendable('a').digest)).toBe(false)
  })
})
