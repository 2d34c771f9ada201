/** What is true of every difference. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Change, differenceSchema, type Side } from '../../src/federation/change.ts'
import { compareFederations } from '../../src/federation/difference.ts'
import { plausibleDocuments } from '../support/arbitrary-documents.ts'
import { richParts } from '../support/arbitrary-requests.ts'
import { sideOfText } from '../support/run-change.ts'

const texts = fc.oneof(
  plausibleDocuments,
  richParts.map((parts) => JSON.stringify(parts)),
)

/** Documents that can be used, with their text. */
const sides: fc.Arbitrary<{ text: string; side: Side }> = texts
  .map((text) => ({ text, side: sideOfText(text) }))
  .filter((made): made is { text: string; side: Side } => !('findings' in made.side))

/** The same document, every object and list in the opposite order. */
function backwards(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(backwards).toReversed()
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, inner]) => [name, backwards(inner)]),
  )
}

const OPPOSITES: Readonly<Partial<Record<Change['change'], Change['change']>>> = {
  added: 'removed',
  removed: 'added',
  widened: 'narrowed',
  narrowed: 'widened',
  suspended: 'resumed',
  resumed: 'suspended',
  shadowed: 'unshadowed',
  unshadowed: 'shadowed',
}

test('a document differs from itself in nothing, in whatever order it is written', () => {
  fc.assert(
    fc.property(sides, ({ text, side }) => {
      const again = sideOfText(JSON.stringify(backwards(JSON.parse(text))))
      if ('findings' in again) throw new Error(JSON.stringify(again.findings))

      expect(compareFederations(side, side).changes).toEqual([])
      expect(compareFederations(side, again).changes).toEqual([])
    }),
    { numRuns: 300 },
  )
})

test('the way back undoes the way there, change by change', () => {
  const seen = new Set<string>()
  const told = (changes: readonly Change[], isBack: boolean) =>
    changes
      .filter(({ change }) => change !== 'renamed')
      .map(({ kind, audience, change, member, old, new: next }) => {
        seen.add(change)
        const word = isBack ? (OPPOSITES[change] ?? change) : change
        return JSON.stringify([kind, audience, word, member, isBack ? next : old, isBack ? old : next])
      })
      .sort()

  fc.assert(
    fc.property(sides, sides, ({ side: old }, { side: next }) => {
      const there = differenceSchema.parse(compareFederations(old, next))
      const back = compareFederations(next, old)

      expect(told(back.changes, true)).toEqual(told(there.changes, false))
    }),
    { numRuns: 500 },
  )

  expect([...seen]).toEqual(expect.arrayContaining([...Object.keys(OPPOSITES), 'moved', 'changed']))
})
