/** What an identity is given: never more than it has, never for longer than anything allows. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AudienceEntry, IdentityEntry } from '../../src/federation/document.ts'
import { toAudience, toIdentity } from '../../src/federation/identity.ts'
import { decide, type Grant, type Verdict, type Wish } from '../../src/policy/decide.ts'
import { identityOf, proofOf } from '../support/federation-parts.ts'

const NOW = 1_768_478_400
const AUDIENCES: ReadonlyMap<string, AudienceEntry> = new Map<string, AudienceEntry>([
  ['ledger', { scopes: ['r', 'w', 'x'], max_lifetime_seconds: 3_600 }],
  ['orders', {}],
])

interface Case {
  readonly identity: IdentityEntry
  readonly wish: Wish
  readonly audiences: ReadonlyMap<string, AudienceEntry>
  readonly expiresAt: number
  readonly singleUse: boolean
}

/** Decides for an identity with `r` and `w` at the ledger, unless told otherwise. */
function decideOn(parts: Partial<Case> = {}): Verdict {
  const { identity, wish, audiences, expiresAt, singleUse } = {
    identity: identityOf({ grants: { ledger: ['r', 'w'] }, lifetime_seconds: 3_600 }),
    wish: { target: 'ledger', scopes: undefined },
    audiences: AUDIENCES,
    expiresAt: NOW + 3_600,
    singleUse: false,
    ...parts,
  }
  const proof = proofOf(NOW, { expiresAt, replay: { key: 'k', singleUse } })
  const described = new Map([...audiences].map(([name, entry]) => [name, toAudience(entry)]))
  return decide(toIdentity(identity), described, wish, proof, NOW)
}

function grantOf(verdict: Verdict): Grant | string {
  return verdict.allowed ? verdict.grant : verdict.why
}

describe('the target', () => {
  const both = identityOf({ grants: { ledger: ['r'], orders: [] } })

  test('may be left out by an identity that has only one', () => {
    expect(grantOf(decideOn({ wish: { target: undefined, scopes: undefined } }))).toMatchObject({ audience: 'ledger' })
  })

  test.each([
    ['several', both],
    ['none', identityOf({ grants: {} })],
  ])('may not be left out by an identity that has %s', (_many, identity) => {
    expect(grantOf(decideOn({ identity, wish: { target: undefined, scopes: undefined } }))).toBe('target_missing')
  })

  test.each(['orders', 'nobody', '', 'LEDGER', 'constructor', 'toString', '__proto__'])(
    'that the identity has no grant for is refused: %j',
    (target) => {
      expect(grantOf(decideOn({ wish: { target, scopes: undefined } }))).toBe('target_refused')
    },
  )

  test('that the document does not declare is refused, whatever the identity has', () => {
    expect(grantOf(decideOn({ audiences: new Map() }))).toBe('target_refused')
    expect(grantOf(decideOn({ audiences: new Map(), wish: { target: undefined, scopes: undefined } }))).toBe(
      'target_refused',
    )
  })
})

describe('the scopes', () => {
  const scopesOf = (wished: readonly string[] | undefined, granted: readonly string[] = ['r', 'w']) => {
    const verdict = decideOn({
      identity: identityOf({ grants: { ledger: [...granted] } }),
      wish: { target: 'ledger', scopes: wished },
    })
    return verdict.allowed ? verdict.grant.scopes : verdict.why
  }

  test('are all that the identity has there, where none was asked for', () => {
    expect(scopesOf(undefined)).toEqual(['r', 'w'])
  })

  test('are those that were asked for, where the identity has every one', () => {
    expect(scopesOf(['w'])).toEqual(['w'])
    expect(scopesOf(['w', 'r'])).toEqual(['w', 'r'])
  })

  test.each([[['x']], [['r', 'x']], [['x', 'r']], [['R']], [['r w']], [['']]])(
    'are refused as a whole where the identity lacks one: %j',
    (wished) => {
      expect(scopesOf(wished)).toBe('scope_refused')
    },
  )

  test('are not there where the identity has none, and none may then be asked for', () => {
    expect(scopesOf(undefined, [])).toBeUndefined()
    expect(scopesOf(['r'], [])).toBe('scope_refused')
  })

  test('are not there where none was granted, rather than an empty list', () => {
    expect(scopesOf([])).toBeUndefined()
  })
})

describe('the lifetime', () => {
  const secondsOf = (own: number | undefined, cap: number | undefined, left: number, singleUse = false) => {
    const lifetime = own === undefined ? {} : { lifetime_seconds: own }
    const limit = cap === undefined ? {} : { max_lifetime_seconds: cap }
    const verdict = decideOn({
      identity: identityOf({ grants: { orders: [] }, ...lifetime }),
      audiences: new Map([['orders', limit]]),
      wish: { target: 'orders', scopes: undefined },
      expiresAt: NOW + left,
      singleUse,
    })
    return verdict.allowed ? verdict.grant.lifetimeSeconds : verdict.why
  }

  test.each([
    ['the identity’s', 600, 900, 1_000, 600],
    ['the audience’s', 900, 600, 1_000, 600],
    ['what a reusable proof has left', 900, 800, 601, 601],
    ['900 s by default', undefined, undefined, 3_600, 900],
    ['an hour at the most', 3_600, undefined, 86_400, 3_600],
  ])('is the shortest: %s', (_which, own, cap, left, expected) => {
    expect(secondsOf(own, cap, left)).toBe(expected)
  })

  test('is not bound to a proof that may be used once, and cannot come again', () => {
    expect(secondsOf(3_600, undefined, 10, true)).toBe(3_600)
  })

  test('of nothing, or less, is no token', () => {
    expect(secondsOf(900, 900, 1)).toBe(1)
    expect(secondsOf(900, 900, 0)).toBe('proof_expired')
    expect(secondsOf(900, 900, -60)).toBe('proof_expired')
  })
})

test.each([
  [{}, 'ES256', 'at+jwt'],
  [{ signing_alg: 'RS256' }, 'RS256', 'at+jwt'],
  [{ token_type: 'JWT' }, 'ES256', 'JWT'],
] as const)('an audience with %j gets its tokens by %s as %s', (audience, signingAlgorithm, tokenType) => {
  const verdict = decideOn({
    identity: identityOf({ grants: { orders: [] } }),
    audiences: new Map([['orders', audience]]),
    wish: { target: 'orders', scopes: undefined },
  })

  expect(grantOf(verdict)).toMatchObject({ signingAlgorithm, tokenType })
})

test('whatever is asked for, nothing is granted that the identity lacks, nor for longer than any limit', () => {
  const name = fc.constantFrom('a', 'b', 'constructor')
  const scopes = fc.uniqueArray(fc.constantFrom('r', 'w', 'x'), { maxLength: 3 })
  const seconds = fc.option(fc.integer({ min: 1, max: 3_600 }), { nil: undefined })
  const cases = fc.record({
    grants: fc.dictionary(name, scopes),
    own: seconds,
    declared: fc.dictionary(name, seconds),
    wish: fc.record({
      target: fc.option(name, { nil: undefined }),
      scopes: fc.option(scopes, { nil: undefined }),
    }),
    left: fc.integer({ min: -100, max: 4_000 }),
    singleUse: fc.boolean(),
  })
  const property = fc.property(cases, ({ grants, own, declared, wish, left, singleUse }) => {
    const caps = new Map(Object.entries(declared))
    const audiences = new Map(
      [...caps].map(([at, cap]) => [at, cap === undefined ? {} : { max_lifetime_seconds: cap }]),
    )
    const identity = identityOf({ grants, ...(own === undefined ? {} : { lifetime_seconds: own }) })

    const verdict = decideOn({ identity, audiences, wish, expiresAt: NOW + left, singleUse })

    fc.pre(verdict.allowed)
    const { audience, scopes: granted = [], lifetimeSeconds } = verdict.grant
    expect(Object.hasOwn(grants, audience) && caps.has(audience)).toBe(true)
    expect(wish.target ?? audience).toBe(audience)
    expect(grants[audience]).toEqual(expect.arrayContaining([...granted]))
    expect(wish.scopes ?? grants[audience]).toEqual([...granted])
    expect(lifetimeSeconds).toBeGreaterThan(0)
    expect(lifetimeSeconds).toBeLessThanOrEqual(own ?? 900)
    expect(lifetimeSeconds).toBeLessThanOrEqual(caps.get(audience) ?? 3_600)
    expect(singleUse || lifetimeSeconds <= left).toBe(true)
  })

  fc.assert(property, { numRuns: 1_000 })
})
