/** Keys in an operator's files: the same rules of publication as for any other, whatever is done to the files. */

import { renameSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createSealer } from '../../src/store/seal.ts'
import { createFileSource } from '../../src/tokens/file-source.ts'
import type { KeyListing, KeySource } from '../../src/tokens/key-source.ts'
import { revoke } from '../../src/tokens/ring-changes.ts'
import { createRingStore } from '../../src/tokens/ring-store.ts'
import { KEEP_SECONDS, PUBLISH_SECONDS, rulesFor } from '../../src/tokens/rotation.ts'
import { createTestClock, type TestClock } from '../support/clock.ts'
import { type KeyFiles, makeEc, makeKeyFiles, makeRsa, toPem } from '../support/key-files.ts'
import { makeVault, PERIOD, type Vault } from '../support/vault.ts'

const KEY = Buffer.alloc(32, 1)
const INPUT = Buffer.from('what is signed')

interface Bench {
  readonly files: KeyFiles
  readonly vault: Vault
  readonly clock: TestClock
  readonly ec: string
  readonly rsa: string
  open(): Promise<KeySource>
}

async function createBench(): Promise<Bench> {
  const files = makeKeyFiles()
  const vault = makeVault()
  const clock = createTestClock()
  const [ec, rsa] = [await files.put('1-ec.pem', makeEc()), await files.put('1-rsa.pem', makeRsa())]
  const open = async (): Promise<KeySource> =>
    createFileSource(files.directory, {
      ringStore: createRingStore(await vault.open(), createSealer([KEY])),
      rules: rulesFor(PERIOD),
      now: clock.now,
      elapsed: clock.now,
    })
  return { files, vault, clock, ec, rsa, open }
}

function statesIn({ keys }: KeyListing): Readonly<Record<string, string>> {
  return Object.fromEntries(keys.map(({ keyId, state }) => [keyId, state]))
}

test('a new store signs with the first file of each algorithm at once, and keeps no private half', async () => {
  const { open, vault, ec, rsa } = await createBench()
  const source = await open()

  const listing = await source.list()

  expect(statesIn(listing)).toEqual({ [ec]: 'current', [rsa]: 'current' })
  expect(listing.troubles).toEqual([])
  expect(source.sign(ec, INPUT)).toHaveLength(64)
  expect(source.sign(rsa, INPUT)).toHaveLength(256)
  expect((await vault.held([KEY])).map(({ held, privateKey }) => [held, privateKey])).toEqual([
    ['file', undefined],
    ['file', undefined],
  ])
})

test('of two files of an algorithm, the first by name signs and the other is next', async () => {
  const { open, files, ec, rsa } = await createBench()
  const second = await files.put('2-ec.pem', makeEc())

  expect(statesIn(await (await open()).list())).toEqual({ [ec]: 'current', [rsa]: 'current', [second]: 'next' })
})

test('a directory without a key of each algorithm is refused, and nothing is put into the store', async () => {
  const { open, files, vault } = await createBench()
  files.remove('1-rsa.pem')

  await expect((await open()).list()).rejects.toThrow(/--signing-keys: .* holds no RS256 key/)
  expect(await vault.held([KEY])).toEqual([])
})

describe('a file that is added', () => {
  test('is published at once, signs after a day, and then the old one retires and goes, though its file stays', async () => {
    const { open, files, clock, ec, rsa } = await createBench()
    const source = await open()
    await source.list()
    clock.advance(3_600)
    const added = await files.put('2-ec.pem', makeEc())

    expect(statesIn(await source.list())).toEqual({ [ec]: 'current', [rsa]: 'current', [added]: 'next' })
    expect(() => source.sign(added, INPUT)).toThrow('does not sign')
    clock.advance(PUBLISH_SECONDS - 1)
    expect(statesIn(await source.list())).toMatchObject({ [ec]: 'current', [added]: 'next' })
    clock.advance(1)
    expect(statesIn(await source.list())).toMatchObject({ [ec]: 'retired', [added]: 'current' })
    expect(source.sign(added, INPUT)).toHaveLength(64)
    clock.advance(KEEP_SECONDS)
    expect(statesIn(await source.list())).toEqual({ [rsa]: 'current', [added]: 'current' })
    clock.advance(PERIOD)
    expect(statesIn(await source.list())).toEqual({ [rsa]: 'current', [added]: 'current' })
  })

  test('counts its day across a restart', async () => {
    const { open, files, clock, ec } = await createBench()
    const first = await open()
    await first.list()
    const added = await files.put('2-ec.pem', makeEc())
    await first.list()
    clock.advance(PUBLISH_SECONDS - 10)
    await first.list()

    const second = await open()
    await second.list()
    clock.advance(20)

    expect(statesIn(await second.list())).toMatchObject({ [ec]: 'retired', [added]: 'current' })
  })

  test('waits while its algorithm has a next key, and while four are published, and is told', async () => {
    const { open, files, clock } = await createBench()
    const source = await open()
    await source.list()
    const ec = await files.put('2-ec.pem', makeEc())
    const rsa = await files.put('2-rsa.pem', makeRsa())
    await source.list()
    const third = await files.put('3-ec.pem', makeEc())

    const crowded = await source.list()
    expect(crowded.keys).toHaveLength(4)
    expect(crowded.troubles).toEqual([expect.stringMatching(/3-ec\.pem is not published yet/)])
    clock.advance(PUBLISH_SECONDS)
    expect(statesIn(await source.list())).toMatchObject({ [ec]: 'current', [rsa]: 'current' })
    expect((await source.list()).keys).toHaveLength(4)
    clock.advance(KEEP_SECONDS)

    expect(statesIn(await source.list())).toEqual({ [ec]: 'current', [rsa]: 'current', [third]: 'next' })
  })

  test('and cannot be used is told, and the others go on', async () => {
    const { open, files, ec, rsa } = await createBench()
    const source = await open()
    await source.list()
    files.write('2-ec.pem', toPem(makeEc()), 0o644)
    files.write('2-rsa.pem', toPem(makeRsa(1_024)))

    const listing = await source.list()

    expect(listing.troubles).toEqual([
      expect.stringMatching(/^--signing-keys: 2-ec\.pem is open to every account/),
      expect.stringMatching(/^--signing-keys: 2-rsa\.pem has 1024 bits/),
    ])
    expect(statesIn(listing)).toEqual({ [ec]: 'current', [rsa]: 'current' })
  })
})

test('a directory that cannot be read for a while is told, and what was read of it goes on', async () => {
  const { open, files, ec, rsa } = await createBench()
  const source = await open()
  await source.list()
  const elsewhere = `${files.directory}-elsewhere`
  renameSync(files.directory, elsewhere)

  const listing = await source.list()

  renameSync(elsewhere, files.directory)
  expect(listing.troubles).toEqual([expect.stringMatching(/^--signing-keys: ENOENT/)])
  expect(statesIn(listing)).toEqual({ [ec]: 'current', [rsa]: 'current' })
  expect(source.sign(ec, INPUT)).toHaveLength(64)
  expect((await source.list()).troubles).toEqual([])
})

describe('a file that is taken away', () => {
  test('is missed: the key signs on in a process that has read it, and is told', async () => {
    const { open, files, ec } = await createBench()
    const source = await open()
    await source.list()
    files.remove('1-ec.pem')

    const listing = await source.list()

    expect(listing.troubles).toEqual([expect.stringContaining(`the file of the current ES256 key ${ec} is not in`)])
    expect(source.sign(ec, INPUT)).toHaveLength(64)
  })

  test('stops the next start, which could not sign with it', async () => {
    const { open, files, ec } = await createBench()
    await (await open()).list()
    files.remove('1-ec.pem')

    await expect((await open()).list()).rejects.toThrow(`the file of the current ES256 key ${ec} is not in`)
  })

  test('stays published for as long as its tokens live, when it had retired', async () => {
    const { open, files, clock, ec } = await createBench()
    const source = await open()
    await source.list()
    await files.put('2-ec.pem', makeEc())
    await source.list()
    clock.advance(PUBLISH_SECONDS)
    await source.list()
    files.remove('1-ec.pem')

    const restarted = await open()

    expect(statesIn(await restarted.list())).toMatchObject({ [ec]: 'retired' })
    expect((await restarted.list()).troubles).toEqual([])
    clock.advance(KEEP_SECONDS - 1)
    expect(statesIn(await restarted.list())).toMatchObject({ [ec]: 'retired' })
  })

  test('does not take its turn, and is told', async () => {
    const { open, files, clock, ec } = await createBench()
    const source = await open()
    await source.list()
    const added = await files.put('2-ec.pem', makeEc())
    await source.list()
    files.remove('2-ec.pem')
    clock.advance(PUBLISH_SECONDS)

    const listing = await source.list()

    expect(statesIn(listing)).toMatchObject({ [ec]: 'current', [added]: 'next' })
    expect(listing.troubles).toEqual([expect.stringContaining(`the file of the next ES256 key ${added}`)])
  })
})

test('a key that was revoked does not come back, though its file stays', async () => {
  const { open, files, vault, clock, ec, rsa } = await createBench()
  const source = await open()
  await source.list()
  const added = await files.put('2-ec.pem', makeEc())
  await source.list()
  const ringStore = await vault.ringStore([KEY])
  const ring = await ringStore.read()
  await ringStore.write(ring, { ...ring, keys: revoke(ring.keys, ec, { now: clock.now(), uptime: ring.uptime }).keys })

  expect(statesIn(await source.list())).toEqual({ [rsa]: 'current', [added]: 'current' })
  expect(() => source.sign(ec, INPUT)).toThrow('does not sign')
  clock.advance(PERIOD)
  expect(statesIn(await source.list())).toEqual({ [rsa]: 'current', [added]: 'current' })
})

describe('a store with keys of its own', () => {
  test('goes over to files as in any rotation, and the key that stood by makes room', async () => {
    const { open, vault, clock, ec, rsa } = await createBench()
    const before = await vault.load([KEY], clock.now())
    const currents = before.keys.filter(({ state }) => state === 'current').map(({ keyId }) => keyId)
    const source = await open()

    const [old, other] = currents
    expect(statesIn(await source.list())).toEqual({
      [old ?? '']: 'current',
      [other ?? '']: 'current',
      [ec]: 'next',
      [rsa]: 'next',
    })
    clock.advance(PUBLISH_SECONDS)
    expect(statesIn(await source.list())).toMatchObject({ [old ?? '']: 'retired', [ec]: 'current', [rsa]: 'current' })
    clock.advance(KEEP_SECONDS)
    expect(statesIn(await source.list())).toEqual({ [ec]: 'current', [rsa]: 'current' })
  })

  test('keeps the key that stands by while there is no file to take its place', async () => {
    const { open, files, vault, clock, rsa } = await createBench()
    const before = await vault.load([KEY], clock.now())
    files.remove('1-ec.pem')

    const source = await open()
    const standby = before.keys.find(({ state, algorithm }) => state === 'next' && algorithm === 'ES256')?.keyId ?? ''

    expect(statesIn(await source.list())).toMatchObject({ [standby]: 'next', [rsa]: 'next' })
    clock.advance(PUBLISH_SECONDS)
    expect(statesIn(await source.list())).toMatchObject({ [standby]: 'next', [rsa]: 'current' })
  })

  test('that goes over to files and back leaves the files’ keys where they are, and tells of them', async () => {
    const { open, vault, clock, ec, rsa } = await createBench()
    await vault.load([KEY], clock.now())
    const before = statesIn(await (await open()).list())

    const without = await vault.load([KEY], clock.now())

    expect(statesIn(without)).toEqual(before)
    expect(without.troubles).toHaveLength(2)
    expect(without.troubles.join()).toMatch(
      new RegExp(`(next ES256 key ${ec}|next RS256 key ${rsa}) of the store is held in a file`),
    )
  })

  test('does not start without the directory again, while files hold its keys', async () => {
    const { open, vault, clock } = await createBench()
    await (await open()).list()

    await expect(vault.load([KEY], clock.now())).rejects.toThrow(
      /--signing-keys: the current (ES256|RS256) key .* name its directory/,
    )
  })
})
