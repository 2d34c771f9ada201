/** Our tokens, and the keys that they are published with. What stock libraries make of them is in `stock-verifiers.test.ts`. */

import { calculateJwkThumbprint, createRemoteJWKSet, decodeProtectedHeader, type JWK, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectIssued } from '../support/answers.ts'
import type { TestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { documentFor } from '../support/document.ts'
import { openScene, type Scene } from '../support/scene.ts'

/** Stock verifiers look at the real clock. */
const clock = createTestClock(Math.floor(Date.now() / 1_000))
const GRANTS = { ledger: ['entries:read'], 'https://orders.example': [], legacy: [] }
const AUDIENCES = {
  ledger: { scopes: ['entries:read', 'entries:write'] },
  'https://orders.example': {},
  legacy: { signing_alg: 'RS256', token_type: 'JWT' },
}
const IDENTITIES = { 'payments/api': { grants: GRANTS, lifetime_seconds: 600, claims: { team: 'payments' } } }

let scene: Scene
let broker: TestBroker
let jwks: URL

beforeAll(async () => {
  scene = await openScene({
    broker: { clock },
    document: (cluster) => documentFor(cluster.issuer, { audiences: AUDIENCES, identities: IDENTITIES }),
  })
  broker = scene.broker
  jwks = new URL(`${broker.origin}/.well-known/jwks.json`)
})
afterAll(() => scene.close())

async function tokenFor(audience: string): Promise<string> {
  return expectIssued(broker, await broker.exchange(await scene.proof(), { audience })).token
}

test('have the header and the claims of RFC 9068, our own, and nothing else', async () => {
  const token = await tokenFor('ledger')
  const { payload, protectedHeader } = await jwtVerify(token, createRemoteJWKSet(jwks))

  expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) })
  expect(payload).toEqual({
    iss: broker.issuer,
    sub: 'spiffe://corp.example/payments/api',
    aud: 'ledger',
    client_id: 'payments/api',
    iat: clock.now(),
    exp: clock.now() + 600,
    jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    scope: 'entries:read',
    team: 'payments',
    proof: {
      provider: 'kubernetes',
      trusted_issuer: 'cluster',
      subject: 'system:serviceaccount:payments:api',
      instance: 'api-1',
      binding: 'payments-api',
      document: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      single_use: false,
      live: false,
    },
  })
})

test('have no scope where the audience has none, and another algorithm and typ where it says so', async () => {
  const { payload } = await jwtVerify(await tokenFor('https://orders.example'), createRemoteJWKSet(jwks))

  expect(payload).not.toHaveProperty('scope')
  expect(decodeProtectedHeader(await tokenFor('legacy'))).toMatchObject({ alg: 'RS256', typ: 'JWT' })
})

test('are never the same twice', async () => {
  const proof = await scene.proof()
  const tokens = await Promise.all([1, 2].map(async () => expectIssued(broker, await broker.exchange(proof)).record))

  expect(tokens[0]?.token_id).not.toBe(tokens[1]?.token_id)
})

test('are signed by keys that are published with their thumbprint for an id, public members alone', async () => {
  const { keys } = (await broker.send('/.well-known/jwks.json')).json as unknown as { keys: JWK[] }

  // One of each algorithm that signs, and one that will: it is public long before it does.
  expect(keys.map(({ alg, use }) => `${alg} ${use}`).sort()).toEqual([
    ...['ES256 sig', 'ES256 sig'],
    ...['RS256 sig', 'RS256 sig'],
  ])
  for (const key of keys) {
    const members = key.kty === 'EC' ? ['kty', 'crv', 'x', 'y'] : ['kty', 'n', 'e']
    expect(Object.keys(key)).toEqual([...members, 'kid', 'alg', 'use'])
    expect(key.kid).toBe(await calculateJwkThumbprint(key))
  }
})
