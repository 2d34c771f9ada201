/** Our tokens, as stock verifiers see them. */

import { JwtVerifier } from 'aws-jwt-verify'
import { calculateJwkThumbprint, createRemoteJWKSet, decodeProtectedHeader, type JWK, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyWithJose, verifyWithJsonwebtoken } from '../demo/verify.ts'
import { expectIssued } from '../support/answers.ts'
import { startTestBroker, type TestBroker } from '../support/broker.ts'
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

describe('verify with', () => {
  test.each(['ledger', 'https://orders.example'])('jose, for %s', async (audience) => {
    const stock = await startStock()

    await expect(verifyWithJose(await stock.token(audience), stock.issuer, audience)).resolves.toMatchObject({
      aud: audience,
    })

    await stock.close()
  })

  test.each(['ledger', 'legacy'])('jsonwebtoken and jwks-rsa, for %s', async (audience) => {
    const stock = await startStock()

    await expect(verifyWithJsonwebtoken(await stock.token(audience), stock.issuer, audience)).resolves.toMatchObject({
      aud: audience,
    })

    await stock.close()
  })

  test.each(['ledger', 'legacy'])('aws-jwt-verify, for %s', async (audience) => {
    const verifier = JwtVerifier.create({
      issuer: broker.issuer,
      audience,
      jwksUri: `${broker.issuer}/.well-known/jwks.json`,
    })
    verifier.cacheJwks(
      (await broker.send('/.well-known/jwks.json')).json as unknown as Parameters<typeof verifier.cacheJwks>[0],
    )

    await expect(verifier.verify(await tokenFor(audience))).resolves.toMatchObject({ client_id: 'payments/api' })
  })
})

/** A broker whose issuer is where it listens, so that a library finds its keys by itself. */
async function startStock() {
  const port = await (await import('../support/process.ts')).findFreePort()
  const issuer = `http://127.0.0.1:${port}`
  const document = documentFor(scene.cluster.issuer, { audiences: AUDIENCES, identities: IDENTITIES })
  const started = await startTestBroker({
    clock,
    document,
    insecureHosts: [scene.cluster.host],
    flags: { issuer, listen: `127.0.0.1:${port}` },
  })
  return {
    issuer,
    token: async (audience: string) =>
      expectIssued(started, await started.exchange(await scene.proof(), { audience })).token,
    close: started.stop,
  }
}
