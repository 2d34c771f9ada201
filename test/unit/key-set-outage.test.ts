/** What becomes of keys while their issuer is down: how long they are believed, and how often it is asked. */

import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { MAX_STALE_SECONDS, UNKNOWN_KEY_COOL_DOWN_SECONDS } from '../../providers/kit/key-set.ts'
import { createKeyIssuer, type KeyIssuer, makeJwk, settled } from '../support/key-issuer.ts'
import { rejection } from '../support/rejection.ts'

const [K1, K2] = [makeJwk('k1'), makeJwk('k2')]
const FRESH = 60

/** An issuer whose one key was fetched, and that has been down since. */
async function issuerGoneDown(): Promise<KeyIssuer> {
  const issuer = createKeyIssuer()
  issuer.publish([K1], FRESH)
  await issuer.ask('k1')
  issuer.fail()
  return issuer
}

describe('a set that was never fetched', () => {
  test('is an outage, told as the issuer’s own, with the time to come again', async () => {
    const issuer = createKeyIssuer()
    issuer.fail()

    const error = await rejection(issuer.keys.find('k1'))

    expect(error).toMatchObject({ code: 'upstream_status', facts: { status: 500, retry_after_seconds: 2 } })
    expect(error.cause).toMatchObject({ code: 'upstream_status' })
  })

  test('is asked for after two seconds, then four, then eight, and at last every half minute', async () => {
    const issuer = createKeyIssuer()
    issuer.fail()
    const attempts: number[] = []

    for (let second = 0; second < 125; second++) {
      const before = issuer.fetches()
      await issuer.ask('k1')
      if (issuer.fetches() > before) attempts.push(second)
      issuer.clock.advance(1)
    }

    expect(attempts).toEqual([0, 2, 6, 14, 30, 60, 90, 120])
  })

  test('tells the last outage again meanwhile, and when to come', async () => {
    const issuer = createKeyIssuer()
    issuer.fail()
    for (let attempt = 0; attempt < 3; attempt++) {
      await issuer.ask('k1')
      issuer.clock.advance(8)
    }
    const before = issuer.fetches()
    issuer.clock.advance(-5)

    const error = await rejection(issuer.keys.find('k1'))

    expect(error).toMatchObject({ code: 'upstream_status', facts: { retry_after_seconds: 5 } })
    expect(issuer.fetches()).toBe(before)
  })

  test('is worth another try after a second at the earliest', async () => {
    const issuer = createKeyIssuer()
    issuer.fail()
    await issuer.ask('k1')
    issuer.clock.advance(1)

    expect((await rejection(issuer.keys.find('k1'))).facts).toMatchObject({ retry_after_seconds: 1 })
  })

  test('forgets the outage with the first answer', async () => {
    const issuer = createKeyIssuer()
    issuer.fail()
    for (let attempt = 0; attempt < 6; attempt++) {
      await issuer.ask('k1')
      issuer.clock.advance(30)
    }
    issuer.publish([K1], FRESH)
    expect(await issuer.ask('k1')).toBe('k1')
    issuer.fail()
    issuer.clock.advance(FRESH + MAX_STALE_SECONDS)

    expect((await rejection(issuer.keys.find('k1'))).facts).toMatchObject({ retry_after_seconds: 2 })
  })

  test('is asked for once, however many wait, and all of them are told', async () => {
    const issuer = createKeyIssuer()
    issuer.fail()
    issuer.hold()
    const outcomes = Promise.all(Array.from({ length: 100 }, () => issuer.ask('k1')))
    await settled()
    await issuer.release()

    expect(new Set(await outcomes)).toEqual(new Set(['upstream_status']))
    expect(issuer.fetches()).toBe(1)
  })

  test.each([
    ['an error of its own', new TypeError('bug')],
    ['text', 'down'],
    ['nothing', undefined],
  ])('is an outage where fetching throws %s', async (_, thrown) => {
    const issuer = createKeyIssuer()
    issuer.fail(thrown === undefined ? null : thrown)

    const error = await rejection(issuer.keys.find('k1'))

    expect(error.code).toBe('upstream_malformed')
    expect(issuer.fetches()).toBe(1)
  })

  test('is an outage where what was fetched is no list', async () => {
    const issuer = createKeyIssuer()
    issuer.publish(null as unknown as readonly unknown[])

    expect(await issuer.ask('k1')).toBe('upstream_malformed')
  })
})

describe('a set whose issuer is down', () => {
  test('is believed for twelve hours after it stopped being fresh, and not a second longer', async () => {
    const issuer = await issuerGoneDown()
    expect(MAX_STALE_SECONDS).toBe(43_200)

    issuer.clock.advance(FRESH + MAX_STALE_SECONDS - 1)
    expect(await issuer.ask('k1')).toBe('k1')
    issuer.clock.advance(1)

    expect(await issuer.ask('k1')).toBe('upstream_status')
  })

  test('is believed by a clock that was set back by twelve hours, and by none that was set back further', async () => {
    const issuer = await issuerGoneDown()
    issuer.clock.advance(-MAX_STALE_SECONDS)
    expect(await issuer.ask('k1')).toBe('k1')
    issuer.clock.advance(-1)

    expect(await issuer.ask('k1')).toBe('upstream_status')
  })

  test('is asked for as seldom as one that was never fetched', async () => {
    const issuer = await issuerGoneDown()
    issuer.clock.advance(FRESH)
    const attempts: number[] = []

    for (let second = 0; second < 125; second++) {
      const before = issuer.fetches()
      expect(await issuer.ask('k1')).toBe('k1')
      if (issuer.fetches() > before) attempts.push(second)
      issuer.clock.advance(1)
    }

    expect(attempts).toEqual([0, 2, 6, 14, 30, 60, 90, 120])
  })

  test('is waited for once, and then no longer, as long as the old one will do', async () => {
    const issuer = await issuerGoneDown()
    issuer.clock.advance(FRESH)
    issuer.hold()
    let isAnswered = false
    const first = issuer.ask('k1').then((outcome) => {
      isAnswered = true
      return outcome
    })
    await settled()
    expect(isAnswered).toBe(false)
    await issuer.release()
    expect(await first).toBe('k1')

    issuer.clock.advance(2)
    issuer.hold()

    expect(await issuer.ask('k1')).toBe('k1')
    expect(issuer.fetches()).toBe(3)
    await issuer.release()
  })

  test('is waited for where the old one will do no more', async () => {
    const issuer = await issuerGoneDown()
    issuer.clock.advance(FRESH)
    await issuer.ask('k1')
    issuer.clock.advance(MAX_STALE_SECONDS)
    issuer.publish([K1], FRESH)

    expect(await issuer.ask('k1')).toBe('k1')
  })

  test('is fresh again after the first answer, which nobody waited for', async () => {
    const issuer = await issuerGoneDown()
    issuer.clock.advance(FRESH)
    await issuer.ask('k1')
    issuer.clock.advance(2)
    issuer.publish([K2], FRESH)
    await issuer.ask('k1')
    await settled()

    expect([await issuer.ask('k2'), await issuer.ask('k1')]).toEqual(['k2', 'key_unknown'])
    issuer.clock.advance(FRESH - 1)
    const before = issuer.fetches()
    expect(await issuer.ask('k2')).toBe('k2')
    expect(issuer.fetches()).toBe(before)
  })

  test('refuses a key that it does not know, and asks for it no more than for itself', async () => {
    const issuer = await issuerGoneDown()
    issuer.clock.advance(FRESH)
    await issuer.ask('k1')
    const before = issuer.fetches()

    expect(await issuer.ask('x')).toBe('key_unknown')
    issuer.clock.advance(1)
    expect(await issuer.ask('y')).toBe('key_unknown')

    expect(issuer.fetches()).toBe(before)
  })
})

describe('a set whose issuer is up again', () => {
  test('looks for an unknown key at once, as those that were refused without asking cost nothing', async () => {
    const issuer = await issuerGoneDown()
    issuer.clock.advance(FRESH)
    await issuer.ask('k1')
    expect(await issuer.ask('x')).toBe('key_unknown')
    issuer.clock.advance(2)
    issuer.publish([K1], FRESH)
    await issuer.ask('k1')
    await settled()

    issuer.publish([K1, K2], FRESH)

    expect(await issuer.ask('k2')).toBe('k2')
  })
})

describe('a fresh set whose issuer fails when asked for an unknown key', () => {
  test('stays fresh, and is asked for again only after the cool-down', async () => {
    const issuer = await issuerGoneDown()

    expect(await issuer.ask('x')).toBe('key_unknown')
    expect(await issuer.ask('k1')).toBe('k1')
    issuer.clock.advance(UNKNOWN_KEY_COOL_DOWN_SECONDS - 1)
    expect(await issuer.ask('x')).toBe('key_unknown')
    expect(issuer.fetches()).toBe(2)
    issuer.clock.advance(1)
    expect(await issuer.ask('x')).toBe('key_unknown')

    expect(issuer.fetches()).toBe(3)
  })

  test('is not asked for again while the issuer’s back-off lasts, although the cool-down is over', async () => {
    const issuer = createKeyIssuer()
    issuer.publish([K1], 86_400)
    await issuer.ask('k1')
    issuer.fail()
    for (let attempt = 0; attempt < 5; attempt++) {
      await issuer.ask('x')
      issuer.clock.advance(UNKNOWN_KEY_COOL_DOWN_SECONDS)
    }
    issuer.hold()
    const slow = issuer.ask('x')
    await settled()
    issuer.clock.advance(5)
    await issuer.release()
    expect(await slow).toBe('key_unknown')
    const before = issuer.fetches()

    issuer.clock.advance(UNKNOWN_KEY_COOL_DOWN_SECONDS - 1)
    expect(await issuer.ask('x')).toBe('key_unknown')
    expect(issuer.fetches()).toBe(before)
    issuer.clock.advance(1)
    expect(await issuer.ask('x')).toBe('key_unknown')

    expect(issuer.fetches()).toBe(before + 1)
  })
})

test('the error of an outage says nothing of what was asked for', async () => {
  const issuer = createKeyIssuer()
  issuer.fail()

  const error = await rejection(issuer.keys.find('a-key-id-of-the-caller'))

  expect(inspect(error, { depth: null })).not.toContain('a-key-id-of-the-caller')
})
