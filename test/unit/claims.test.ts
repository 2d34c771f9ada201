/** What a token says: who, for whom, for how long, and what stands behind it. */

import { expect, test } from 'vitest'
import type { IdentityEntry } from '../../src/federation/document.ts'
import { toIdentity } from '../../src/federation/identity.ts'
import type { Grant } from '../../src/policy/decide.ts'
import { claimsOf, type TokenFacts } from '../../src/tokens/claims.ts'
import { BROKER } from '../support/document.ts'
import { federationFor, identityOf, proofOf } from '../support/federation-parts.ts'
import { bindingOf } from '../support/made-bindings.ts'

const NOW = 1_768_478_400
const GRANT: Grant = {
  audience: 'ledger',
  scopes: ['entries:read', 'entries:write'],
  lifetimeSeconds: 600,
  signingAlgorithm: 'ES256',
  tokenType: 'at+jwt',
}

function factsWith(parts: Partial<TokenFacts> = {}): TokenFacts {
  return {
    brokerIssuer: BROKER,
    federation: federationFor(),
    identity: toIdentity(identityOf()),
    identityName: 'payments/api',
    binding: bindingOf('payments-api', {}, 'payments/api'),
    proof: proofOf(NOW),
    grant: GRANT,
    now: NOW,
    ...parts,
  }
}

test('are exactly these', () => {
  const facts = factsWith({ identity: toIdentity(identityOf({ claims: { team: 'payments', tier: [1, null] } })) })

  expect(claimsOf(facts)).toEqual({
    team: 'payments',
    tier: [1, null],
    iss: BROKER,
    sub: 'spiffe://corp.example/payments/api',
    aud: 'ledger',
    client_id: 'payments/api',
    iat: NOW,
    exp: NOW + 600,
    jti: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    scope: 'entries:read entries:write',
    proof: {
      provider: 'kubernetes',
      trusted_issuer: 'cluster',
      subject: 'system:serviceaccount:payments:api',
      instance: 'api-1',
      binding: 'payments-api',
      document: facts.federation.digest,
      single_use: false,
      live: false,
    },
  })
})

test('have another jti in every token', () => {
  const ids = Array.from({ length: 100 }, () => claimsOf(factsWith()).jti)

  expect(new Set(ids).size).toBe(100)
})

test('leave out the scope where none was granted, and the instance where the platform names none', () => {
  const claims = claimsOf(
    factsWith({ grant: { ...GRANT, scopes: undefined }, proof: proofOf(NOW, { instance: undefined }) }),
  )

  expect(Object.keys(claims)).not.toContain('scope')
  expect(Object.keys(claims.proof)).not.toContain('instance')
})

test('say whether the proof could come again, and whether its subject was checked online', () => {
  const proof = proofOf(NOW, { live: true, replay: { key: 'k', singleUse: true } })

  expect(claimsOf(factsWith({ proof })).proof).toMatchObject({ single_use: true, live: true })
})

test('never have a time before which they are not valid, as a slow clock would refuse them', () => {
  expect(Object.keys(claimsOf(factsWith()))).not.toContain('nbf')
})

test('of an identity never take the place of ours, though a document had let them', () => {
  const names = ['iss', 'sub', 'aud', 'client_id', 'iat', 'exp', 'jti', 'scope', 'proof']
  const claims: IdentityEntry['claims'] = Object.fromEntries(names.map((name) => [name, 'forged']))

  const made = claimsOf(factsWith({ identity: toIdentity(identityOf({ claims })) }))

  expect(Object.values(made)).not.toContain('forged')
})
