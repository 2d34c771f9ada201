/** Identity names made of a proof's attributes: whole segments, or no name. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attributesOfTemplate, expand, fixedSegments, isTemplate } from '../../src/federation/template.ts'

const NAMESPACE = 'kubernetes.namespace'

function made(template: string, attributes: Readonly<Record<string, string>>): string | undefined {
  const expansion = expand(template, new Map(Object.entries(attributes)))
  return expansion.isMade ? expansion.name : undefined
}

function fault(template: string, attributes: Readonly<Record<string, string>>) {
  const expansion = expand(template, new Map(Object.entries(attributes)))
  return expansion.isMade ? undefined : expansion.fault
}

test.each([
  ['payments/api', 'payments/api'],
  ['preview/{a}', 'preview/x-1'],
  ['{a}', 'x-1'],
  ['{a}/web/{b}', 'x-1/web/y.z_0'],
  ['preview/{a}/{a}', 'preview/x-1/x-1'],
])('%s makes %s', (template, name) => {
  expect(made(template, { a: 'x-1', b: 'y.z_0' })).toBe(name)
})

describe('makes no name, and says of what,', () => {
  test.each([
    ['empty', ''],
    ['the folder above', '..'],
    ['the folder itself', '.'],
    ['a path', '../admin'],
    ['two segments', 'a/b'],
    ['a colon', 'a:b'],
    ['a template', '{a}'],
    ['a brace', '{'],
    ['upper case', 'Payments'],
    ['a hyphen first', '-a'],
    ['an end of line', 'a\n'],
    ['a space', 'a b'],
    ['an escaped slash', 'a%2fb'],
    ['another letter', 'é'],
    ['64 characters', 'a'.repeat(64)],
    ['1 KiB', 'a'.repeat(1_024)],
  ])('%s', (_what, value) => {
    expect(fault('preview/{a}', { a: value })).toEqual({ attribute: 'a', found: value, why: 'no_segment' })
  })

  test('of an attribute that the proof does not have', () => {
    expect(fault('preview/{a}/{b}', { a: 'x' })).toEqual({ attribute: 'b', found: null, why: 'missing' })
  })

  test('of more than 255 characters, and takes one fewer', () => {
    const template = `${'a'.repeat(63)}/{a}/{a}/{b}`
    const a = 'b'.repeat(63)

    expect(made(template, { a, b: 'c'.repeat(63) })).toHaveLength(255)
    expect(fault(`x/${template}`, { a, b: 'c'.repeat(62) })).toMatchObject({ attribute: 'b', why: 'too_long' })
  })
})

test('whatever the values are, the name has the template’s segments and keeps those that are fixed, or there is none', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.string({ unit: fc.constantFrom('a', '0', '.', '-', '_', '/', '{', '}', 'A'), maxLength: 70 }),
    fc.string({ unit: fc.constantFrom('a', '0', 'b', 'c', '-'), minLength: 1, maxLength: 66 }),
  )
  const seen = { made: 0, refused: 0 }
  const property = fc.property(value, value, (a, b) => {
    const name = made('preview/{a}/web/{b}', { a, b })
    seen[name === undefined ? 'refused' : 'made']++
    if (name === undefined) return

    expect(name).toMatch(/^[a-z0-9][a-z0-9._-]{0,62}(\/[a-z0-9][a-z0-9._-]{0,62})*$/)
    expect(name.split('/')).toEqual(['preview', a, 'web', b])
    expect(name.length).toBeLessThan(256)
  })

  fc.assert(property, { numRuns: 5_000 })
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(100)
})

test('two different lists of values never make one name', () => {
  const segment = fc.string({ unit: fc.constantFrom('a', 'b', '.', '-'), minLength: 1, maxLength: 3 })
  const property = fc.property(segment, segment, segment, segment, (a, b, c, d) => {
    fc.pre(a !== c || b !== d)
    const names = [made('{a}/{b}', { a, b }), made('{a}/{b}', { a: c, b: d })]

    expect(names[0] === undefined || names[0] !== names[1]).toBe(true)
  })

  fc.assert(property, { numRuns: 2_000 })
})

test('a template is told from a name, with what it takes and what stands before', () => {
  expect(['a/b', 'a/{b}'].map(isTemplate)).toEqual([false, true])
  expect(attributesOfTemplate(`a/{${NAMESPACE}}/b/{aws.principal_tags/team}`)).toEqual([
    NAMESPACE,
    'aws.principal_tags/team',
  ])
  expect(attributesOfTemplate('a/b')).toEqual([])
  expect(['a/b/{c}/d', '{c}/d', 'a/b'].map(fixedSegments)).toEqual([['a', 'b'], [], ['a', 'b']])
})
