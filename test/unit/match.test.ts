/** The match language: exact values and one separated prefix. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Condition,
  findUnsatisfied,
  findWitness,
  isContained,
  isSatisfied,
  type Match,
  parseCondition,
} from '../../src/federation/match.ts'

const ANY = () => true

function matchOf(entries: Readonly<Record<string, string | readonly string[]>>): Match {
  const conditions = Object.entries(entries).map(([name, value]): [string, Condition] => {
    const condition = parseCondition(value)
    if (condition === undefined) throw new Error(`${name} is no condition`)
    return [name, condition]
  })
  return new Map(conditions)
}

describe('a condition', () => {
  test('is the exact values that it lists, each once', () => {
    expect(parseCondition('api')).toEqual({ kind: 'exact', values: ['api'] })
    expect(parseCondition(['api', 'web', 'api'])).toEqual({ kind: 'exact', values: ['api', 'web'] })
  })

  test.each(['prod-*', 'prod.*', 'prod_*', 'prod/*', 'a-b-*'])('is a prefix where %s ends a part of a name', (text) => {
    expect(parseCondition(text)).toEqual({ kind: 'prefix', prefix: text.slice(0, -1) })
    expect(parseCondition([text])).toEqual({ kind: 'prefix', prefix: text.slice(0, -1) })
  })

  test.each([
    '*',
    '.*',
    '-*',
    '_.-/*',
    'prod*',
    '*-prod',
    'a-*-b',
    'a-**',
    '*-*',
    'a-*b-*',
    'a:*',
    'a *',
    'a-*\n',
    'a-\n*b',
    ['a-*', 'b'],
    ['b', 'a-*'],
    ['a-*', 'b-*'],
  ])('is nothing where a star stands elsewhere: %j', (value) => {
    expect(parseCondition(value)).toBeUndefined()
  })

  test('never makes a star stand for a part of a name that goes on', () => {
    const condition = parseCondition('prod-*')

    expect(condition && isSatisfied(condition, 'production')).toBe(false)
    expect(condition && isSatisfied(condition, 'prod')).toBe(false)
    expect(condition && isSatisfied(condition, 'prod-1')).toBe(true)
  })

  test('is not satisfied by an attribute that is not there, nor in another case', () => {
    expect(isSatisfied({ kind: 'exact', values: ['api'] }, undefined)).toBe(false)
    expect(isSatisfied({ kind: 'prefix', prefix: 'a-' }, undefined)).toBe(false)
    expect(isSatisfied({ kind: 'exact', values: ['api'] }, 'API')).toBe(false)
    expect(isSatisfied({ kind: 'exact', values: ['api'] }, 'api ')).toBe(false)
  })
})

test('names the first condition that does not hold, and none where all hold', () => {
  const match = matchOf({ namespace: 'payments', account: ['api', 'web'], pod: 'p-*' })

  expect(findUnsatisfied(match, new Map([['account', 'other']]))).toBe('namespace')
  expect(
    findUnsatisfied(
      match,
      new Map([
        ['namespace', 'payments'],
        ['account', 'other'],
      ]),
    ),
  ).toBe('account')
  expect(
    findUnsatisfied(
      match,
      new Map([
        ['namespace', 'payments'],
        ['account', 'web'],
        ['pod', 'p-1'],
      ]),
    ),
  ).toBeUndefined()
})

describe('containment', () => {
  test.each([
    [{ a: 'x' }, { a: ['x', 'y'] }],
    [{ a: ['y', 'x'] }, { a: ['x', 'y'] }],
    [{ a: 'x', b: 'y' }, { a: 'x' }],
    [{ a: ['p-1', 'p-2'] }, { a: 'p-*' }],
    [{ a: 'p-q-*' }, { a: 'p-*' }],
    [{ a: 'p-*' }, { a: 'p-*' }],
    [{ a: 'x' }, {}],
  ])('holds of %j in %j', (narrow, wide) => {
    expect(isContained(matchOf(narrow), matchOf(wide))).toBe(true)
  })

  test.each([
    [{ a: ['x', 'z'] }, { a: ['x', 'y'] }],
    [{ a: 'x' }, { a: 'x', b: 'y' }],
    [{ a: ['p-1', 'q-2'] }, { a: 'p-*' }],
    [{ a: 'p-*' }, { a: 'p-q-*' }],
    [{ a: 'p-*' }, { a: ['p-1', 'p-2'] }],
    [{ b: 'x' }, { a: 'x' }],
    [{}, { a: 'x' }],
  ])('does not hold of %j in %j', (narrow, wide) => {
    expect(isContained(matchOf(narrow), matchOf(wide))).toBe(false)
  })

  test('of a binding in another means that whatever satisfies the first satisfies the second', () => {
    const value = fc.constantFrom('x', 'p-1', 'p-q-1', 'p-*', 'p-q-*')
    const match = fc.dictionary(fc.constantFrom('a', 'b'), value, { maxKeys: 2 }).map(matchOf)
    const point = fc
      .dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('x', 'p-1', 'p-2', 'p-q-1', 'p-q-2'))
      .map((entries) => new Map(Object.entries(entries)))
    const property = fc.property(match, match, point, (narrow, wide, attributes) => {
      fc.pre(isContained(narrow, wide) && findUnsatisfied(narrow, attributes) === undefined)

      expect(findUnsatisfied(wide, attributes)).toBeUndefined()
    })

    fc.assert(property, { numRuns: 2_000 })
  })
})

describe('a witness', () => {
  test('has a value for every attribute that either names', () => {
    expect(findWitness(matchOf({ a: 'x', b: ['y', 'z'] }), matchOf({ b: ['z', 'w'], c: 'v' }), ANY)).toEqual({
      a: 'x',
      b: 'z',
      c: 'v',
    })
  })

  test.each([
    [{ a: 'p-*' }, { a: 'p-q-*' }],
    [{ a: 'p-q-*' }, { a: 'p-*' }],
    [{ a: 'p-q-*' }, { b: 'x' }],
  ])('lies below the longer of the prefixes of %j and %j', (one, other) => {
    expect(findWitness(matchOf(one), matchOf(other), ANY)?.a).toMatch(/^p-q-./)
  })

  test('satisfies a prefix with one of the other’s exact values', () => {
    expect(findWitness(matchOf({ a: 'p-*' }), matchOf({ a: ['q', 'p-7'] }), ANY)).toEqual({ a: 'p-7' })
    expect(findWitness(matchOf({ a: ['q', 'p-7'] }), matchOf({ a: 'p-*' }), ANY)).toEqual({ a: 'p-7' })
  })

  test.each([
    [{ a: 'x' }, { a: 'y' }],
    [{ a: 'p-*' }, { a: 'q-*' }],
    [{ a: 'p-*' }, { a: ['q', 'p'] }],
    [
      { a: 'x', b: 'y' },
      { a: 'x', b: 'z' },
    ],
  ])('does not exist for %j and %j', (one, other) => {
    expect(findWitness(matchOf(one), matchOf(other), ANY)).toBeUndefined()
  })

  test('has values that the platform could send', () => {
    const isNumber = (_name: string, value: string) => /^[\d-]+$/.test(value)

    expect(findWitness(matchOf({ a: '1-*' }), matchOf({ a: '1-*' }), isNumber)).toEqual({ a: '1-0' })
    expect(findWitness(matchOf({ a: '1-*' }), matchOf({ a: '1-*' }), () => false)).toBeUndefined()
  })
})
