/** The overlap proof: what it says of pairs, and what it costs. That it is right is in `bindings-properties`. */

import { expect, test } from 'vitest'
import { type Binding, groupByShape } from '../../src/federation/bindings.ts'
import { findOverlaps } from '../../src/federation/overlap.ts'
import { bindingOf, type Entries } from '../support/made-bindings.ts'

function overlapsOf(bindings: readonly Binding[]): readonly string[] {
  const shapes = groupByShape(bindings).get('cluster') ?? []
  return findOverlaps(shapes).overlaps.map(
    ({ one, other, isEqual }) => `${one.name} ${isEqual ? 'equals' : 'crosses'} ${other.name}`,
  )
}

test('two bindings that match the same proofs are equal, whatever their identities and the order of their lists', () => {
  const pair = (identity: string) => [
    bindingOf('b', { a: ['x', 'y'] }, 'i'),
    bindingOf('a', { a: ['y', 'x'] }, identity),
  ]

  expect(overlapsOf(pair('i'))).toEqual(['a equals b'])
  expect(overlapsOf(pair('other'))).toEqual(['a equals b'])
})

test('a pair that overlaps in many values is told once', () => {
  const pair = [bindingOf('b', { a: ['x', 'y', 'z'] }), bindingOf('a', { a: ['x', 'y', 'w'] })]

  expect(overlapsOf(pair)).toEqual(['a crosses b'])
})

test('two bindings that cross may stand where both name one identity', () => {
  const pair = [bindingOf('b', { a: ['x', 'y'] }, 'i'), bindingOf('a', { a: ['x', 'w'] }, 'i')]

  expect(overlapsOf(pair)).toEqual([])
})

test.each<[string, Entries, Entries]>([
  ['one asks for more', { a: 'x', b: 'y' }, { a: 'x' }],
  ['one lists more', { a: 'x' }, { a: ['x', 'y'] }],
  ['one has the longer prefix', { a: 'p-q-*' }, { a: 'p-*' }],
])('a binding inside another may stand: %s', (_why, inner, outer) => {
  expect(overlapsOf([bindingOf('inner', inner), bindingOf('outer', outer)])).toEqual([])
  expect(overlapsOf([bindingOf('outer', outer), bindingOf('inner', inner)])).toEqual([])
})

test.each<[string, Entries, Entries]>([
  ['each asks for what the other leaves open', { a: 'x', b: 'y' }, { a: 'x', c: 'z' }],
  ['nothing is shared', { b: 'y' }, { c: 'z' }],
  ['each has a prefix where the other is exact', { a: 'p-*', b: 'q-1' }, { a: 'p-1', b: 'q-*' }],
  ['the wider prefix asks for more', { a: 'p-*', b: 'y' }, { a: 'p-q-*' }],
])('bindings that cross are found: %s', (_why, one, other) => {
  expect(overlapsOf([bindingOf('one', one), bindingOf('two', other)])).toEqual(['one crosses two'])
  expect(overlapsOf([bindingOf('two', other), bindingOf('one', one)])).toEqual(['one crosses two'])
})

test('bindings of different trusted issuers never meet', () => {
  const east = bindingOf('east', { a: 'x' })
  const west = { ...bindingOf('west', { a: 'x' }), trustedIssuer: 'west' }

  expect([...groupByShape([east, west]).values()].flatMap((shapes) => findOverlaps(shapes).overlaps)).toEqual([])
})

test('two templates are one identity where they read the same, and else two', () => {
  const pair = (one: string, other: string) => [
    bindingOf('b', { a: ['x', 'y'] }, one),
    bindingOf('a', { a: ['x', 'w'] }, other),
  ]

  expect(overlapsOf(pair('p/{a}', 'p/{a}'))).toEqual([])
  expect(overlapsOf(pair('p/{a}', 'p/{b}'))).toEqual(['a crosses b'])
})

test('suspended bindings and those in shadow are looked at as all others', () => {
  const one = bindingOf('b', { a: ['x', 'y'] })
  const other = bindingOf('a', { a: ['x', 'w'] })

  for (const more of [{ isShadow: true }, { isSuspended: true }]) {
    expect(overlapsOf([one, { ...other, ...more }])).toEqual(['a crosses b'])
  }
})

test('a search that ended early says so', () => {
  const crossing = Array.from({ length: 40 }, (_, number) => bindingOf(`b${number}`, { a: ['x', `y${number}`] }))
  const isComplete = (bindings: readonly Binding[]) =>
    [...groupByShape(bindings).values()].map((shapes) => findOverlaps(shapes).isComplete)

  expect(isComplete(crossing)).toEqual([false])
  expect(isComplete(crossing.slice(0, 5))).toEqual([true])
})

test('at most a hundred overlaps are told', () => {
  const crossing = Array.from({ length: 40 }, (_, number) => bindingOf(`b${number}`, { a: ['x', `y${number}`] }))

  expect(overlapsOf(crossing)).toHaveLength(100)
})
