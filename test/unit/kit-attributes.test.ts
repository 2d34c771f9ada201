/** How attributes are described, and which values of a proof become one. */

import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { collectAttributes, platformAttribute } from '../../providers/kit/attributes.ts'
import { refusalOf } from '../support/rejection.ts'

const lower = (value: string): string => value.toLowerCase()
const CATALOGUE = new Map([
  ['cloud.exact', platformAttribute('a word', (value) => /^[a-z]+$/.test(value))],
  ['cloud.any_case', platformAttribute('a word in any case', (value) => /^[a-z]+$/.test(value), { canonical: lower })],
])

describe('an attribute', () => {
  test('is the platform’s word and takes exact values, spelled in one way, unless told otherwise', () => {
    const isValue = (): boolean => true

    expect(platformAttribute('meaning', isValue)).toEqual({
      meaning: 'meaning',
      grade: 'platform',
      prefix: false,
      isValue,
    })
    expect(platformAttribute('meaning', isValue, { prefix: true, canonical: lower })).toEqual({
      meaning: 'meaning',
      grade: 'platform',
      prefix: true,
      isValue,
      canonical: lower,
    })
  })
})

describe('the attributes of a proof', () => {
  test('are those that have a value, in their order', () => {
    const attributes = collectAttributes(CATALOGUE, { 'cloud.any_case': 'b', 'cloud.exact': undefined })

    expect([...attributes]).toEqual([['cloud.any_case', 'b']])
    expect(collectAttributes(CATALOGUE, {}).size).toBe(0)
    expect([...collectAttributes(CATALOGUE, { 'cloud.any_case': 'b', 'cloud.exact': 'a' }).keys()]).toEqual([
      'cloud.any_case',
      'cloud.exact',
    ])
  })

  test('are given in the spelling in which they are compared', () => {
    expect([...collectAttributes(CATALOGUE, { 'cloud.any_case': 'WORD' })]).toEqual([['cloud.any_case', 'word']])
  })

  test.each([
    ['cloud.exact', 'WORD'],
    ['cloud.exact', ''],
    ['cloud.any_case', 'W0RD'],
    ['cloud.unknown', 'word'],
  ])('are refused where %s is %j, which the platform does not give', (name, value) => {
    expect(refusalOf(() => collectAttributes(CATALOGUE, { 'cloud.exact': 'a', [name]: value }))).toMatchObject({
      code: 'claim_invalid',
      facts: { claim: name },
    })
  })

  test('tell nothing of a value that is refused', () => {
    const error = refusalOf(() => collectAttributes(CATALOGUE, { 'cloud.exact': 'hunter2-hunter2' }))

    expect(inspect(error, { depth: null })).not.toContain('hunter2')
  })
})
