/** What a service tests itself with. */

import { decodeProtectedHeader } from 'jose'
import { describe, expect, test } from 'vitest'
import { createTestIssuer, TEST_ISSUER, testPrincipal } from '../../src/verify/testing.ts'
import { createVerifier } from '../../src/verify/verifier.ts'
import { createTestClock } from '../support/clock.ts'

describe('a test issuer', () => {
  test('mints what its verifier, and one of its settings, takes', async () => {
    const issuer = await createTestIssuer({ audience: 'ledger' })
    const token = await issuer.token({
      identity: 'payments/api',
      scopes: ['entries:read'],
      claims: { team: 'payments' },
      proof: { provider: 'aws' },
    })
    const principal = await issuer.verifier.verify(token)

    expect(principal).toMatchObject({
      identity: 'payments/api',
      spiffeId: 'spiffe://corp.test/payments/api',
      scopes: ['entries:read'],
      proof: { provider: 'aws' },
      claims: { iss: TEST_ISSUER, aud: 'ledger', team: 'payments' },
    })
    await expect(createVerifier(issuer.settings).verify(token)).resolves.toEqual(principal)
  })

  test('mints what the service must refuse', async () => {
    const issuer = await createTestIssuer({ audience: 'ledger', trustDomain: 'corp.example', scope: 'entries:read' })
    const identity = 'payments/api'
    const trustDomain = 'corp.example'
    const code = async (wish: Parameters<typeof issuer.token>[0]): Promise<unknown> =>
      issuer.verifier.verify(await issuer.token(wish)).catch((error: { code?: string }) => error.code)

    expect(await code({ identity, trustDomain, isExpired: true })).toBe('token_expired')
    expect(await code({ identity, trustDomain, audience: 'orders' })).toBe('audience_mismatch')
    expect(await code({ identity })).toBe('trust_domain_mismatch')
    expect(await code({ identity, trustDomain })).toBe('scope_missing')
    expect(await code({ identity: 'no name', trustDomain })).toBe('claim_invalid')
    expect(await code({ identity, trustDomain, scopes: ['entries:read'] })).toMatchObject({ identity })
  })

  test('keeps the service’s clock and type of token', async () => {
    const clock = createTestClock()
    const issuer = await createTestIssuer({ audience: 'ledger', tokenType: 'JWT', now: clock.now })
    const token = await issuer.token({ identity: 'payments/api' })

    expect(decodeProtectedHeader(token).typ).toBe('JWT')
    expect((await issuer.verifier.verify(token)).claims.iat).toBe(clock.now())
  })

  test('is trusted by no other test issuer’s verifier, nor by any that was not given its keys', async () => {
    const [one, other] = await Promise.all([1, 2].map(() => createTestIssuer({ audience: 'ledger' })))
    const token = await one?.token({ identity: 'payments/api' })
    const real = createVerifier({ issuer: 'https://broker.example', audience: 'ledger' })

    await expect(other?.verifier.verify(token ?? '')).rejects.toMatchObject({ code: 'key_unknown' })
    await expect(real.verify(token ?? '')).rejects.toMatchObject({ code: 'issuer_mismatch' })
  })

  test('has a name at which no broker can ever be, and a proof of no cloud', async () => {
    expect(new URL(TEST_ISSUER).hostname).toMatch(/\.invalid$/)
    expect(testPrincipal({ identity: 'payments/api' }).proof.provider).toBe('test')
  })

  test('cannot be given another name, a key or claims that say another thing', async () => {
    const forged = { audience: 'ledger', issuer: 'https://broker.example', jwks: { keys: [] } }
    const issuer = await createTestIssuer(forged)
    const claims = { iss: 'https://broker.example', sub: 'spiffe://corp.example/admin', client_id: 'admin' }
    const principal = await issuer.verifier.verify(await issuer.token({ identity: 'payments/api', claims }))

    expect(issuer.settings.issuer).toBe(TEST_ISSUER)
    expect(principal).toMatchObject({
      identity: 'payments/api',
      claims: { iss: TEST_ISSUER, client_id: 'payments/api' },
    })
  })
})

describe('a test principal', () => {
  test('is as frozen and as strict as a real one', () => {
    const principal = testPrincipal({ identity: 'payments/api', scopes: ['entries:read'], trustDomain: 'corp.example' })

    expect(principal).toMatchObject({
      identity: 'payments/api',
      spiffeId: 'spiffe://corp.example/payments/api',
      scopes: ['entries:read'],
    })
    expect(Object.isFrozen(principal)).toBe(true)
    expect(() => testPrincipal({ identity: '../admin' })).toThrow('claim')
    expect(() => testPrincipal({ identity: 'payments/api', scopes: ['a b', ''] })).toThrow('claim')
  })
})
