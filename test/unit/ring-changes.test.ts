/** What each step does to the keys. */

import { describe, expect, test } from 'vitest'
import { promote, publishedIn, revoke, rotateNow, withdraw } from '../../src/tokens/ring-changes.ts'
import { KEEP_SECONDS, type Moment, PUBLISH_SECONDS, rulesFor } from '../../src/tokens/rotation.ts'
import type { RingKey } from '../../src/tokens/signing-key.ts'

const NOW = 1_768_478_400
const RULES = rulesFor(2_592_000)
const MOMENT: Moment = { now: NOW, uptime: 1_000_000 }
const LONG_AGO = { publishedAt: 1, since: 2, publishedUptime: 3, sinceUptime: 4 }

function key(keyId: string, state: RingKey['state'], parts: Partial<RingKey> = {}): RingKey {
  return { keyId, algorithm: 'ES256', state, held: 'store', ...LONG_AGO, ...parts }
}

const rsa = (keyId: string, state: RingKey['state'], parts: Partial<RingKey> = {}) =>
  key(keyId, state, { algorithm: 'RS256', ...parts })

const told = (keys: readonly RingKey[]) => keys.map(({ keyId, state }) => `${keyId} ${state}`)

const BOTH = [key('c', 'current'), key('n', 'next'), rsa('rc', 'current'), rsa('rn', 'next')]

test('a promotion makes the next key current and the current one retired, and leaves all others alone', () => {
  const keys = promote([...BOTH, key('r', 'retired'), key('w', 'withdrawn')], 'ES256', MOMENT)

  expect(told(keys)).toEqual(['c retired', 'n current', 'rc current', 'rn next', 'r retired', 'w withdrawn'])
  expect(keys[0]).toMatchObject({ publishedAt: 1, publishedUptime: 3, since: NOW, sinceUptime: MOMENT.uptime })
  expect(keys[1]).toMatchObject({ publishedAt: 1, publishedUptime: 3, since: NOW, sinceUptime: MOMENT.uptime })
  expect(keys.slice(2)).toEqual([...BOTH.slice(2), key('r', 'retired'), key('w', 'withdrawn')])
})

test('a key that is withdrawn is gone; one in a file is remembered, so that it does not come back', () => {
  const keys = [key('c', 'current'), key('f', 'retired', { held: 'file' })]

  expect(told(withdraw(keys, 'c', MOMENT))).toEqual(['f retired'])
  expect(withdraw(keys, 'f', MOMENT)).toEqual([
    keys[0],
    { ...keys[1], state: 'withdrawn', since: NOW, sinceUptime: MOMENT.uptime },
  ])
})

test('a key that is published has both of its times from this moment, by both clocks', () => {
  expect(publishedIn(MOMENT)).toEqual({
    publishedAt: NOW,
    since: NOW,
    publishedUptime: MOMENT.uptime,
    sinceUptime: MOMENT.uptime,
  })
})

describe('a rotation now', () => {
  test('does not wait for its turn', () => {
    const young = BOTH.map((each) => ({ ...each, since: NOW, sinceUptime: MOMENT.uptime }))

    expect(rotateNow(young, 'RS256', RULES, MOMENT)).toEqual({
      isRotated: true,
      keys: promote(young, 'RS256', MOMENT),
    })
  })

  test('waits until the next key has been public for a day', () => {
    const keys = [key('c', 'current'), key('n', 'next', { publishedUptime: MOMENT.uptime - 600 })]

    expect(rotateNow(keys, 'ES256', RULES, MOMENT)).toEqual({
      isRotated: false,
      earliest: NOW + PUBLISH_SECONDS - 600,
      why: 'publication',
    })
  })

  test('waits for the next key alone, whatever is retired and goes before', () => {
    const next = key('n', 'next', { publishedUptime: MOMENT.uptime - 600 })
    const retired = key('r', 'retired', { since: NOW, sinceUptime: MOMENT.uptime })

    expect(rotateNow([key('c', 'current'), next, retired], 'ES256', RULES, MOMENT)).toMatchObject({
      earliest: NOW + PUBLISH_SECONDS - 600,
      why: 'publication',
    })
  })

  test('where there is no next key, waits until one can be published, and a day', () => {
    expect(rotateNow([key('c', 'current')], 'ES256', RULES, MOMENT)).toEqual({
      isRotated: false,
      earliest: NOW + PUBLISH_SECONDS,
      why: 'publication',
    })
  })

  test('that would need a fifth key waits until a retired one has gone, and a day', () => {
    const retired = { sinceUptime: MOMENT.uptime - 100 }
    const keys = [
      key('c', 'current'),
      key('r', 'retired', retired),
      rsa('rc', 'current'),
      rsa('rr', 'retired', retired),
    ]

    expect(rotateNow(keys, 'ES256', RULES, MOMENT)).toEqual({
      isRotated: false,
      earliest: NOW + KEEP_SECONDS - 100 + PUBLISH_SECONDS,
      why: 'room',
    })
  })
})

describe('a revocation', () => {
  test('of the current key lets the next one sign at once, whatever its age', () => {
    const keys = [
      key('c', 'current'),
      key('n', 'next', { ...publishedIn(MOMENT), publishedAt: NOW - 1 }),
      ...BOTH.slice(2),
    ]
    const { keys: left, lacks } = revoke(keys, 'c', MOMENT)

    expect(told(left)).toEqual(['n current', 'rc current', 'rn next'])
    expect(left[0]).toMatchObject({ publishedAt: NOW - 1, publishedUptime: MOMENT.uptime, since: NOW })
    expect(lacks).toBeUndefined()
  })

  test('of the current key says what is missing where there is no next one', () => {
    const { keys, lacks } = revoke([key('c', 'current'), key('r', 'retired'), ...BOTH.slice(2)], 'c', MOMENT)

    expect(told(keys)).toEqual(['r retired', 'rc current', 'rn next'])
    expect(lacks).toBe('ES256')
  })

  test.each(['n', 'r'])('of a key that does not sign takes it away alone: %s', (keyId) => {
    const keys = [...BOTH, key('r', 'retired')]

    expect(revoke(keys, keyId, MOMENT)).toEqual({ keys: keys.filter((each) => each.keyId !== keyId), lacks: undefined })
  })

  test('of a key in a file is remembered', () => {
    const keys = [key('c', 'current', { held: 'file' }), key('n', 'next', { held: 'file' })]

    expect(told(revoke(keys, 'c', MOMENT).keys)).toEqual(['c withdrawn', 'n current'])
  })
})
