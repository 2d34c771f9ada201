/** Which audience a request means, however it is spelled. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nameTarget } from '../../src/policy/target.ts'
import { BROKER } from '../support/document.ts'

const LONG = `${BROKER}/audiences/`
const NONE = () => false

test('every name may be written after the issuer, percent-encoded', () => {
  const property = fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
    expect(nameTarget(LONG + encodeURIComponent(name), BROKER, NONE)).toBe(name)
  })

  fc.assert(property, { numRuns: 500 })
})

test.each(['ledger', 'https://orders.example', 'api://x', '', 'https://broker.example', `${BROKER}/audience/ledger`])(
  'whatever does not begin like that is a name as it stands: %j',
  (target) => {
    expect(nameTarget(target, BROKER, NONE)).toBe(target)
  },
)

test.each([
  'https://broker.example.evil.example/audiences/ledger',
  'https://BROKER.example/audiences/ledger',
  'http://broker.example/audiences/ledger',
  ' https://broker.example/audiences/ledger',
])('the long form of another issuer is no name of ours: %s', (target) => {
  expect(nameTarget(target, BROKER, NONE)).toBe(target)
})

test('a name that the document declares as it stands is that audience, though it looks like the long form', () => {
  const target = `${LONG}ledger`

  expect(nameTarget(target, BROKER, (name) => name === target)).toBe(target)
  expect(nameTarget(target, BROKER, (name) => name === 'ledger')).toBe('ledger')
})

test('a long form that cannot be decoded is no name of ours, and no accident', () => {
  expect(nameTarget(`${LONG}%`, BROKER, NONE)).toBe(`${LONG}%`)
  expect(nameTarget(`${LONG}%ff`, BROKER, NONE)).toBe(`${LONG}%ff`)
})

test('the long form is decoded once', () => {
  expect(nameTarget(`${LONG}%256c`, BROKER, NONE)).toBe('%6c')
})
