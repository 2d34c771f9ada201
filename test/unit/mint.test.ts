/** Minted tokens: any stock library verifies every one of them. */

import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { toIdentity } from '../../src/federation/identity.ts'
import { decide } from '../../src/policy/decide.ts'
import { type AccessTokenClaims, claimsOf } from '../../src/tokens/claims.ts'
import { mint } from '../../src/tokens/mint.ts'
import { BROKER } from '../support/document.ts'
import { federationFor, identityOf, proofOf } from '../support/federation-parts.ts'
import { decidingBinding } from '../support/made-bindings.ts'
import { makeSigningKey, ringOf, signingWith } from '../support/made-keys.ts'

const NOW = 1_768_478_400
const ec = await makeSigningKey('ES256')
const rsa = await makeSigningKey('RS256')
const { jwks } = await ringOf([ec, rsa])
const keySet = createLocalJWKSet({ keys: [...jwks.keys] })

function someClaims(claims: Readonly<Record<string, string>> = {}): AccessTokenClaims {
  const federation = federationFor()
  const proof = proofOf(NOW)
  const identity = toIdentity(identityOf({ claims }))
  const binding = decidingBinding(federation.bindings, 'cluster', proof.attributes)
  const verdict = decide(identity, federation.audiences, { target: undefined, scopes: undefined }, proof, NOW)
  if (binding === undefined || !verdict.allowed) throw new Error('nothing to mint')
  const facts = { brokerIssuer: BROKER, federation, identity, identityName: binding.identity, binding, proof, now: NOW }
  return claimsOf({ ...facts, grant: verdict.grant })
}

const CLAIMS = someClaims()

async function verify(token: string) {
  return jwtVerify(token, keySet, {
    issuer: BROKER,
    audience: 'ledger',
    currentDate: new Date(NOW * 1_000),
    requiredClaims: ['sub', 'jti', 'iat', 'exp', 'client_id'],
  })
}

test.each([
  ['ES256', ec, 'at+jwt'],
  ['ES256', ec, 'JWT'],
  ['RS256', rsa, 'at+jwt'],
  ['RS256', rsa, 'JWT'],
] as const)('a token by %s verifies, with a header of three members: typ %3$s', async (algorithm, key, tokenType) => {
  const token = await mint(CLAIMS, tokenType, signingWith(key))

  expect(decodeProtectedHeader(token)).toEqual({ alg: algorithm, kid: key.keyId, typ: tokenType })
  expect((await verify(token)).payload).toEqual(CLAIMS)
})

test('claims in any script come out as they went in', async () => {
  const claims = someClaims({ team: 'Zahlungen für Übersee – 支払い 🔑' })

  expect((await verify(await mint(claims, 'at+jwt', signingWith(ec)))).payload).toEqual(claims)
})

test('the parts are unpadded base64url', () => {
  for (const key of [ec, rsa]) expect(mint(CLAIMS, 'JWT', signingWith(key))).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
})

describe('of many tokens', () => {
  const signatureOf = (token: string) => Buffer.from(token.split('.')[2] ?? '', 'base64url')

  test('each by ES256 verifies, short numbers and ones with a high first bit in either half among them', async () => {
    const seen = new Set<string>()
    for (let count = 0; count < 400 || (seen.size < 4 && count < 10_000); count++) {
      const token = await mint(CLAIMS, 'at+jwt', signingWith(ec))
      const signature = signatureOf(token)
      const kinds = [signature.readUInt8(0), signature.readUInt8(32)].flatMap((first, half) =>
        first === 0 ? [`short ${half}`] : first > 0x7f ? [`high ${half}`] : [],
      )
      const isNew = kinds.some((kind) => !seen.has(kind))
      for (const kind of kinds) seen.add(kind)

      expect(signature).toHaveLength(64)
      if (count < 400 || isNew) await verify(token)
    }

    expect([...seen].sort()).toEqual(['high 0', 'high 1', 'short 0', 'short 1'])
  })

  test('each by RS256 verifies', async () => {
    for (let count = 0; count < 100; count++) {
      const token = await mint({ ...CLAIMS, jti: String(count) }, 'at+jwt', signingWith(rsa))

      expect(signatureOf(token)).toHaveLength(256)
      await verify(token)
    }
  })
})

describe('whoever holds the key', () => {
  const far = { ...signingWith(ec), sign: async (input: Buffer) => signingWith(ec).sign(input) }

  test('may sign at once, and then the token is there at once', () => {
    expect(mint(CLAIMS, 'at+jwt', signingWith(ec))).toBeTypeOf('string')
  })

  test('may sign elsewhere, and take time for it', async () => {
    const token = mint(CLAIMS, 'at+jwt', far)

    expect(token).toBeInstanceOf(Promise)
    expect((await verify(await token)).payload).toEqual(CLAIMS)
  })

  test('may fail', async () => {
    const failing = { ...far, sign: () => Promise.reject(new Error('out of reach')) }

    await expect(mint(CLAIMS, 'at+jwt', failing)).rejects.toThrow('out of reach')
  })
})
