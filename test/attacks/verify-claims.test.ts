/** Claims that our broker would not write, or not for this service, under its own signature. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateStandInKey } from '../../providers/kit/stand-in-keys.ts'
import { CLOCK_SKEW_SECONDS, MAX_LIFETIME_SECONDS, type Principal } from '../../src/verify/verifier.ts'
import { signerOf } from '../support/raw-jws.ts'
import { type Members, openVerifyBench, type VerifyBench } from '../support/verify-bench.ts'

let bench: VerifyBench

beforeAll(async () => {
  bench = await openVerifyBench()
})
afterAll(() => bench.close())

describe('issuer', () => {
  const OTHERS: readonly (readonly [string, (issuer: string) => unknown])[] = [
    ['another', () => 'https://other.example'],
    ['a final slash', (issuer) => `${issuer}/`],
    ['upper case', (issuer) => issuer.toUpperCase()],
    ['more after it', (issuer) => `${issuer}.evil.example`],
    ['less of it', (issuer) => issuer.slice(0, -1)],
    ['a list of it', (issuer) => [issuer]],
    ['an object', (issuer) => ({ issuer })],
    ['none', () => undefined],
  ]

  test.each(OTHERS)('JWT-14, JWT-15 refuses %s, and asks nobody for keys', async (_, iss) => {
    const before = bench.fetches()

    expect(await bench.outcome(bench.token({ iss: iss(bench.issuer) }, { kid: 'x' }), bench.verifier())).toBe(
      'issuer_mismatch',
    )
    expect(bench.fetches()).toBe(before)
  })

  test('JWK-05 refuses another issuer’s signature under our issuer’s name and key id', async () => {
    const other = await generateStandInKey('ES256', 'es')
    const header = { alg: 'ES256', kid: 'es', typ: 'at+jwt' }

    expect(await bench.outcome(bench.forge(header, bench.claims(), signerOf(other)))).toBe('signature_invalid')
  })
})

describe('audience', () => {
  test.each(['orders', 'LEDGER', 'ledger ', '', undefined, null, 7, {}, [], ['ledger'], [['ledger']], ['ledger', 'x']])(
    'JWT-10, JWT-11, JWT-13 refuses aud %j',
    async (aud) => {
      expect(await bench.outcome(bench.token({ aud }))).toBe('audience_mismatch')
    },
  )
})

describe('times', () => {
  /** Claims by what they are from now. */
  const at = (iat: number, exp: number, more: Members = {}): string =>
    bench.token({ iat: bench.clock.now() + iat, exp: bench.clock.now() + exp, ...more })

  test('JWT-25 takes what clocks may differ by, to the second', async () => {
    expect(await bench.outcome(at(-600, -CLOCK_SKEW_SECONDS + 1))).toBe('accepted')
    expect(await bench.outcome(at(-600, -CLOCK_SKEW_SECONDS))).toBe('token_expired')
    expect(await bench.outcome(at(CLOCK_SKEW_SECONDS, 600))).toBe('accepted')
    expect(await bench.outcome(at(CLOCK_SKEW_SECONDS + 1, 600))).toBe('token_not_yet_valid')
  })

  test('JWT-25 heeds nbf where there is one', async () => {
    const nbf = bench.clock.now() + CLOCK_SKEW_SECONDS

    expect(await bench.outcome(at(0, 600, { nbf }))).toBe('accepted')
    expect(await bench.outcome(at(0, 600, { nbf: nbf + 1 }))).toBe('token_not_yet_valid')
    expect(await bench.outcome(at(CLOCK_SKEW_SECONDS + 1, 600, { nbf: 0 }))).toBe('token_not_yet_valid')
    expect(await bench.outcome(at(0, 600, { nbf: 'soon' }))).toBe('claim_invalid')
  })

  test('JWT-26 refuses a life that our broker does not give, or that ends before it begins', async () => {
    expect(await bench.outcome(at(0, MAX_LIFETIME_SECONDS))).toBe('accepted')
    expect(await bench.outcome(at(0, MAX_LIFETIME_SECONDS + 1))).toBe('lifetime_too_long')
    expect(await bench.outcome(at(10, 10))).toBe('claim_invalid')
    expect(await bench.outcome(at(30, 20))).toBe('claim_invalid')
  })

  test.each(['exp', 'iat'])('refuses %s that is missing, or no whole number', async (name) => {
    expect(await bench.outcome(bench.token({ [name]: undefined }))).toBe('claim_missing')
    const now = bench.clock.now()
    for (const value of [String(now), now + 0.5, 1e300, -1, null, true, [now]]) {
      expect(await bench.outcome(bench.token({ [name]: value }))).toBe('claim_invalid')
    }
  })
})

describe('who it is', () => {
  const NO_IDS = [
    ...['payments/api', 'https://corp.example/payments/api', 'SPIFFE://corp.example/payments/api'],
    ...['spiffe://corp.example', 'spiffe://corp.example/', 'spiffe://corp.example//api', 'spiffe:///payments/api'],
    ...['spiffe://corp.example/payments/', 'spiffe://corp.example/../api', 'spiffe://corp.example/./api'],
    ...['spiffe://Corp.example/payments/api', 'spiffe://corp.example:443/payments/api', 'spiffe://u@corp.example/a'],
    ...['spiffe://corp.example/payments/api?x', 'spiffe://corp.example/payments/api#x', 'spiffe://corp.example/a%2fb'],
    ...['spiffe://corp.example/payments/api\n', `spiffe://corp.example/${'a'.repeat(2_048)}`, ''],
    ...[null, 7, {}, ['spiffe://corp.example/payments/api']],
  ]

  test.each(NO_IDS)('refuses sub %j', async (sub) => {
    const path = typeof sub === 'string' ? sub.replace(/^spiffe:\/\/[^/]*\//, '') : 'payments/api'

    expect(await bench.outcome(bench.token({ sub, client_id: path }))).toBe('claim_invalid')
  })

  test('refuses an identity of another trust domain, where the service names its own', async () => {
    const token = bench.token({ sub: 'spiffe://other.example/payments/api' })

    expect(await bench.outcome(token, bench.verifier({ trustDomain: 'corp.example' }))).toBe('trust_domain_mismatch')
    expect(await bench.outcome(bench.token(), bench.verifier({ trustDomain: 'corp.example' }))).toBe('accepted')
    expect(await bench.outcome(token)).toBe('accepted')
  })

  test('refuses a client_id that is not the path of sub', async () => {
    expect(await bench.outcome(bench.token({ client_id: 'payments/other' }))).toBe('claim_invalid')
    expect(await bench.outcome(bench.token({ client_id: ['payments/api'] }))).toBe('claim_invalid')
  })

  test.each(['sub', 'client_id', 'jti', 'proof'])(
    'JWT-30, JWT-33 refuses what the issuer signed without %s: it is no access token',
    async (name) => {
      expect(await bench.outcome(bench.token({ [name]: undefined }))).toBe('claim_missing')
    },
  )

  test('JWT-30 refuses a proof that the same issuer signed for somebody else’s broker', async () => {
    const { iss, aud, iat, exp } = bench.claims()
    const claims = { iss, aud, iat, exp, sub: 'system:serviceaccount:payments:api', 'kubernetes.io': {} }
    const verifier = bench.verifier({ tokenType: 'JWT' })
    const header = { alg: 'ES256', kid: 'es' }

    expect(await bench.outcome(bench.forge({ ...header, typ: 'JWT' }, claims), verifier)).toBe('claim_invalid')
    expect(await bench.outcome(bench.forge(header, claims), verifier)).toBe('token_malformed')
  })

  const proof = (changes: Members): Members => ({ ...(bench.claims().proof as Members), ...changes })

  test('refuses a proof claim that is not as the broker writes it', async () => {
    for (const name of ['provider', 'trusted_issuer', 'subject', 'binding', 'document']) {
      expect(await bench.outcome(bench.token({ proof: proof({ [name]: undefined }) }))).toBe('claim_missing')
      expect(await bench.outcome(bench.token({ proof: proof({ [name]: 7 }) }))).toBe('claim_invalid')
    }
    for (const changes of [{ single_use: 'no' }, { live: undefined }, { instance: '' }]) {
      expect(await bench.outcome(bench.token({ proof: proof(changes) }))).toBe('claim_invalid')
    }
    expect(await bench.outcome(bench.token({ proof: [] }))).toBe('claim_invalid')
  })

  test('takes a proof claim without an instance, and with more than there is today', async () => {
    const { instance: _, ...rest } = proof({})

    expect(await bench.outcome(bench.token({ proof: { ...rest, region: 'eu' } }))).toBe('accepted')
  })
})

describe('scope', () => {
  test.each(['', ' ', 'a  b', ' a', 'a ', 'a\tb', 'a"b', 7, ['a'], null])('refuses scope %j', async (scope) => {
    expect(await bench.outcome(bench.token({ scope }))).toBe('claim_invalid')
  })

  test('refuses a token without a scope that the service or the request needs', async () => {
    const reader = bench.verifier({ scope: 'entries:read' })
    const token = bench.token({ scope: 'entries:write' })

    expect(await bench.outcome(token, reader)).toBe('scope_missing')
    expect(await bench.outcome(bench.token({ scope: undefined }), reader)).toBe('scope_missing')
    expect(await bench.outcome(bench.token({ scope: 'entries:read' }), reader)).toBe('accepted')
    const both = reader.verify(bench.token({ scope: 'entries:read' }), { scope: ['entries:read', 'entries:write'] })
    await expect(both).rejects.toMatchObject({ code: 'scope_missing', detail: 'entries:write' })
  })

  test('a scope is no part of another', async () => {
    expect(
      await bench.outcome(bench.token({ scope: 'entries:reader' }), bench.verifier({ scope: 'entries:read' })),
    ).toBe('scope_missing')
  })
})

describe('the principal', () => {
  test('is what the token says, and frozen through and through', async () => {
    const principal: Principal = await bench.verifier().verify(bench.token({ team: { name: 'payments' } }))

    expect(principal).toEqual({
      identity: 'payments/api',
      spiffeId: 'spiffe://corp.example/payments/api',
      scopes: ['entries:read', 'entries:write'],
      proof: bench.claims().proof,
      claims: bench.claims({ team: { name: 'payments' } }),
    })
    const { scopes, proof, claims } = principal
    for (const part of [principal, scopes, proof, claims, claims.team]) expect(Object.isFrozen(part)).toBe(true)
  })

  test('has no scopes where the audience has none', async () => {
    expect((await bench.verifier().verify(bench.token({ scope: undefined }))).scopes).toEqual([])
  })
})
