/** How long a spent proof is remembered, and when a store must say that it cannot tell. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { believeAnew, believeNew, canTell, rememberUntil, type StorePast, wasAway } from '../../src/store/retention.ts'
import { NOW } from '../support/spendable.ts'

const LONG_KNOWN: StorePast = { believedFrom: 0, forgottenUntil: 0 }

describe('a spent proof is remembered', () => {
  test.each([
    [-60, 1_800],
    [0, 1_800],
    [900, 1_800],
    [901, 1_801],
    [3_600, 4_500],
  ])('with %i seconds left, for %i seconds', (left, remembered) => {
    expect(rememberUntil({ expiresAt: NOW + left }, NOW)).toBe(NOW + remembered)
  })
})

describe('a store can tell', () => {
  const told = (past: Partial<StorePast>, proof: { issuedAt?: number; expiresAt?: number }) =>
    canTell({ ...LONG_KNOWN, ...past }, { issuedAt: NOW, expiresAt: NOW + 900, ...proof })

  test.each([
    [-1, true],
    [0, true],
    [1, false],
  ])('of a proof made %i seconds before it was there', (early, expected) => {
    expect(told({ believedFrom: NOW + early }, {})).toBe(expected)
  })

  test('of no proof of the second in which it was made', () => {
    expect(canTell({ ...LONG_KNOWN, believedFrom: believeNew(NOW) }, { issuedAt: NOW, expiresAt: NOW + 900 })).toBe(
      false,
    )
  })

  test('of no proof of the minute in which it may have been put back', () => {
    const past = { ...LONG_KNOWN, believedFrom: believeAnew(NOW) }

    expect(canTell(past, { issuedAt: NOW + 59, expiresAt: NOW + 900 })).toBe(false)
    expect(canTell(past, { issuedAt: NOW + 60, expiresAt: NOW + 900 })).toBe(true)
  })

  test.each([
    [-1, true],
    [0, false],
    [1, false],
  ])('of a proof whose record may have ended %i seconds before the last that was forgotten', (early, expected) => {
    expect(told({ forgottenUntil: NOW + 1_800 + early }, {})).toBe(expected)
  })

  test('whatever the clock does, of no proof whose record it may have forgotten', () => {
    const offset = fc.integer({ min: -100_000, max: 100_000 })
    const property = fc.property(offset, offset, offset, (left, spentAt, forgetAt) => {
      const proof = { issuedAt: NOW, expiresAt: NOW + left }
      const until = rememberUntil(proof, NOW + spentAt)
      const isForgotten = until <= NOW + forgetAt

      expect(isForgotten && canTell({ ...LONG_KNOWN, forgottenUntil: until }, proof)).toBe(false)
    })
    fc.assert(property)
  })

  test('while the clock runs on, of every proof that a verifier could still take', () => {
    const property = fc.property(fc.integer({ min: -60, max: 100_000 }), (left) => {
      expect(told({ forgottenUntil: NOW }, { expiresAt: NOW + left })).toBe(true)
    })
    fc.assert(property)
  })
})

test.each([
  [0, false],
  [300, false],
  [301, true],
  [-300, false],
  [-301, true],
])('a store that was last seen %i seconds ago was away: %s', (seconds, expected) => {
  expect(wasAway(NOW - seconds, NOW)).toBe(expected)
})
