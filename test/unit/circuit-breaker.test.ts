/** When an upstream is left alone, for how long, and who may try it first. */

import { expect, test } from 'vitest'
import { ProofError, type ProofErrorCode } from '../../providers/contract/errors.ts'
import { createCircuitBreaker } from '../../providers/kit/circuit-breaker.ts'
import { createTestClock } from '../support/clock.ts'
import { rejection } from '../support/rejection.ts'

/** Times that an upstream may fail in a row, and seconds for which it is left alone then. */
const TOLERATED = 5
const REST = 5

function openBreaker() {
  const clock = createTestClock()
  const breaker = createCircuitBreaker(clock.now)
  const state = { tries: 0 }
  const attempt = <T>(act: () => Promise<T>): Promise<T> =>
    breaker.guard(() => {
      state.tries++
      return act()
    })
  const succeed = () => attempt(async () => 'done')
  const fail = (error: unknown = outage()) => attempt(() => Promise.reject(error)).catch((caught: unknown) => caught)
  return {
    clock,
    state,
    attempt,
    succeed,
    fail,
    async failTimes(times: number) {
      for (let time = 0; time < times; time++) await fail()
    },
    /** Whether an attempt that would do well is made. */
    async isOpen() {
      const before = state.tries
      await succeed().catch(() => undefined)
      return state.tries > before
    },
  }
}

function outage(code: ProofErrorCode = 'upstream_timeout', facts = {}): ProofError {
  return new ProofError(code, 'no answer', { facts })
}

test('gives what was done, and throws what was thrown', async () => {
  const { succeed, fail } = openBreaker()
  const error = outage()

  expect(await succeed()).toBe('done')
  expect(await fail(error)).toBe(error)
})

test('tolerates four failures in a row, and leaves the upstream alone after the fifth', async () => {
  const { failTimes, fail, state, isOpen } = openBreaker()
  await failTimes(TOLERATED - 1)
  expect(state.tries).toBe(TOLERATED - 1)

  await fail()
  expect(state.tries).toBe(TOLERATED)
  await fail()

  expect(state.tries).toBe(TOLERATED)
  expect(await isOpen()).toBe(false)
})

test('counts failures in a row alone: one attempt that did well begins the count anew', async () => {
  const { failTimes, succeed, isOpen } = openBreaker()
  await failTimes(TOLERATED - 1)
  await succeed()
  await failTimes(TOLERATED - 1)

  expect(await isOpen()).toBe(true)
})

test('says meanwhile what the last outage was, and when to come back', async () => {
  const { clock, failTimes, fail, succeed } = openBreaker()
  await failTimes(TOLERATED - 1)
  await fail(outage('upstream_status', { status: 503 }))

  const first = await rejection(succeed())
  clock.advance(3)
  const later = await rejection(succeed())

  expect(first).toMatchObject({ code: 'upstream_status', facts: { status: 503, retry_after_seconds: REST } })
  expect(later).toMatchObject({ code: 'upstream_status', facts: { status: 503, retry_after_seconds: 2 } })
})

test('lets one attempt through after the rest, and everybody when that did well', async () => {
  const { clock, failTimes, succeed, isOpen } = openBreaker()
  await failTimes(TOLERATED)
  clock.advance(REST - 1)
  expect(await isOpen()).toBe(false)

  clock.advance(1)
  expect(await succeed()).toBe('done')
  expect(await isOpen()).toBe(true)
})

test('makes one attempt at a time after the rest: whoever comes meanwhile is told to come in a second', async () => {
  const { clock, state, attempt, succeed, failTimes } = openBreaker()
  await failTimes(TOLERATED)
  clock.advance(REST)
  const gate = Promise.withResolvers<string>()
  const trial = attempt(() => gate.promise)

  expect((await rejection(succeed())).facts.retry_after_seconds).toBe(1)
  expect(state.tries).toBe(TOLERATED + 1)
  gate.resolve('done')

  expect(await trial).toBe('done')
  expect(await succeed()).toBe('done')
})

test('rests as long again after an attempt that failed', async () => {
  const { clock, failTimes, fail, isOpen } = openBreaker()
  await failTimes(TOLERATED)
  clock.advance(REST)
  await fail()
  expect(await isOpen()).toBe(false)
  clock.advance(REST - 1)
  expect(await isOpen()).toBe(false)

  clock.advance(1)
  expect(await isOpen()).toBe(true)
})

test('rests from the last failure, not from the fifth', async () => {
  const { clock, attempt, isOpen } = openBreaker()
  const gates = Array.from({ length: TOLERATED + 1 }, () => Promise.withResolvers<never>())
  const attempts = gates.map(({ promise }) => rejection(attempt(() => promise)))
  for (const [index, gate] of gates.entries()) {
    if (index === TOLERATED) clock.advance(3)
    gate.reject(outage())
    await attempts[index]
  }

  clock.advance(REST - 1)
  expect(await isOpen()).toBe(false)
  clock.advance(1)
  expect(await isOpen()).toBe(true)
})

test('does not rest longer because the clock was set back', async () => {
  const { clock, failTimes, isOpen } = openBreaker()
  await failTimes(TOLERATED)
  clock.advance(-1)

  expect(await isOpen()).toBe(true)
})

test.each([
  ['a refusal', outage('signature_invalid')],
  ['being told to come slower', outage('upstream_status', { status: 400, throttled: true })],
  ['a bug of ours', new Error('bug')],
])('takes %s for no failure of the upstream', async (_, error) => {
  const { failTimes, fail, isOpen } = openBreaker()
  for (let time = 0; time < 2 * TOLERATED; time++) expect(await fail(error)).toBe(error)
  expect(await isOpen()).toBe(true)

  await failTimes(TOLERATED - 1)
  await fail(error)
  await failTimes(TOLERATED - 1)
  expect(await isOpen()).toBe(true)
})

test('takes an outage that only mentions throttling for a failure', async () => {
  const { fail, isOpen } = openBreaker()
  for (let time = 0; time < TOLERATED; time++) await fail(outage('upstream_status', { throttled: 'no' }))

  expect(await isOpen()).toBe(false)
})

test('knows nothing of another one’s failures', async () => {
  const { failTimes } = openBreaker()
  await failTimes(TOLERATED)

  expect(await openBreaker().isOpen()).toBe(true)
})
