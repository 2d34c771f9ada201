/** What is told of the keys: every step, whoever took it. */

import { expect, test } from 'vitest'
import type { KeyListing } from '../../src/tokens/key-source.ts'
import { eventsBetween, KEY_EVENTS } from '../../src/tokens/ring-events.ts'
import { nextSteps, rulesFor } from '../../src/tokens/rotation.ts'
import { type MadeKey, makeSigningKey } from '../support/made-keys.ts'

const NOW = 1_768_478_400
const ec = await makeSigningKey('ES256')
const next = await makeSigningKey('ES256', { state: 'next' })
const rsa = await makeSigningKey('RS256')

/** Keys came into their state a moment ago. */
function listingOf(...keys: readonly MadeKey[]): KeyListing {
  const steps = nextSteps(keys, rulesFor(2_592_000), { now: NOW, uptime: 0 })
  return { keys, steps, turns: [], troubles: [] }
}

function told(before: KeyListing, after: KeyListing, now = NOW + 2): readonly string[] {
  const names = new Map([ec, next, rsa].map(({ keyId }, index) => [keyId, ['ec', 'next', 'rsa'][index]]))
  return eventsBetween(before, after, now).map(
    ({ kind, algorithm, keyId }) => `${algorithm} ${names.get(keyId)} ${kind}`,
  )
}

test('nothing happened to keys that stay as they are', () => {
  expect(told(listingOf(ec, next, rsa), listingOf(rsa, { ...ec, since: NOW }, next))).toEqual([])
})

test('a key came, and does not sign yet', () => {
  expect(told(listingOf(ec, rsa), listingOf(ec, rsa, next))).toEqual(['ES256 next published'])
})

test('a rotation is two things that happened', () => {
  const rotated = listingOf({ ...ec, state: 'retired' }, { ...next, state: 'current' }, rsa)

  expect(told(listingOf(ec, next, rsa), rotated)).toEqual(['ES256 ec retired', 'ES256 next promoted'])
})

test('a retired key that went when its time had come was dropped, and before that revoked', () => {
  const before = listingOf({ ...ec, state: 'retired' }, { ...next, state: 'current' }, rsa)
  const after = listingOf({ ...next, state: 'current' }, rsa)
  const [drop] = before.steps.filter(({ kind }) => kind === 'drop')

  expect(told(before, after, drop?.at)).toEqual(['ES256 ec dropped'])
  expect(told(before, after, (drop?.at ?? 0) - 61)).toEqual(['ES256 ec revoked'])
})

test('a key that signed and is gone was revoked, and its successor promoted', () => {
  expect(told(listingOf(ec, next, rsa), listingOf({ ...next, state: 'current' }, rsa))).toEqual([
    'ES256 next promoted',
    'ES256 ec revoked',
  ])
  expect(told(listingOf(ec, next, rsa), listingOf(ec, rsa))).toEqual(['ES256 next revoked'])
})

test('each kind is one of the list', () => {
  expect([...KEY_EVENTS].sort()).toEqual(['dropped', 'promoted', 'published', 'retired', 'revoked'])
})
