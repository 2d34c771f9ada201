/** Which binding decides: suspension never lets a wider one win, and shadow changes nothing. */

import { describe, expect, test } from 'vitest'
import type { Binding } from '../../src/federation/bindings.ts'
import { choose, sortByWidth } from '../../src/federation/choose.ts'
import { bindingOf } from '../support/made-bindings.ts'

const wide = bindingOf('wide', { a: 'p-*' })
const middle = bindingOf('middle', { a: ['p-1', 'p-2'] })
const narrow = bindingOf('narrow', { a: 'p-1' })

function suspended(binding: Binding): Binding {
  return { ...binding, isSuspended: true }
}

function inShadow(binding: Binding): Binding {
  return { ...binding, isShadow: true }
}

/** Tells who decides, with a star where that is suspended: in force, and with those in shadow. */
function told(...matches: readonly Binding[]): readonly (string | undefined)[] {
  const { live, shadow } = choose(matches)
  return [live, shadow].map((choice) => choice && `${choice.binding.name}${choice.isSuspended ? '*' : ''}`)
}

test('nobody decides where nothing matches', () => {
  expect(told()).toEqual([undefined, undefined])
})

test('the narrowest decides, in whatever order they come', () => {
  expect(told(wide, middle, narrow)).toEqual(['narrow', undefined])
  expect(told(narrow, wide, middle)).toEqual(['narrow', undefined])
})

describe('of several that are as narrow', () => {
  const one = bindingOf('one', { a: ['p-1', 'p-3'] }, 'i')
  const two = bindingOf('two', { a: ['p-1', 'p-4'] }, 'i')

  test('the first by name is recorded, and all are given', () => {
    expect(told(two, one)).toEqual(['one', undefined])
    expect(choose([wide, two, one]).live?.smallest).toEqual([two, one])
  })

  test('one that is suspended suspends all, whichever is recorded', () => {
    expect(told(suspended(one), two)).toEqual(['one*', undefined])
    expect(told(one, suspended(two))).toEqual(['one*', undefined])
  })

  test('one in shadow is what would be recorded, by its own name', () => {
    expect(told(one, inShadow(two))).toEqual(['one', 'two'])
    expect(told(inShadow(one), two)).toEqual(['two', 'one'])
  })

  test('one in shadow does not suspend the other, and the other would suspend it', () => {
    expect(told(one, inShadow(suspended(two)))).toEqual(['one', 'two*'])
    expect(told(suspended(one), inShadow(two))).toEqual(['one*', 'two*'])
  })
})

describe('a suspended binding', () => {
  test('still decides, and no wider one takes its place', () => {
    expect(told(wide, middle, suspended(narrow))).toEqual(['narrow*', undefined])
  })

  test('that is not the narrowest suspends nothing', () => {
    expect(told(suspended(wide), narrow)).toEqual(['narrow', undefined])
  })
})

describe('a binding in shadow', () => {
  test('decides nothing, narrow or wide', () => {
    expect(told(wide, inShadow(narrow))).toEqual(['wide', 'narrow'])
    expect(told(inShadow(wide), narrow)).toEqual(['narrow', undefined])
    expect(told(inShadow(narrow))).toEqual([undefined, 'narrow'])
  })

  test('that is suspended, too, suspends nothing that is in force', () => {
    expect(told(wide, inShadow(suspended(narrow)))).toEqual(['wide', 'narrow*'])
  })

  test('of several the narrowest would decide', () => {
    expect(told(inShadow(middle), inShadow(narrow), wide)).toEqual(['wide', 'narrow'])
  })
})

test('bindings are sorted narrowest first, and by name where neither is the narrower', () => {
  const other = bindingOf('a-other', { b: 'x' })

  expect(sortByWidth([wide, narrow, other, middle]).map(({ name }) => name)).toEqual([
    'a-other',
    'narrow',
    'middle',
    'wide',
  ])
})
