/** What a change does to identities and to what each may have. */

import { expect, test } from 'vitest'
import { brief, changesBetween } from '../support/run-change.ts'

const audiences = { ledger: { scopes: ['r', 'w', 'x'], max_lifetime_seconds: 900 }, plain: {} }

function compare(old: object, next: object) {
  return changesBetween(
    { audiences, identities: { i: { grants: {}, ...old } }, bindings: {} },
    { audiences, identities: { i: { grants: {}, ...next } }, bindings: {} },
  )
}

function scopes(old: readonly string[], next: readonly string[]): readonly string[] {
  return brief(compare({ grants: { ledger: old } }, { grants: { ledger: next } }))
}

test('a grant is widened, narrowed or changed as its scopes contain each other', () => {
  expect(scopes(['r', 'w'], ['w', 'r'])).toEqual([])
  expect(scopes(['r'], ['r', 'w'])).toEqual(['grant i ledger widened'])
  expect(scopes(['r', 'w'], ['w'])).toEqual(['grant i ledger narrowed'])
  expect(scopes(['r', 'w'], ['w', 'x'])).toEqual(['grant i ledger changed'])
})

test('a grant comes and goes by its audience, one without scopes too', () => {
  const [added] = compare({}, { grants: { plain: [] } })
  const [removed] = compare({ grants: { plain: [] } }, {})
  const tokens = { scopes: [], lifetime_seconds: 900 }

  expect(added).toMatchObject({ kind: 'grant', audience: 'plain', change: 'added', old: null, new: tokens })
  expect(removed).toMatchObject({ kind: 'grant', audience: 'plain', change: 'removed', old: tokens, new: null })
})

test('longer tokens widen every grant that they lengthen, and no other', () => {
  const grants = { plain: [], ledger: ['r'] }

  expect(brief(compare({ grants, lifetime_seconds: 900 }, { grants, lifetime_seconds: 1_800 }))).toEqual([
    'identity i widened lifetime_seconds',
    'grant i plain widened',
  ])
  expect(brief(compare({ grants, lifetime_seconds: 1_800 }, { grants, lifetime_seconds: 600 }))).toEqual([
    'identity i narrowed lifetime_seconds',
    'grant i ledger narrowed',
    'grant i plain narrowed',
  ])
})

test('a grant of more scopes for a shorter time is neither wider nor narrower', () => {
  const old = { grants: { ledger: ['r'] }, lifetime_seconds: 900 }
  const next = { grants: { ledger: ['r', 'w'] }, lifetime_seconds: 600 }

  expect(compare(old, next)).toContainEqual({
    kind: 'grant',
    name: 'i',
    audience: 'ledger',
    change: 'changed',
    member: null,
    old: { scopes: ['r'], lifetime_seconds: 900 },
    new: { scopes: ['r', 'w'], lifetime_seconds: 600 },
    fallback: null,
  })
})

test('an audience that shortens its tokens narrows the grants of those who had longer ones', () => {
  const identities = {
    long: { grants: { ledger: ['r'] }, lifetime_seconds: 900 },
    short: { grants: { ledger: ['r'] }, lifetime_seconds: 300 },
  }
  const next = { ...audiences, ledger: { ...audiences.ledger, max_lifetime_seconds: 600 } }

  expect(
    brief(changesBetween({ audiences, identities, bindings: {} }, { audiences: next, identities, bindings: {} })),
  ).toEqual(['audience ledger narrowed max_lifetime_seconds', 'grant long ledger narrowed'])
})

test('a default that is written out is no change', () => {
  expect(compare({}, { lifetime_seconds: 900, claims: {}, suspended: false })).toEqual([])
})

test('claims change one by one, whatever they are called', () => {
  const old = { claims: { team: 'a', same: { deep: [1] }, gone: null } }
  const next = { claims: { team: 'b', same: { deep: [1] }, constructor: 'c' } }

  expect(compare(old, next)).toMatchObject([
    { member: 'claims/team', old: 'a', new: 'b' },
    { member: 'claims/gone', old: null, new: null },
    { member: 'claims/constructor', old: null, new: 'c' },
  ])
})

test('an identity is suspended and resumed', () => {
  expect(brief(compare({}, { suspended: true }))).toEqual(['identity i suspended suspended'])
  expect(brief(compare({ suspended: true }, {}))).toEqual(['identity i resumed suspended'])
})

test('an identity comes and goes with its grants', () => {
  const identities = { i: { grants: { ledger: ['r'] }, claims: { team: 'a' }, suspended: true } }
  const none = { audiences, identities: {}, bindings: {} }
  const one = { audiences, identities, bindings: {} }
  const entry = { lifetime_seconds: 900, claims: { team: 'a' }, suspended: true }

  expect(brief(changesBetween(none, one))).toEqual(['identity i added', 'grant i ledger added'])
  expect(brief(changesBetween(one, none))).toEqual(['identity i removed', 'grant i ledger removed'])
  expect(changesBetween(none, one)[0]).toMatchObject({ old: null, new: entry })
})
