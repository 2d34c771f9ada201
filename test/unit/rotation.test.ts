/** When a key comes, signs and goes. */

import { describe, expect, test } from 'vitest'
import { MAX_TOKEN_LIFETIME_SECONDS } from '../../src/federation/document.ts'
import {
  KEEP_SECONDS,
  MAX_PUBLISHED,
  MAX_UNCONFIRMED_SECONDS,
  type Moment,
  type NextStep,
  nextSteps,
  PUBLISH_SECONDS,
  rulesFor,
  turnsOf,
} from '../../src/tokens/rotation.ts'
import type { RingKey } from '../../src/tokens/signing-key.ts'

const NOW = 1_768_478_400
const DAY = 86_400
const PERIOD = 30 * DAY
const RULES = rulesFor(PERIOD)

/** Makes a key that came into its state so long ago, by both clocks, and was published then or earlier. */
function key(
  keyId: string,
  parts: Partial<RingKey> & { readonly age?: number; readonly publicFor?: number } = {},
): RingKey {
  const { age = 0, publicFor = age, ...members } = parts
  const times = {
    publishedAt: NOW - publicFor,
    since: NOW - age,
    publishedUptime: 9 * PERIOD - publicFor,
    sinceUptime: 9 * PERIOD - age,
  }
  return { keyId, algorithm: 'ES256', state: 'current', held: 'store', ...times, ...members }
}

const MOMENT: Moment = { now: NOW, uptime: 9 * PERIOD }

function stepsOf(keys: readonly RingKey[], moment = MOMENT, rules = RULES): readonly NextStep[] {
  return nextSteps(keys, rules, moment)
}

/** Gives the one step of a kind. */
function stepOf(kind: NextStep['kind'], keys: readonly RingKey[], moment = MOMENT, rules = RULES): NextStep {
  const [step, ...others] = stepsOf(keys, moment, rules).filter((each) => each.kind === kind)
  expect(others).toEqual([])
  return step ?? expect.unreachable()
}

function dueKinds(keys: readonly RingKey[], moment = MOMENT): readonly string[] {
  return stepsOf(keys, moment).flatMap(({ kind, keyId, isDue }) => (isDue ? [`${kind} ${keyId ?? 'new'}`] : []))
}

const current = (age = 0) => key('c', { age, publicFor: 2 * PERIOD })
const next = (age = 0) => key('n', { state: 'next', age })
const retired = (age = 0, keyId = 'r') => key(keyId, { state: 'retired', age, publicFor: 2 * PERIOD })

describe('the times', () => {
  test('outlast what verifiers and brokers do', () => {
    const verifiersKeepFor = 23 * 3_600
    const httpCaches = 300
    expect(PUBLISH_SECONDS).toBeGreaterThanOrEqual(DAY)
    expect(PUBLISH_SECONDS).toBeGreaterThan(verifiersKeepFor + httpCaches + MAX_UNCONFIRMED_SECONDS + 120)
    expect(KEEP_SECONDS).toBeGreaterThan(MAX_TOKEN_LIFETIME_SECONDS + MAX_UNCONFIRMED_SECONDS + 120)
    expect(MAX_PUBLISHED).toBe(4)
    expect(RULES).toEqual({
      periodSeconds: PERIOD,
      promotes: 'when its turn has come',
      publishSeconds: PUBLISH_SECONDS,
      keepSeconds: KEEP_SECONDS,
      maxPublished: MAX_PUBLISHED,
    })
  })
})

describe('a next key', () => {
  test('is published as soon as there is none', () => {
    expect(dueKinds([current()])).toEqual(['publish new'])
    expect(stepOf('publish', [current()])).toEqual({
      kind: 'publish',
      algorithm: 'ES256',
      keyId: undefined,
      at: NOW,
      isDue: true,
    })
    expect(dueKinds([current(), next()])).toEqual([])
  })

  test('is published for each algorithm that has a current key, and for none that has not', () => {
    const rsa = key('rsa', { algorithm: 'RS256' })

    expect(stepsOf([current(), rsa]).map(({ kind, algorithm }) => `${kind} ${algorithm}`)).toEqual([
      'publish ES256',
      'publish RS256',
    ])
    expect(stepsOf([next()])).toEqual([])
  })

  test('is not published while four are, and is when the first retired one has gone', () => {
    const rsa = [key('rc', { algorithm: 'RS256' }), key('rr', { algorithm: 'RS256', state: 'retired', age: 100 })]
    const keys = [current(), retired(60), ...rsa]

    expect(dueKinds(keys)).toEqual([])
    for (const step of stepsOf(keys).filter(({ kind }) => kind === 'publish')) {
      expect(step.at).toBe(NOW + KEEP_SECONDS - 100)
    }
    expect(dueKinds(keys.slice(1))).toContain('publish new')
  })

  test('waits for room even when that is overdue, until the retired one has really gone', () => {
    const rsa = [key('rc', { algorithm: 'RS256' }), key('rn', { algorithm: 'RS256', state: 'next' })]
    const keys = [current(), retired(KEEP_SECONDS + 5), ...rsa]

    expect(dueKinds(keys)).toEqual(['drop r'])
  })

  test('does not count those that were withdrawn', () => {
    const withdrawn = ['w1', 'w2', 'w3', 'w4'].map((keyId) => key(keyId, { state: 'withdrawn' }))

    expect(dueKinds([current(), ...withdrawn])).toEqual(['publish new'])
  })
})

describe('the next key signs', () => {
  test('when its turn has come', () => {
    const keys = [current(PERIOD), next(29 * DAY)]

    expect(dueKinds(keys)).toEqual(['promote n'])
  })

  test('not before that', () => {
    const keys = [current(1_000), next(29 * DAY)]
    const { at, isDue } = stepOf('promote', keys)

    expect(isDue).toBe(false)
    expect(at).toBe(turnsOf(keys, RULES, MOMENT)[0]?.at)
    expect(at).toBeGreaterThanOrEqual(NOW - 1_000 + 0.95 * PERIOD)
    expect(at).toBeLessThanOrEqual(NOW - 1_000 + PERIOD)
  })

  test('not before it has been public for a day, however late that is', () => {
    expect(dueKinds([current(10 * PERIOD), next(PUBLISH_SECONDS - 1)])).toEqual([])
    expect(stepOf('promote', [current(10 * PERIOD), next(100)]).at).toBe(NOW + PUBLISH_SECONDS - 100)
    expect(dueKinds([current(10 * PERIOD), next(PUBLISH_SECONDS)])).toEqual(['promote n'])
  })

  test('as soon as it may, where its turn is whenever an operator brings it', () => {
    const rules = { ...RULES, promotes: 'as soon as it may' } as const

    expect(stepOf('promote', [current(), next(PUBLISH_SECONDS)], MOMENT, rules).isDue).toBe(true)
    expect(stepOf('promote', [current(), next(PUBLISH_SECONDS - 1)], MOMENT, rules).isDue).toBe(false)
  })
})

describe('a retired key', () => {
  test('goes when its last token has expired, and not a second before', () => {
    expect(dueKinds([current(), next(), retired(KEEP_SECONDS - 1)])).toEqual([])
    expect(stepOf('drop', [current(), next(), retired(100)]).at).toBe(NOW + KEEP_SECONDS - 100)
    expect(dueKinds([current(), next(), retired(KEEP_SECONDS)])).toEqual(['drop r'])
  })
})

describe('a clock that is set', () => {
  const far = [-20, -1, 1, 20].map((years) => NOW + years * 365 * DAY)

  test.each(far)('to %d makes no key sign before its time', (now) => {
    expect(dueKinds([current(10 * PERIOD), next(100)], { ...MOMENT, now })).not.toContain('promote n')
  })

  test.each(far)('to %d takes no key away before its time', (now) => {
    expect(dueKinds([current(), next(), retired(100)], { ...MOMENT, now })).not.toContain('drop r')
  })

  test('back, puts no rotation off for longer than the time that brokers have been up', () => {
    const keys = [{ ...current(PERIOD), since: NOW + 20 * 365 * DAY }, next(PERIOD)]

    expect(dueKinds(keys)).toEqual(['promote n'])
  })

  test('and brokers that were down for long: a rotation is wanted by the calendar', () => {
    const keys = [{ ...current(PERIOD), sinceUptime: 9 * PERIOD - 2 * DAY }, next(2 * DAY)]

    expect(dueKinds(keys)).toEqual(['promote n'])
  })
})

describe('the turn', () => {
  test('comes early by up to a twentieth of the period, the same for all who ask, and another for each key', () => {
    const turns = Array.from({ length: 200 }, (_, index) => turnsOf([key(`key ${index}`)], RULES, MOMENT)[0]?.at ?? 0)
    const early = turns.map((at) => NOW + PERIOD - at)

    expect(Math.min(...early)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...early)).toBeLessThanOrEqual(PERIOD * 0.05)
    expect(new Set(early).size).toBeGreaterThan(190)
    expect(turnsOf([key('key 0')], RULES, MOMENT)[0]?.at).toBe(turns[0])
  })

  test('is late when hours have gone since, whatever it waits for', () => {
    const lateOf = (age: number, others: readonly RingKey[]) =>
      turnsOf([current(age), ...others], RULES, MOMENT)[0]?.isLate

    expect(lateOf(PERIOD * 0.94, [next()])).toBe(false)
    const [{ at } = { at: 0 }] = turnsOf([current()], RULES, MOMENT)
    expect(turnsOf([current()], RULES, { ...MOMENT, now: at + 21_600 })[0]?.isLate).toBe(false)
    expect(turnsOf([current()], RULES, { ...MOMENT, now: at + 21_601 })[0]?.isLate).toBe(true)
    expect(lateOf(PERIOD + 21_601, [next()])).toBe(true)
    expect(lateOf(PERIOD + 21_601, [])).toBe(true)
    expect(turnsOf([next(), retired()], RULES, MOMENT)).toEqual([])
  })
})

test('steps are told in the order of their times', () => {
  const keys = [current(), next(), retired(10), key('rc', { algorithm: 'RS256', age: PERIOD }), retired(500, 'older')]
  const times = stepsOf(keys).map(({ at }) => at)

  expect(times).toEqual(times.toSorted((one, other) => one - other))
})
