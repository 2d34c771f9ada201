/** The checks that every JWT proof passes: the algorithm, the issuer, the key, the signature, the audience, the times. */

import { generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProofError } from '../../providers/contract/errors.ts'
import { type CompactJws, readCompactJws } from '../../providers/kit/compact-jws.ts'
import {
  CLOCK_SKEW_SECONDS,
  checkJwtClaims,
  type JwtRules,
  openJwt,
  untrustedIssuer,
  verifyJwtSignature,
} from '../../providers/kit/jwt-proof.ts'
import { createStaticKeySet } from '../../providers/kit/key-set.ts'
import { constantSigner, rawJws, signWith } from '../support/raw-jws.ts'
import { refusalOf, rejection } from '../support/rejection.ts'

const NOW = 1_768_478_400
const BROKER = 'https://broker.example'
const RULES: JwtRules = {
  maxLifetimeSeconds: 3_600,
  proofAudiences: [BROKER, 'api://chancery'],
  isReusable: false,
}
const CLAIMS = { iss: 'https://issuer.example', sub: 'someone', aud: BROKER, iat: NOW - 60, exp: NOW + 600 }

const unsigned = constantSigner(Buffer.alloc(64))

/** A proof with other claims; undefined ones are left out. */
function jwsWith(claims: Readonly<Record<string, unknown>>): CompactJws {
  return readCompactJws(rawJws({ alg: 'ES256', kid: 'k1' }, { ...CLAIMS, ...claims }, unsigned))
}

const check = (claims: Readonly<Record<string, unknown>>, rules: Partial<JwtRules> = {}) =>
  checkJwtClaims(jwsWith(claims), { ...RULES, ...rules }, NOW)
const codeOf = (claims: Readonly<Record<string, unknown>>, rules: Partial<JwtRules> = {}): string =>
  refusalOf(() => check(claims, rules)).code

describe('opening a proof', () => {
  const open = (header: object, claims: object) => openJwt(rawJws(header, claims, unsigned), ['ES256', 'RS256'])

  test('gives it with its exact issuer', () => {
    const issuer = 'https://Issuer.example:443/a/../b/'

    expect(open({ alg: 'RS256' }, { iss: issuer })).toMatchObject({ issuer, jws: { algorithm: 'RS256' } })
  })

  test.each(['none', 'HS256', 'RS512', 'PS256', 'ES384', 'es256', 'ES256 ', 'toString'])(
    'refuses the alg %s',
    (alg) => {
      expect(refusalOf(() => open({ alg }, CLAIMS)).code).toBe('algorithm_not_allowed')
    },
  )

  test.each([undefined, null, 1, ['https://issuer.example'], {}])('refuses %j for an issuer', (iss) => {
    expect(refusalOf(() => open({ alg: 'ES256' }, { iss })).code).toBe('issuer_not_trusted')
  })

  test('refuses an inherited issuer, and what is no JWS', () => {
    const inherited = rawJws({ alg: 'ES256' }, '{"constructor":{"iss":"x"}}', unsigned)

    expect(refusalOf(() => openJwt(inherited, ['ES256'])).code).toBe('issuer_not_trusted')
    expect(refusalOf(() => openJwt('x', ['ES256'])).code).toBe('proof_malformed')
  })
})

describe('the signature', () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const keys = createStaticKeySet([
    { ...pair.publicKey.export({ format: 'jwk' }), kid: 'k1' },
    { ...other.publicKey.export({ format: 'jwk' }), kid: 'k2' },
    { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'rsa' },
  ])
  const signed = (header: object, signer = signWith(pair.privateKey, 'ES256')): CompactJws =>
    readCompactJws(rawJws(header, CLAIMS, signer))

  test('holds under the key that the proof names', async () => {
    await expect(verifyJwtSignature(signed({ alg: 'ES256', kid: 'k1' }), keys)).resolves.toBeUndefined()
  })

  test.each([
    ['no key is named', { alg: 'ES256' }, 'key_id_missing'],
    ['an unknown key is named', { alg: 'ES256', kid: 'k3' }, 'key_unknown'],
    ['another key is named', { alg: 'ES256', kid: 'k2' }, 'signature_invalid'],
    ['the named key is for another algorithm', { alg: 'ES256', kid: 'rsa' }, 'key_unsuitable'],
    ['the proof asks for another algorithm than its key’s', { alg: 'RS256', kid: 'k1' }, 'key_unsuitable'],
  ])('is refused where %s', async (_, header, code) => {
    expect((await rejection(verifyJwtSignature(signed(header), keys))).code).toBe(code)
  })

  test('is refused where it is about other claims', async () => {
    const jws = signed({ alg: 'ES256', kid: 'k1' })
    const bent = { ...jws, signingInput: Buffer.concat([jws.signingInput, Buffer.from('A')]) }

    expect((await rejection(verifyJwtSignature(bent, keys))).code).toBe('signature_invalid')
  })
})

describe('the audience', () => {
  test.each([BROKER, 'api://chancery', [BROKER]])('%j is ours', (aud) => {
    expect(check({ aud }).audience).toBe([aud].flat()[0])
  })

  test.each([
    ['none', undefined],
    ['null', null],
    ['empty text', ''],
    ['an empty list', []],
    ['a number', 1],
    ['an object', {}],
    ['a list in a list', [[BROKER]]],
    ['somebody else’s', 'https://someone.else.example'],
    ['ours with a slash', `${BROKER}/`],
    ['ours in upper case', BROKER.toUpperCase()],
    ['ours and more', `${BROKER}.attacker.example`],
    ['ours after a space', ` ${BROKER}`],
    ['both of ours in one text', `${BROKER} api://chancery`],
  ])('is refused where it is %s', (_, aud) => {
    expect(codeOf({ aud })).toBe('audience_mismatch')
  })

  test.each([
    [[BROKER, 'vault']],
    [['vault', BROKER]],
    [[BROKER, BROKER]],
    [[BROKER, 'api://chancery']],
    [[BROKER, 1]],
  ])('is refused where it has more than one value: %j', (aud) => {
    expect(codeOf({ aud })).toBe('audience_not_single')
  })

  test('is refused where no audience is ours at all', () => {
    expect(codeOf({ aud: BROKER }, { proofAudiences: [] })).toBe('audience_mismatch')
    expect(codeOf({ aud: undefined }, { proofAudiences: [] })).toBe('audience_mismatch')
  })

  test('is told to the operator where it is short and plain, and never otherwise', () => {
    const factsOf = (aud: unknown) => refusalOf(() => check({ aud })).facts

    expect(factsOf('vault')).toEqual({ audience: 'vault' })
    expect(factsOf('x'.repeat(200))).toEqual({ audience: 'x'.repeat(200) })
    for (const aud of ['x'.repeat(201), 'user:password@x', 'x?key=1', 'a b', 'a\nb', 'é', '\u202eevil', '', 1, {}])
      expect(factsOf(aud)).toEqual({})
  })
})

describe('the times', () => {
  test('are given as they are', () => {
    expect(check({ nbf: NOW - 60 })).toMatchObject({ issuedAt: NOW - 60, expiresAt: NOW + 600 })
  })

  test.each([
    ['exp', 'claim_missing', undefined],
    ['iat', 'claim_missing', undefined],
    ['exp', 'claim_invalid', String(NOW + 600)],
    ['iat', 'claim_invalid', NOW + 0.5],
    ['exp', 'claim_invalid', null],
    ['iat', 'claim_invalid', -1],
    ['nbf', 'claim_invalid', '0'],
    ['nbf', 'claim_invalid', null],
  ])('%s is refused as %s where it is %j', (claim, code, value) => {
    expect(codeOf({ [claim]: value })).toBe(code)
  })

  test('exp that is infinite is refused', () => {
    const claims = JSON.stringify(CLAIMS).replace(/"exp":\d+/, '"exp":1e999')
    const jws = readCompactJws(rawJws({ alg: 'ES256' }, claims, unsigned))

    expect(refusalOf(() => checkJwtClaims(jws, RULES, NOW)).code).toBe('claim_invalid')
  })

  test('a proof that comes once may have expired for less than a minute', () => {
    expect(check({ exp: NOW - CLOCK_SKEW_SECONDS + 1, iat: NOW - 600 }).expiresAt).toBe(NOW - 59)
    expect(refusalOf(() => check({ exp: NOW - CLOCK_SKEW_SECONDS, iat: NOW - 600 }))).toMatchObject({
      code: 'proof_expired',
      facts: { expired_seconds_ago: CLOCK_SKEW_SECONDS },
    })
  })

  test('a proof that may come again may not have expired at all', () => {
    expect(check({ exp: NOW + 1 }, { isReusable: true }).expiresAt).toBe(NOW + 1)
    expect(codeOf({ exp: NOW }, { isReusable: true })).toBe('proof_expired')
  })

  test.each(['iat', 'nbf'])('%s may be ahead of our clock by a minute, and no more', (claim) => {
    expect(check({ [claim]: NOW + CLOCK_SKEW_SECONDS }).expiresAt).toBe(NOW + 600)
    expect(refusalOf(() => check({ [claim]: NOW + CLOCK_SKEW_SECONDS + 1 }))).toMatchObject({
      code: 'proof_not_yet_valid',
      facts: { valid_in_seconds: CLOCK_SKEW_SECONDS + 1 },
    })
  })

  test('a proof must end after it began', () => {
    expect(check({ iat: NOW + 10, exp: NOW + 11 }).expiresAt).toBe(NOW + 11)
    expect(codeOf({ iat: NOW + 10, exp: NOW + 10 })).toBe('claims_inconsistent')
    expect(codeOf({ iat: NOW + 20, exp: NOW + 10 })).toBe('claims_inconsistent')
    expect(codeOf({ iat: NOW, nbf: NOW + 10, exp: NOW + 10 })).toBe('claims_inconsistent')
  })

  test('a proof may live as long as its provider lets it, and no longer', () => {
    expect(check({ iat: NOW - 3_000, exp: NOW + 600 }).issuedAt).toBe(NOW - 3_000)
    expect(refusalOf(() => check({ iat: NOW - 3_001, exp: NOW + 600 }))).toMatchObject({
      code: 'proof_lifetime_too_long',
      facts: { lifetime_seconds: 3_601, allowed_seconds: 3_600 },
    })
    expect(codeOf({ iat: 0, exp: Number.MAX_SAFE_INTEGER })).toBe('proof_lifetime_too_long')
  })

  test('whatever they are, a proof is taken only while it is valid, with the skew that is allowed', () => {
    const offset = fc.integer({ min: -4_000, max: 4_000 })
    const property = fc.property(offset, offset, fc.option(offset), fc.boolean(), (iat, exp, nbf, isReusable) => {
      const claims = { iat: NOW + iat, exp: NOW + exp, nbf: nbf === null ? undefined : NOW + nbf }
      const isValid =
        exp > (isReusable ? 0 : -60) &&
        iat <= 60 &&
        (nbf ?? 0) <= 60 &&
        exp > Math.max(iat, nbf ?? iat) &&
        exp - iat <= RULES.maxLifetimeSeconds

      expect(isTaken(claims, isReusable)).toBe(isValid)
    })

    fc.assert(property, { numRuns: 2_000 })
  })

  function isTaken(claims: Readonly<Record<string, unknown>>, isReusable: boolean): boolean {
    try {
      check(claims, { isReusable })
      return true
    } catch (error) {
      if (error instanceof ProofError) return false
      throw error
    }
  }
})

describe('claims of tokens that are made for something else', () => {
  test.each(['nonce', 'at_hash', 'c_hash', 's_hash', 'events', 'scp', 'cnf'])('refuses %s', (name) => {
    expect(refusalOf(() => check({ [name]: 'x' }))).toMatchObject({ code: 'claim_forbidden', facts: { claim: name } })
    expect(codeOf({ [name]: null })).toBe('claim_forbidden')
  })

  test('leaves every claim that it did not look at to be accounted for', () => {
    expect(check({ nbf: NOW, jti: 'x', other: 1 }).claims.unknown()).toBe(3)
    expect(check({ sub: undefined }).claims.unknown()).toBe(0)
  })
})

describe('an issuer that nobody trusts', () => {
  test('is told to the operator where it is short and plain, and never otherwise', () => {
    const issuer = 'https://stranger.example'

    expect(untrustedIssuer(issuer)).toMatchObject({ code: 'issuer_not_trusted', facts: { issuer } })
    for (const odd of ['https://stranger.example/\n{"level":50}', 'x'.repeat(201), '']) {
      expect(untrustedIssuer(odd).facts).toEqual({})
      if (odd !== '') expect(inspect(untrustedIssuer(odd))).not.toContain(odd)
    }
  })
})
