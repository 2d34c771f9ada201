/** The index of bindings, by example. That it agrees with looking at all of them is in `bindings-properties`. */

import { expect, test } from 'vitest'
import { createBindingIndex, groupByShape } from '../../src/federation/bindings.ts'
import { sortByWidth } from '../../src/federation/choose.ts'
import { bindingOf, decidingBinding } from '../support/made-bindings.ts'

const attributes = new Map([
  ['a', 'p-1'],
  ['b', 'y'],
])

test('chooses the first by name of the narrowest that match', () => {
  const index = createBindingIndex([
    bindingOf('aa', { a: 'p-*' }),
    bindingOf('c', { a: ['p-1', 'p-2'] }, 'i'),
    bindingOf('b', { a: ['p-1', 'p-3'] }, 'i'),
  ])

  expect(decidingBinding(index, 'cluster', attributes)?.name).toBe('b')
  expect(sortByWidth(index.findAll('cluster', attributes)).map(({ name }) => name)).toEqual(['b', 'c', 'aa'])
})

test('finds nothing of another issuer, and nothing where an attribute is missing or too short', () => {
  const index = createBindingIndex([bindingOf('a', { a: 'p-*', b: 'y' })])

  expect(decidingBinding(index, 'west', attributes)).toBeUndefined()
  expect(decidingBinding(index, 'cluster', new Map([['a', 'p-1']]))).toBeUndefined()
  expect(
    decidingBinding(
      index,
      'cluster',
      new Map([
        ['a', 'p'],
        ['b', 'y'],
      ]),
    ),
  ).toBeUndefined()
})

test('takes nothing for a value where an attribute is missing', () => {
  const index = createBindingIndex([bindingOf('a', { a: 'undefined' }), bindingOf('b', { b: 'p-*' })])

  expect(index.findAll('cluster', new Map())).toEqual([])
})

test('has one table for all that ask for the same attributes, in whatever order they are written', () => {
  const bindings = [
    bindingOf('a', { a: 'x', b: 'y' }),
    bindingOf('b', { b: 'z', a: 'x' }),
    bindingOf('c', { a: 'p-*' }),
  ]

  expect(groupByShape(bindings).get('cluster')).toHaveLength(2)
})

test('never runs two values together into those of another binding', () => {
  const index = createBindingIndex([bindingOf('a', { a: 'xy', b: 'z' })])

  expect(
    decidingBinding(
      index,
      'cluster',
      new Map([
        ['a', 'x'],
        ['b', 'yz'],
      ]),
    ),
  ).toBeUndefined()
})

test('knows how many bindings there are, and which are an issuer’s', () => {
  const west = { ...bindingOf('w', { a: 'x' }), trustedIssuer: 'west' }
  const index = createBindingIndex([bindingOf('a', { a: ['x', 'y'] }), west])

  expect(index.size).toBe(2)
  expect(index.bindingsOf('west')).toEqual([west])
})
