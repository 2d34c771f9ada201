/** Uptime: never more than has really passed, whoever counts. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createUptime } from '../../src/tokens/uptime.ts'

test('a process counts for how long it has seen a ring stay as it is', () => {
  let elapsed = 1_000.7
  const uptime = createUptime(() => elapsed)

  expect(uptime.seen(1)).toBe(0)
  elapsed += 59.9
  expect(uptime.seen(1)).toBe(59)
  elapsed += 0.2
  expect(uptime.seen(1)).toBe(60)
})

test('a process that finds another ring begins anew: others have counted while it was away', () => {
  let elapsed = 0
  const uptime = createUptime(() => elapsed)
  uptime.seen(1)
  elapsed = 100_000

  expect(uptime.seen(2)).toBe(0)
  elapsed += 5
  expect(uptime.seen(2)).toBe(5)
})

test('a clock that goes back, as none should, takes nothing away', () => {
  let elapsed = 100
  const uptime = createUptime(() => elapsed)
  uptime.seen(1)
  elapsed = 0

  expect(uptime.seen(1)).toBe(0)
})

test('what several processes add is never more than has passed since any moment', () => {
  const turn = fc.record({
    who: fc.nat(3),
    wait: fc.double({ min: 0, max: 1_000, noNaN: true }),
    does: fc.constantFrom('restart', 'look', 'note', 'note'),
  })
  const property = fc.property(fc.array(turn, { maxLength: 80 }), (turns) => {
    let now = 0
    const ring = { version: 1, uptime: 0 }
    const moments = [{ now: 0, uptime: 0 }]
    const start = () => {
      const offset = now
      return createUptime(() => now - offset)
    }
    const processes = [start(), start(), start(), start()]
    for (const { who, wait, does } of turns) {
      now += wait
      if (does === 'restart') processes[who] = start()
      const added = processes[who]?.seen(ring.version) ?? 0
      if (does !== 'note') continue
      ring.version++
      ring.uptime += added
      for (const moment of moments) expect(ring.uptime - moment.uptime).toBeLessThanOrEqual(now - moment.now)
      moments.push({ now, uptime: ring.uptime })
    }
  })

  fc.assert(property, { numRuns: 500 })
})
