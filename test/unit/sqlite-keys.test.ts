/** Signing keys in the embedded store: what concerns its file and its locks. */

import { copyFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { refusedTwice } from '../support/busy-database.ts'
import { makeScratch } from '../support/scratch.ts'
import { ringOfPair } from '../support/stored-keys.ts'

async function openAt(path: string): Promise<Store> {
  const store = await openSqliteStore(path)
  onTestFinished(() => store.close())
  return store
}

/** Opens the file as somebody else would. */
function intrude(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  onTestFinished(() => database.close())
  return database
}

test('a file that was replaced while in use is neither read nor written: revocations go to the one in its place', async () => {
  const path = join(makeScratch(), 'store.db')
  const store = await openAt(path)
  await store.replaceSigningKeys(ringOfPair('a'))
  copyFileSync(path, `${path}.copy`)
  renameSync(`${path}.copy`, path)

  await expect(store.signingKeys()).rejects.toThrow('replaced while it was in use')
  await expect(store.replaceSigningKeys(ringOfPair('b', 2))).rejects.toThrow('replaced while it was in use')
})

test('a store that has lost its count is not taken for a new one', async () => {
  const path = join(makeScratch(), 'store.db')
  const store = await openAt(path)
  await store.replaceSigningKeys(ringOfPair('a'))
  intrude(path).exec('DELETE FROM key_ring')

  await expect(store.signingKeys()).rejects.toThrow('does not know its signing keys')
})

test('others are served while a process waits for another’s write', async () => {
  const path = join(makeScratch(), 'store.db')
  const store = await openAt(path)
  const other = intrude(path)
  other.exec('BEGIN IMMEDIATE')
  const refused = refusedTwice()

  const waiting = [store.replaceSigningKeys(ringOfPair('a')), store.keepDocuments([], [''])]
  await refused
  other.exec('COMMIT')

  expect(await Promise.all(waiting)).toEqual([true, undefined])
})

test('keys of the time before count as a ring: none is made in their place', async () => {
  const path = join(makeScratch(), 'store.db')
  const old = intrude(path)
  old.exec(
    `CREATE TABLE signing_keys (key_id TEXT PRIMARY KEY, algorithm TEXT NOT NULL, state TEXT NOT NULL, published_at INTEGER NOT NULL, sealed TEXT NOT NULL) STRICT;
     CREATE UNIQUE INDEX one_current_key ON signing_keys (algorithm) WHERE state = 'current';
     CREATE UNIQUE INDEX one_next_key ON signing_keys (algorithm) WHERE state = 'next';
     INSERT INTO signing_keys VALUES ('k', 'ES256', 'current', 77, 'plain.AAAA');
     CREATE TABLE kept_document (id INTEGER PRIMARY KEY CHECK (id = 1), file TEXT, text TEXT, code TEXT) STRICT;
     CREATE TABLE spending (id INTEGER PRIMARY KEY CHECK (id = 1)) STRICT;
     PRAGMA user_version = 2`,
  )

  const ring = await (await openAt(path)).signingKeys()

  expect(ring).toEqual({
    version: 1,
    uptime: 0,
    code: '',
    keys: [
      {
        ...{ keyId: 'k', algorithm: 'ES256', state: 'current', held: 'store', publishedAt: 77, since: 77 },
        ...{ publishedUptime: 0, sinceUptime: 0, sealed: 'plain.AAAA' },
      },
    ],
  })
})
