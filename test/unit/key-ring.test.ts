/** The key ring: which key signs, and what is published. */

import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint, importJWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { keyIdOf, publicHalfOf, SIGNING_ALGORITHMS } from '../../src/tokens/signing-key.ts'
import { makeSigningKey, ringOf } from '../support/made-keys.ts'

const ec = await makeSigningKey('ES256')
const rsa = await makeSigningKey('RS256')

describe('what is published', () => {
  test('is each key with its id, algorithm and use, its public members, and nothing else', async () => {
    const { jwks } = await ringOf([ec, rsa])

    expect(Object.keys(jwks)).toEqual(['keys'])
    expect(jwks.keys.map((key) => Object.keys(key).sort().join(' '))).toEqual([
      'alg crv kid kty use x y',
      'alg e kid kty n use',
    ])
    expect(jwks.keys).toMatchObject([
      { kid: ec.keyId, alg: 'ES256', use: 'sig', kty: 'EC', crv: 'P-256' },
      { kid: rsa.keyId, alg: 'RS256', use: 'sig', kty: 'RSA', e: 'AQAB' },
    ])
  })

  test('is the public half of what signs', async () => {
    const { jwks } = await ringOf([ec, rsa])

    for (const [index, { privateKey }] of [ec, rsa].entries()) {
      const { kty, crv, x, y, n, e } = jwks.keys[index] ?? {}
      const expected = createPublicKey(privateKey).export({ format: 'jwk' })
      expect(JSON.parse(JSON.stringify({ kty, crv, x, y, n, e }))).toEqual(expected)
      await expect(importJWK(jwks.keys[index] ?? {})).resolves.toBeDefined()
    }
  })

  test('is named by its RFC 7638 thumbprint', async () => {
    const { jwks } = await ringOf([ec, rsa])

    for (const key of jwks.keys) expect(key.kid).toBe(await calculateJwkThumbprint(key))
    expect(await keyIdOf(ec.privateKey)).toBe(ec.keyId)
  })

  test('is every key, whether it signs yet, still or no more', async () => {
    const keys = [
      ec,
      await makeSigningKey('ES256', { state: 'next' }),
      await makeSigningKey('ES256', { state: 'retired' }),
      rsa,
    ]

    const { jwks } = await ringOf(keys)

    expect(jwks.keys.map(({ kid }) => kid)).toEqual(keys.map(({ keyId }) => keyId))
  })
})

describe('what signs', () => {
  test('is the current key of the algorithm', async () => {
    const next = await makeSigningKey('ES256', { state: 'next' })
    const retired = await makeSigningKey('ES256', { state: 'retired' })
    const ring = await ringOf([retired, ec, next, rsa])

    expect(SIGNING_ALGORITHMS.map((algorithm) => ring.signerFor(algorithm).keyId)).toEqual([ec.keyId, rsa.keyId])
  })

  test.each(['next', 'retired'] as const)('is never a key that is %s', async (state) => {
    await expect(ringOf([await makeSigningKey('ES256', { state }), rsa])).rejects.toThrow('no ES256 key is current')
  })
})

describe('a ring is not made', () => {
  test('of a key under another’s id', async () => {
    await expect(ringOf([{ ...ec, keyId: rsa.keyId }])).rejects.toThrow(/not what its id says/)
  })

  test.each(['ed25519', 'x25519'] as const)('of a %s key, which nothing that we publish can verify', async (kind) => {
    const { privateKey } = kind === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519')

    await expect(ringOf([{ ...ec, publicKey: publicHalfOf(privateKey) }])).rejects.toThrow(/EC or RSA/)
  })

  test('of a key whose algorithm is another’s', async () => {
    const { publicKey, keyId } = rsa

    await expect(ringOf([{ ...ec, publicKey, keyId }])).rejects.toThrow(/no ES256 key/)
    await expect(ringOf([{ ...rsa, publicKey: ec.publicKey, keyId: ec.keyId }])).rejects.toThrow(/no RS256 key/)
  })

  test('of a key on another curve than its algorithm’s', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })

    await expect(ringOf([await makeSigningKey('ES256', { privateKey })])).rejects.toThrow()
  })
})
