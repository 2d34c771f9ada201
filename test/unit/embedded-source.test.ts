/** Keys that the broker makes and rotates by itself, in a real store. */

import { describe, expect, test } from 'vitest'
import type { KeyListing, KeySource } from '../../src/tokens/key-source.ts'
import { KEEP_SECONDS, MAX_UNCONFIRMED_SECONDS, PUBLISH_SECONDS } from '../../src/tokens/rotation.ts'
import { keyIdOf, SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../src/tokens/signing-key.ts'
import { createTestClock, type TestClock } from '../support/clock.ts'
import { makeVault, PERIOD, type Vault } from '../support/vault.ts'

const KEY = Buffer.alloc(32, 1)
const INPUT = Buffer.from('what is signed')

function told(listing: Pick<KeyListing, 'keys'> | undefined): readonly string[] {
  return (listing?.keys ?? []).map(({ algorithm, state }) => `${algorithm} ${state}`).sort()
}

function idOf({ keys }: KeyListing, state: string, algorithm: SigningAlgorithm = 'ES256'): string {
  return keys.find((key) => key.state === state && key.algorithm === algorithm)?.keyId ?? ''
}

const FRESH = ['ES256 current', 'ES256 next', 'RS256 current', 'RS256 next']
const ROTATED = ['ES256 current', 'ES256 retired', 'RS256 current', 'RS256 retired']

interface Run {
  readonly vault: Vault
  readonly clock: TestClock
  readonly source: KeySource
  /** Lets time go by as a broker sees it that looks all the while, and gives what it lists then. */
  later(seconds: number): Promise<KeyListing>
}

async function start(): Promise<Run> {
  const vault = makeVault()
  const clock = createTestClock()
  const source = await vault.source([KEY], clock.now)
  await source.list()
  return {
    vault,
    clock,
    source,
    async later(seconds) {
      clock.advance(seconds)
      return await source.list()
    },
  }
}

describe('an empty store', () => {
  test('gets a current and a next key of each algorithm, published now', async () => {
    const vault = makeVault()
    const { keys, troubles } = await vault.load([KEY])

    expect({ told: told({ keys }), troubles }).toEqual({ told: FRESH, troubles: [] })
    expect(keys.map(({ publishedAt, since }) => [publishedAt, since])).toEqual(
      Array(4).fill([1_768_478_400, 1_768_478_400]),
    )
    for (const { keyId, publicKey, algorithm } of keys) {
      expect(keyId).toBe(await keyIdOf(publicKey))
      expect(publicKey.asymmetricKeyDetails).toEqual(
        algorithm === 'ES256' ? { namedCurve: 'prime256v1' } : { modulusLength: 2_048, publicExponent: 65_537n },
      )
    }
    expect(keys.flatMap((key) => Object.keys(key))).not.toContain('privateKey')
  })

  test('gets them once: whoever comes later finds the same', async () => {
    const vault = makeVault()
    const first = await vault.load([KEY])

    const second = await vault.load([KEY], 1_768_479_400)

    expect(second.keys.map(({ keyId }) => keyId)).toEqual(first.keys.map(({ keyId }) => keyId))
    expect(new Set(second.keys.map(({ publishedAt }) => publishedAt))).toEqual(new Set([1_768_478_400]))
  })

  test('gets them once though several come at the same time', async () => {
    const vault = makeVault()

    const found = await Promise.all([vault.load([KEY]), vault.load([KEY]), vault.load([KEY])])

    expect(new Set(found.map(({ keys }) => String(keys.map(({ keyId }) => keyId)))).size).toBe(1)
    expect(told(found[0])).toEqual(FRESH)
  })
})

describe('a rotation', () => {
  test('comes by itself when its turn has come: current retires, next signs', async () => {
    const { source, later } = await start()
    const before = await source.list()
    await later(PUBLISH_SECONDS)
    expect(told(await source.list())).toEqual(FRESH)

    const rotated = await later(PERIOD)

    expect(told(rotated)).toEqual(ROTATED)
    for (const algorithm of SIGNING_ALGORITHMS) {
      expect(idOf(rotated, 'current', algorithm)).toBe(idOf(before, 'next', algorithm))
      expect(idOf(rotated, 'retired', algorithm)).toBe(idOf(before, 'current', algorithm))
    }
  })

  test('is over when the retired key has gone and another next one has come, never five at a time', async () => {
    const { later } = await start()
    await later(PERIOD)

    expect(told(await later(KEEP_SECONDS - 1))).toEqual(ROTATED)
    const over = await later(1)

    expect(told(over)).toEqual(FRESH)
    expect(over.keys.filter(({ state }) => state === 'next').map(({ publishedAt }) => publishedAt)).toEqual(
      Array(2).fill(1_768_478_400 + PERIOD + KEEP_SECONDS),
    )
  })

  test('comes again every period, each time with a key that has been public for long enough', async () => {
    const { later } = await start()
    const signed = new Set<string>()
    for (let days = 0; days < 120; days++) {
      const listing = await later(86_400)
      const [current] = listing.keys.filter(({ state, algorithm }) => state === 'current' && algorithm === 'ES256')
      if (current !== undefined && !signed.has(current.keyId) && days > 0) {
        if (signed.size > 0) expect(current.since - current.publishedAt).toBeGreaterThan(PUBLISH_SECONDS)
        signed.add(current.keyId)
      }
    }
    expect(signed.size).toBe(5)
  })

  test('is taken once, whichever of several processes sees first that it is due', async () => {
    const { vault, clock } = await start()
    const sources = await Promise.all([1, 2, 3].map(() => vault.source([KEY], clock.now)))
    for (const source of sources) await source.list()
    clock.advance(PERIOD)

    const listings = await Promise.all(sources.map((source) => source.list()))

    expect(
      new Set(listings.map((listing) => String(listing.keys.map(({ keyId, state }) => [keyId, state])))).size,
    ).toBe(1)
    expect(told(listings[0])).toEqual(ROTATED)
  })

  test('waits for a key that has been public while somebody was up, and not for as long as all were down', async () => {
    const { vault, clock } = await start()
    clock.advance(10 * PERIOD)
    let upFor = 0
    const restarted = await vault.source([KEY], clock.now)

    expect(told(await restarted.list())).toEqual(FRESH)

    while (told(await restarted.list()).join() === FRESH.join()) {
      clock.advance(600)
      upFor += 600
    }
    expect(upFor).toBeGreaterThanOrEqual(PUBLISH_SECONDS)
    expect(upFor).toBeLessThan(PUBLISH_SECONDS + 1_200)
  })
})

describe('what was seen of uptime', () => {
  test('is noted, and whoever starts next goes on from there', async () => {
    const { vault, clock, later } = await start()
    await later(PUBLISH_SECONDS - 100)
    const restarted = await vault.source([KEY], clock.now)
    await restarted.list()
    clock.advance(10 * PERIOD)

    expect(told(await restarted.list())).toEqual(ROTATED)
  })

  test('is noted every minute', async () => {
    const { vault, later } = await start()
    const noted = async () => (await (await vault.open()).signingKeys()).uptime
    await later(59)
    expect(await noted()).toBe(0)

    await later(1)

    expect(await noted()).toBe(60)
  })
})

describe('who signs', () => {
  test('is the current key, and no other', async () => {
    const { source } = await start()
    const listing = await source.list()

    for (const algorithm of SIGNING_ALGORITHMS) {
      expect(source.sign(idOf(listing, 'current', algorithm), INPUT)).toBeInstanceOf(Buffer)
      expect(() => source.sign(idOf(listing, 'next', algorithm), INPUT)).toThrow('does not sign')
    }
    expect(() => source.sign('unknown', INPUT)).toThrow('does not sign')
  })

  test('is for a while still the key that has just retired, for an exchange that began before', async () => {
    const { source, later } = await start()
    const retired = idOf(await later(PERIOD), 'retired')

    expect(source.sign(retired, INPUT)).toBeInstanceOf(Buffer)
    await later(MAX_UNCONFIRMED_SECONDS - 1)
    expect(source.sign(retired, INPUT)).toBeInstanceOf(Buffer)
    await later(1)

    expect(() => source.sign(retired, INPUT)).toThrow('does not sign')
  })
})

describe('a step that cannot be taken', () => {
  test('is told, and the keys can be used all the same', async () => {
    const { vault, source, later } = await start()
    vault.edit("CREATE TRIGGER full BEFORE UPDATE ON key_ring BEGIN SELECT RAISE(ABORT, 'disk full'); END")

    const listing = await later(PERIOD + 21_601)

    expect(listing.troubles).toEqual([expect.stringContaining('disk full')])
    expect(told(listing)).toEqual(FRESH)
    expect(source.sign(idOf(listing, 'current'), INPUT)).toBeInstanceOf(Buffer)
    expect(listing.turns.map(({ isLate }) => isLate)).toEqual([true, true])
    vault.edit('DROP TRIGGER full')
    expect(await source.list()).toMatchObject({ troubles: [] })
  })

  test('with the first keys leaves nothing to go on with', async () => {
    const vault = makeVault()
    const source = await vault.source([KEY], () => 1)
    vault.edit("CREATE TRIGGER full BEFORE INSERT ON signing_keys BEGIN SELECT RAISE(ABORT, 'disk full'); END")

    await expect(source.list()).rejects.toThrow('disk full')
    expect(await vault.held([KEY])).toEqual([])
  })
})

test('keys that were changed by hand while a broker runs are refused at its next look', async () => {
  const { vault, source, later } = await start()
  vault.edit(`UPDATE signing_keys SET state = 'retired' WHERE state = 'current'`)

  await expect(source.list()).rejects.toThrow(/CHANCERY_KEY_ENCRYPTION_KEY/)
  vault.edit(`UPDATE signing_keys SET state = 'current' WHERE state = 'retired'`)
  expect(told(await later(1))).toEqual(FRESH)
})

test('what a broker lists says what comes next, and when', async () => {
  const { source } = await start()
  const { steps, turns } = await source.list()

  expect(steps.map(({ kind, isDue }) => `${kind} ${isDue}`)).toEqual(['promote false', 'promote false'])
  expect(turns.map(({ algorithm, at, isLate }) => [algorithm, at > 1_768_478_400 + 0.9 * PERIOD, isLate])).toEqual([
    [expect.any(String), true, false],
    [expect.any(String), true, false],
  ])
})
