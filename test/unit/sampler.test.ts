/** The sampler: a hundred of a kind each second, then one in a hundred. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSampler, FULL_RATE_PER_SECOND, SAMPLE_EVERY } from '../../src/audit/sampler.ts'

function samplerAt(start = 0) {
  const clock = { now: start }
  const isRecorded = createSampler(() => clock.now)
  const recorded = (count: number, kind = 'a') =>
    Array.from({ length: count }, () => isRecorded(kind)).filter(Boolean).length
  return { clock, isRecorded, recorded }
}

test('the rates are those of the design', () => {
  expect([FULL_RATE_PER_SECOND, SAMPLE_EVERY]).toEqual([100, 100])
})

test('the first hundred of a second are recorded, and every hundredth after them', () => {
  const { isRecorded } = samplerAt()

  const recorded = Array.from({ length: 1_000 }, (_, index) => (isRecorded('a') ? index + 1 : 0)).filter(Boolean)

  expect(recorded).toEqual([
    ...Array.from({ length: 100 }, (_, index) => index + 1),
    200,
    300,
    400,
    500,
    600,
    700,
    800,
    900,
    1_000,
  ])
})

test('a second begins anew once it is over, and not before', () => {
  const { clock, recorded } = samplerAt(5_000)
  expect(recorded(150)).toBe(100)

  clock.now += 999
  expect(recorded(49)).toBe(0)

  clock.now += 1
  expect(recorded(150)).toBe(100)
})

test('a second begins with the first of a kind, however long nothing came', () => {
  const { clock, recorded } = samplerAt()
  clock.now = 1_000_900
  expect(recorded(100)).toBe(100)

  clock.now += 500
  expect(recorded(99)).toBe(0)
})

test('one kind never takes another’s share', () => {
  const { recorded } = samplerAt()
  recorded(10_000, 'garbage')

  expect(recorded(100, 'verified')).toBe(100)
})

test('whatever comes when, no second holds more records than the first hundred and one in a hundred', () => {
  const steps = fc.array(fc.record({ wait: fc.nat(1_500), count: fc.nat(400) }), { maxLength: 20 })
  const property = fc.property(steps, (arrivals) => {
    const { clock, recorded } = samplerAt()
    let came = 0
    let kept = 0
    for (const { wait, count } of arrivals) {
      clock.now += wait
      came += count
      kept += recorded(count)
    }

    const seconds = Math.floor(clock.now / 1_000) + 1
    expect(kept).toBeLessThanOrEqual(seconds * FULL_RATE_PER_SECOND + came / SAMPLE_EVERY)
    expect(kept).toBeGreaterThanOrEqual(Math.min(came, FULL_RATE_PER_SECOND))
  })

  fc.assert(property, { numRuns: 300 })
})
