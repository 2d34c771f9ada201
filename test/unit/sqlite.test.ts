/** The embedded store: the contract of every store, and what concerns its file. */

import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SettingsError } from '../../providers/contract/errors.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { makeScratch } from '../support/scratch.ts'
import { describeStore } from '../support/store-contract.ts'
import { ringOfPair } from '../support/stored-keys.ts'

describeStore('sqlite', async () => {
  const path = join(makeScratch(), 'store.db')
  return { open: () => openSqliteStore(path), locator: `sqlite:${path}` }
})

async function openAt(path: string): Promise<Store> {
  const store = await openSqliteStore(path)
  onTestFinished(() => store.close())
  return store
}

async function problemsAt(path: string) {
  const error = await openSqliteStore(path).then(
    (store) => store.close(),
    (thrown: unknown) => thrown,
  )
  return error instanceof SettingsError ? error.problems : error
}

/** Gives all that a database holds. */
function dump(path: string): readonly unknown[] {
  const database = new DatabaseSync(path, { readOnly: true })
  const tables = database.prepare('SELECT * FROM sqlite_schema').all()
  const queries = [
    'PRAGMA user_version',
    'SELECT * FROM signing_keys',
    'SELECT * FROM key_ring',
    'SELECT * FROM kept_documents',
  ]
  const rows = queries.map((query) => database.prepare(query).all())
  database.close()
  return [tables, ...rows]
}

describe('the file', () => {
  test('is readable by its owner alone, and so is what stands beside it, whatever the mask allows', async () => {
    const directory = makeScratch()
    const mask = process.umask(0)
    onTestFinished(() => void process.umask(mask))

    const store = await openAt(join(directory, 'store.db'))
    await store.replaceSigningKeys(ringOfPair('a'))

    const modes = readdirSync(directory).map((name) => [name, statSync(join(directory, name)).mode & 0o777])
    expect(Object.fromEntries(modes)).toEqual({
      'store.db': 0o600,
      'store.db-shm': 0o600,
      'store.db-wal': 0o600,
    })
  })

  test('keeps the mode that its owner gave it', async () => {
    const path = join(makeScratch(), 'store.db')
    writeFileSync(path, '')
    chmodSync(path, 0o640)

    await openAt(path)

    expect(statSync(path).mode & 0o777).toBe(0o640)
  })

  test('is written ahead, so that readers never wait for a writer', async () => {
    const path = join(makeScratch(), 'store.db')
    await openAt(path)

    const database = new DatabaseSync(path)
    onTestFinished(() => database.close())

    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  })

  test.each([':memory:', 'file:store.db', 'file::memory:', 'file:store.db?mode=memory'])(
    'is on disk under the name that was given, though SQLite has another meaning for it: %s',
    async (name) => {
      const directory = makeScratch()
      const before = process.cwd()
      process.chdir(directory)
      onTestFinished(() => process.chdir(before))

      const problems = await problemsAt(name)

      // Refusing such a name would do as well; keys that are lost, or readable by all, would not.
      if (problems !== undefined) return
      const again = await openAt(name)
      expect(readdirSync(directory).filter((entry) => !entry.startsWith(name))).toEqual([])
      await again.replaceSigningKeys(ringOfPair('a'))
      expect(await (await openAt(name)).signingKeys()).toEqual(ringOfPair('a'))
    },
  )
})

describe('opening', () => {
  test('an existing store changes nothing in it', async () => {
    const path = join(makeScratch(), 'store.db')
    const first = await openSqliteStore(path)
    await first.replaceSigningKeys(ringOfPair('a'))
    await first.close()
    const before = dump(path)

    await (await openSqliteStore(path)).close()

    expect(dump(path)).toEqual(before)
  })

  test.each<[string, (directory: string) => string, RegExp]>([
    ['a directory that is not there', (directory) => join(directory, 'no', 'store.db'), /ENOENT/],
    ['a directory in place of a file', (directory) => directory, /EISDIR|unable to open/],
    ['a file that is no database', putGarbage, /not a database/],
    ['a store of a newer version', putNewer, /newer version/],
    ['tables of somebody else', putForeign, /already exists/],
  ])('is refused by name, with what is wrong: %s', async (_what, prepare, message) => {
    const path = prepare(makeScratch())

    expect(await problemsAt(path)).toEqual([
      { path: ['--store'], code: 'store_unusable', message: expect.stringMatching(message) },
    ])
  })

  test('a store of a newer version leaves it as it was', async () => {
    const path = putNewer(makeScratch())

    await problemsAt(path)

    const database = new DatabaseSync(path)
    onTestFinished(() => database.close())
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 })
    expect(database.prepare('SELECT name FROM sqlite_schema').all()).toEqual([])
  })

  test('makes no file where the directory cannot be looked at', async () => {
    const path = join(makeScratch(), 'no', 'store.db')

    await problemsAt(path)

    expect(existsSync(path)).toBe(false)
  })
})

function putGarbage(directory: string): string {
  const path = join(directory, 'store.db')
  writeFileSync(path, 'x'.repeat(4_096))
  return path
}

function putNewer(directory: string): string {
  return putDatabase(directory, 'PRAGMA user_version = 99')
}

function putForeign(directory: string): string {
  return putDatabase(directory, 'CREATE TABLE signing_keys (x)')
}

function putDatabase(directory: string, sql: string): string {
  const path = join(directory, 'store.db')
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
  return path
}
