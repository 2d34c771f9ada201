/** Uptime: never more than has really passed. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createUptime } from '../../src/tokens/uptime.ts'

test('a process adds what it has seen go by to what was noted when it began', () => {
  let elapsed = 1_000.7
  const uptime = createUptime(() => elapsed)

  expect(uptime.read(500)).toBe(500)
  elapsed += 59.9
  expect(uptime.read(500)).toBe(559)
})

test('a process believes another that has seen more, and not one that has seen less', () => {
  let elapsed = 0
  const uptime = createUptime(() => elapsed)
  uptime.read(0)
  elapsed = 10

  expect(uptime.read(600)).toBe(600)
  elapsed = 20
  expect(uptime.read(5)).toBe(610)
})

test('a clock that goes back, as none should, takes nothing away', () => {
  let elapsed = 100
  const uptime = createUptime(() => elapsed)
  uptime.read(50)
  elapsed = 0

  expect(uptime.read(50)).toBe(50)
})

test('several processes that note together never note more than has passed', () => {
  const turn = fc.record({
    who: fc.nat(3),
    wait: fc.double({ min: 0, max: 1_000, noNaN: true }),
    restarts: fc.boolean(),
  })
  const property = fc.property(fc.array(turn, { maxLength: 60 }), (turns) => {
    let now = 0
    let noted = 0
    const start = () => {
      const offset = now
      return createUptime(() => now - offset)
    }
    const processes = [start(), start(), start(), start()]
    for (const { who, wait, restarts } of turns) {
      now += wait
      if (restarts) processes[who] = start()
      noted = Math.max(noted, processes[who]?.read(noted) ?? 0)
      expect(noted).toBeLessThanOrEqual(now)
    }
  })

  fc.assert(property, { numRuns: 500 })
})
