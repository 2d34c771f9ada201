/** How long keys are kept, how seldom they are fetched, and which of them are never used. */

import { describe, expect, test } from 'vitest'
import {
  createStaticKeySet,
  MAX_FRESH_SECONDS,
  MIN_FRESH_SECONDS,
  UNKNOWN_KEY_COOL_DOWN_SECONDS,
} from '../../providers/kit/key-set.ts'
import { createKeyIssuer, makeJwk, settled } from '../support/key-issuer.ts'
import { rejection } from '../support/rejection.ts'

const [K1, K2, K3] = [makeJwk('k1'), makeJwk('k2'), makeJwk('k3')]

describe('a set of the document', () => {
  test('gives its keys, and refuses every other', async () => {
    const keys = createStaticKeySet([K1, { kty: 'oct' }, K2])

    expect((await keys.find('k2')).keyId).toBe('k2')
    for (const keyId of ['k3', '', '__proto__', 'constructor', 'undefined']) {
      expect((await rejection(keys.find(keyId))).code).toBe('key_unknown')
    }
  })
})

describe('keys under one id', () => {
  const ask = async (members: readonly unknown[]): Promise<readonly string[]> => {
    const issuer = createKeyIssuer()
    issuer.publish(members)
    const outcome = await issuer.ask('k1')
    return [outcome, ...issuer.events.map((event) => (event.kind === 'key_ignored' ? event.why : event.kind))]
  }
  const other = { ...K2, kid: 'k1' }

  test('are one where they are the same', async () => {
    expect(await ask([K1, K2, K1, { ...K1, use: 'sig' }])).toEqual(['k1'])
  })

  test('are none where they differ, in whatever order they come', async () => {
    for (const members of [
      [K1, other],
      [other, K1],
      [K1, other, K1],
      [K1, K1, other],
      [K1, other, { ...K3, kid: 'k1' }],
    ]) {
      expect(await ask(members)).toEqual(['key_unknown', 'ambiguous'])
    }
    expect((await rejection(createStaticKeySet([K1, other]).find('k1'))).code).toBe('key_unknown')
  })

  test('leave the other keys of the set alone', async () => {
    const issuer = createKeyIssuer()
    issuer.publish([K1, other, K2])

    expect(await issuer.ask('k2')).toBe('k2')
  })

  test('are no two where one cannot be used', async () => {
    expect(await ask([{ ...other, use: 'enc' }, K1])).toEqual(['k1', 'not_for_signatures'])
  })
})

describe('a fetched set', () => {
  test('is fetched when it is first needed, once for any number of callers', async () => {
    const issuer = createKeyIssuer()
    expect(issuer.fetches()).toBe(0)

    issuer.hold()
    const outcomes = Promise.all(Array.from({ length: 500 }, (_, at) => issuer.ask(at % 2 === 0 ? 'k1' : `x${at}`)))
    await settled()
    await issuer.release()

    expect(new Set(await outcomes)).toEqual(new Set(['k1', 'key_unknown']))
    expect(issuer.fetches()).toBe(1)
  })

  test('is kept as long as its issuer says', async () => {
    const issuer = createKeyIssuer()
    issuer.publish([K1], 600)
    await issuer.ask('k1')

    issuer.clock.advance(599)
    await issuer.ask('k1')
    expect(issuer.fetches()).toBe(1)
    issuer.clock.advance(1)
    await issuer.ask('k1')

    expect(issuer.fetches()).toBe(2)
  })

  test.each([
    [0, MIN_FRESH_SECONDS],
    [1, MIN_FRESH_SECONDS],
    [61, 61],
    [undefined, 300],
    [31_536_000, MAX_FRESH_SECONDS],
    [9_999_999_999, MAX_FRESH_SECONDS],
  ])('told to be kept for %j seconds is kept for %d', async (maxAge, kept) => {
    const issuer = createKeyIssuer()
    issuer.publish([K1], maxAge)
    await issuer.ask('k1')

    issuer.clock.advance(kept - 1)
    await issuer.ask('k1')
    expect(issuer.fetches()).toBe(1)
    issuer.clock.advance(1)
    await issuer.ask('k1')

    expect(issuer.fetches()).toBe(2)
  })

  test('the limits are a minute and a day', () => {
    expect([MIN_FRESH_SECONDS, MAX_FRESH_SECONDS]).toEqual([60, 86_400])
  })

  test('no longer has a key that its issuer removed, once it is fetched again', async () => {
    const issuer = createKeyIssuer()
    issuer.publish([K1, K2], 60)
    expect(await issuer.ask('k1')).toBe('k1')

    issuer.publish([K2], 60)
    issuer.clock.advance(60)

    expect([await issuer.ask('k1'), await issuer.ask('k2')]).toEqual(['key_unknown', 'k2'])
    expect(issuer.fetches()).toBe(2)
  })

  test('is fetched again in time although the clock was set back', async () => {
    const issuer = createKeyIssuer()
    issuer.publish([K1, K2], 300)
    await issuer.ask('k1')

    issuer.publish([K2], 300)
    issuer.clock.advance(-30 * 86_400)
    await issuer.ask('k2')
    issuer.clock.advance(MAX_FRESH_SECONDS)

    expect(await issuer.ask('k1')).toBe('key_unknown')
  })
})

describe('an unknown key', () => {
  test('is looked for at the issuer, who may just have begun to use it', async () => {
    const issuer = createKeyIssuer()
    issuer.publish([K1])
    await issuer.ask('k1')

    issuer.publish([K1, K2])

    expect(await issuer.ask('k2')).toBe('k2')
    expect(issuer.fetches()).toBe(2)
  })

  test('costs a fetch every half minute, however many there are', async () => {
    const issuer = createKeyIssuer()
    issuer.publish([K1], 86_400)
    await issuer.ask('k1')

    for (let second = 0; second < 10 * UNKNOWN_KEY_COOL_DOWN_SECONDS; second++) {
      expect(await issuer.ask(`x${second}`)).toBe('key_unknown')
      issuer.clock.advance(1)
    }

    expect(issuer.fetches()).toBe(1 + 10)
  })

  test('costs one fetch where a thousand come at once', async () => {
    const issuer = createKeyIssuer()
    issuer.publish([K1])
    await issuer.ask('k1')

    issuer.hold()
    const outcomes = Promise.all(Array.from({ length: 1_000 }, (_, at) => issuer.ask(`x${at}`)))
    await settled()
    await issuer.release()

    expect(new Set(await outcomes)).toEqual(new Set(['key_unknown']))
    expect(issuer.fetches()).toBe(2)
  })

  test('that comes while others are looked for is found with them, cool-down or not', async () => {
    const issuer = createKeyIssuer()
    issuer.publish([K1])
    await issuer.ask('k1')
    issuer.publish([K1, K2])
    issuer.hold()
    const first = issuer.ask('x')
    await settled()

    const second = issuer.ask('k2')
    await settled()
    await issuer.release()

    expect([await first, await second]).toEqual(['key_unknown', 'k2'])
    expect(issuer.fetches()).toBe(2)
  })

  test('never holds up one that is known', async () => {
    const issuer = createKeyIssuer()
    issuer.publish([K1])
    await issuer.ask('k1')
    issuer.hold()
    const unknown = issuer.ask('x')
    await settled()

    expect(await issuer.ask('k1')).toBe('k1')
    await issuer.release()
    expect(await unknown).toBe('key_unknown')
  })

  test('causes no second fetch where the first one was for the set itself', async () => {
    const issuer = createKeyIssuer()
    issuer.publish([K1], 60)

    expect(await issuer.ask('x')).toBe('key_unknown')
    expect(await issuer.ask('y')).toBe('key_unknown')
    expect(issuer.fetches()).toBe(1)
    issuer.clock.advance(60)
    expect(await issuer.ask('x')).toBe('key_unknown')
    expect(await issuer.ask('y')).toBe('key_unknown')

    expect(issuer.fetches()).toBe(2)
  })

  test('is looked for again in time although the clock was set back', async () => {
    const issuer = createKeyIssuer()
    issuer.publish([K1], 86_400)
    await issuer.ask('k1')
    await issuer.ask('x')

    issuer.clock.advance(-30 * 86_400)
    issuer.publish([K1, K2], 86_400)
    await issuer.ask('x')
    issuer.clock.advance(UNKNOWN_KEY_COOL_DOWN_SECONDS)

    expect(await issuer.ask('k2')).toBe('k2')
  })
})
