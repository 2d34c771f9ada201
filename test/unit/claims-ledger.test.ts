/** Claims handed out one by one: each has the right form, and none is overlooked. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../providers/contract/strict-json.ts'
import { createClaimsLedger } from '../../providers/kit/claims.ts'
import { refusalOf } from '../support/rejection.ts'

const NOT_TEXT: readonly unknown[] = ['', null, 0, 1, true, [], ['x'], {}, 'x'.repeat(2_049)]
const NOT_WHOLE: readonly unknown[] = ['1', null, true, [1], {}, 1.5, -1, 2 ** 53, 1e300, Number.POSITIVE_INFINITY]
const NOT_OBJECTS: readonly unknown[] = [null, [], '{}', 1, true]

describe('a claim that is text', () => {
  test('is given as it is', () => {
    const claims = createClaimsLedger({ sub: 'x', long: 'x'.repeat(2_048) })

    expect(claims.requireString('sub')).toBe('x')
    expect(claims.optionalString('sub')).toBe('x')
    expect(claims.requireString('long')).toHaveLength(2_048)
  })

  test.each(NOT_TEXT)('is refused where it is %j', (sub) => {
    const claims = createClaimsLedger({ sub })

    expect(refusalOf(() => claims.requireString('sub'))).toMatchObject({
      code: 'claim_invalid',
      facts: { claim: 'sub' },
    })
    expect(refusalOf(() => claims.optionalString('sub')).code).toBe('claim_invalid')
  })
})

describe('a claim that is a whole number', () => {
  test.each([0, 1, 1_768_478_400, Number.MAX_SAFE_INTEGER])('is given where it is %d', (exp) => {
    const claims = createClaimsLedger({ exp })

    expect(claims.requireInteger('exp')).toBe(exp)
    expect(claims.optionalInteger('exp')).toBe(exp)
  })

  test.each(NOT_WHOLE)('is refused where it is %j', (exp) => {
    const claims = createClaimsLedger({ exp })

    expect(refusalOf(() => claims.requireInteger('exp'))).toMatchObject({
      code: 'claim_invalid',
      facts: { claim: 'exp' },
    })
    expect(refusalOf(() => claims.optionalInteger('exp')).code).toBe('claim_invalid')
  })
})

describe('a claim that is an object', () => {
  test('has a ledger of its own, which names the whole path', () => {
    const claims = createClaimsLedger({ outer: { inner: { name: 'x', bad: 1, number: 'x' } } })
    const inner = claims.requireObject('outer').requireObject('inner')

    expect(inner.requireString('name')).toBe('x')
    expect(refusalOf(() => inner.requireString('bad')).facts).toEqual({ claim: 'outer.inner.bad' })
    expect(refusalOf(() => inner.requireInteger('number')).facts).toEqual({ claim: 'outer.inner.number' })
    expect(refusalOf(() => inner.requireString('none')).facts).toEqual({ claim: 'outer.inner.none' })
    expect(refusalOf(() => inner.forbid('bad'))).toMatchObject({ facts: { claim: 'outer.inner.bad' } })
    expect(claims.optionalObject('outer')?.optionalObject('inner')?.optionalString('name')).toBe('x')
  })

  test.each(NOT_OBJECTS)('is refused where it is %j', (value) => {
    const claims = createClaimsLedger({ pod: value })

    expect(refusalOf(() => claims.requireObject('pod'))).toMatchObject({
      code: 'claim_invalid',
      facts: { claim: 'pod' },
    })
    expect(refusalOf(() => claims.optionalObject('pod')).code).toBe('claim_invalid')
  })
})

describe('a claim that is not there', () => {
  test('is missing where it is required, and nothing where it is not', () => {
    const claims = createClaimsLedger({})

    for (const act of [claims.requireString, claims.requireInteger, claims.requireObject]) {
      expect(refusalOf(() => act('sub'))).toMatchObject({ code: 'claim_missing', facts: { claim: 'sub' } })
    }
    expect(claims.optionalString('sub')).toBeUndefined()
    expect(claims.optionalInteger('sub')).toBeUndefined()
    expect(claims.optionalObject('sub')).toBeUndefined()
    expect(claims.take('sub')).toBeUndefined()
  })

  test('does not exist where it is inherited', () => {
    const inheriting: JsonObject = Object.create({ sub: 'x', exp: 1, pod: {} }) as JsonObject
    const claims = createClaimsLedger(inheriting)

    expect(refusalOf(() => claims.requireString('sub')).code).toBe('claim_missing')
    expect(refusalOf(() => claims.requireInteger('exp')).code).toBe('claim_missing')
    expect(refusalOf(() => claims.requireObject('pod')).code).toBe('claim_missing')
    expect(() => claims.forbid('sub', 'toString', '__proto__')).not.toThrow()
    expect(claims.take('constructor')).toBeUndefined()
  })
})

describe('a claim that marks a token of another kind', () => {
  test.each([null, false, 0, '', 'x', [], {}])('is refused where it is %j', (nonce) => {
    const claims = createClaimsLedger({ nonce })

    expect(refusalOf(() => claims.forbid('at_hash', 'nonce'))).toMatchObject({
      code: 'claim_forbidden',
      facts: { claim: 'nonce' },
    })
  })

  test('is no trouble where it is not there', () => {
    expect(() => createClaimsLedger({ sub: 'x' }).forbid('nonce', 'at_hash')).not.toThrow()
  })
})

describe('accounting', () => {
  test('counts the claims that nobody asked for, nested ones too', () => {
    const claims = createClaimsLedger({ a: 'x', b: 1, c: 2, d: 3, e: { f: 'x', g: 1, h: { i: 1, j: 1 } }, k: {} })
    expect(claims.unknown()).toBe(6)

    claims.requireString('a')
    claims.requireInteger('b')
    claims.ignore('c', 'never there')
    const nested = claims.requireObject('e')
    expect(claims.unknown()).toBe(2 + 3)
    nested.optionalString('f')
    nested.requireObject('h').take('i')

    expect(claims.unknown()).toBe(2 + 1 + 1)
  })

  test('a claim that was looked for and refused is accounted for, as is one that is forbidden', () => {
    const claims = createClaimsLedger({ sub: 1, nonce: 'x', other: 1 })

    refusalOf(() => claims.requireString('sub'))
    refusalOf(() => claims.forbid('nonce'))

    expect(claims.unknown()).toBe(1)
  })

  test('counts every claim once, whatever was asked for', () => {
    const names = fc.constantFrom('a', 'b', 'c', 'd', 'toString', '__proto__')
    const property = fc.property(
      fc.dictionary(names, fc.integer()),
      fc.array(names, { maxLength: 6 }),
      (members, asked) => {
        const claims = createClaimsLedger(members)
        for (const name of asked) claims.take(name)

        const left = Object.keys(members).filter((name) => !asked.some((other) => other === name))
        expect(claims.unknown()).toBe(left.length)
      },
    )

    fc.assert(property, { numRuns: 300 })
  })
})
