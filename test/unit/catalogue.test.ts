/** Catalogues of attributes: families of which every member is one, and values as their platform gives them. */

import { describe, expect, test } from 'vitest'
import { collectAttributes, createCatalogue, platformAttribute } from '../../providers/kit/attributes.ts'
import { refusalOf } from '../support/rejection.ts'

const name = platformAttribute('a name', (value) => /^[a-z]+$/.test(value), { prefix: true })
const tag = platformAttribute('a tag', (value) => value.length < 4)
const label = platformAttribute('a label', () => true)
const catalogue = createCatalogue([
  ['cloud.name', name],
  ['cloud.tags/<key>', tag],
  ['cloud.labels/<key>', label],
])

test('an attribute is the platform’s own and exact, unless it is told otherwise', () => {
  const isValue = () => true
  const canonical = (value: string) => value.toLowerCase()

  expect(platformAttribute('x', isValue)).toEqual({ meaning: 'x', grade: 'platform', prefix: false, isValue })
  expect(platformAttribute('x', isValue, { prefix: true, canonical })).toEqual({
    ...{ meaning: 'x', grade: 'platform', prefix: true, isValue, canonical },
  })
})

describe('a family', () => {
  test('stands in the list once, in its place', () => {
    expect([...catalogue]).toEqual([
      ['cloud.name', name],
      ['cloud.tags/<key>', tag],
      ['cloud.labels/<key>', label],
    ])
    expect([...catalogue.keys()]).toEqual(['cloud.name', 'cloud.tags/<key>', 'cloud.labels/<key>'])
    expect(catalogue.size).toBe(3)
  })

  test.each([
    ['cloud.tags/team', tag],
    ['cloud.tags/a/b', tag],
    ['cloud.tags/x', tag],
    ['cloud.labels/team', label],
    ['cloud.name', name],
  ])('has %s by its own name', (attribute, description) => {
    expect(catalogue.get(attribute)).toBe(description)
    expect(catalogue.has(attribute)).toBe(true)
  })

  test.each([
    'cloud.tags/',
    'cloud.tags',
    'cloud.tag/x',
    'x.cloud.tags/y',
    'cloud.name/x',
    'cloud.nam',
    '',
    '__proto__',
  ])('does not have %s', (attribute) => {
    expect(catalogue.get(attribute)).toBeUndefined()
    expect(catalogue.has(attribute)).toBe(false)
  })
})

describe('collecting', () => {
  test('gives every value that there is, under its own name', () => {
    const values = { 'cloud.name': 'api', 'cloud.tags/team': 'a', 'cloud.tags/env': '', 'cloud.labels/x': undefined }

    expect([...collectAttributes(catalogue, values)]).toEqual([
      ['cloud.name', 'api'],
      ['cloud.tags/team', 'a'],
      ['cloud.tags/env', ''],
    ])
  })

  test.each([
    ['a value that its platform does not give', { 'cloud.name': 'API' }],
    ['an empty value', { 'cloud.name': '' }],
    ['such a value in a family', { 'cloud.tags/team': 'long' }],
    ['an attribute that is not in the catalogue', { 'cloud.zone': 'a' }],
    ['a family without a name', { 'cloud.tags/': 'a' }],
  ])('refuses %s', (_, values) => {
    const [claim = ''] = Object.keys(values)

    expect(refusalOf(() => collectAttributes(catalogue, values))).toMatchObject({
      code: 'claim_invalid',
      facts: { claim },
    })
  })

  test('compares, and gives, the one spelling', () => {
    const canonical = (value: string) => value.toLowerCase()
    const spelled = createCatalogue([
      ['cloud.name', platformAttribute('a name', (value) => value === 'api', { canonical })],
    ])

    expect([...collectAttributes(spelled, { 'cloud.name': 'API' })]).toEqual([['cloud.name', 'api']])
    expect(refusalOf(() => collectAttributes(spelled, { 'cloud.name': 'APIS' })).code).toBe('claim_invalid')
  })
})
