/** Which members of a key set may verify, with what, and that nothing but the right signature does. */

import { generateKeyPairSync, type JsonWebKey, type KeyObject, randomBytes, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  importVerificationKey,
  isSignatureValid,
  type SignatureAlgorithm,
  type VerificationKey,
} from '../../providers/kit/verification-key.ts'
import { signWith } from '../support/raw-jws.ts'

const PAIRS = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
} as const

const ALGORITHMS = ['RS256', 'ES256', 'ES384', 'ES512'] as const
const CURVES = ALGORITHMS.filter((algorithm) => algorithm !== 'RS256')

/** The public half of a pair as a JWK, with other members. Undefined ones are left out. */
function jwkOf(algorithm: SignatureAlgorithm, more: Readonly<Record<string, unknown>> = {}): JsonWebKey {
  const jwk = { ...PAIRS[algorithm].publicKey.export({ format: 'jwk' }), kid: 'k1', ...more }
  return JSON.parse(JSON.stringify(jwk)) as JsonWebKey
}

function imported(jwk: unknown): VerificationKey {
  const key = importVerificationKey(jwk)
  if ('unusable' in key) throw new Error(key.unusable)
  return key
}

/** An RSA key of any modulus and exponent: nobody has its private half. */
function rsaJwk(bits: number, exponent: bigint): JsonWebKey {
  const modulus = (1n << BigInt(bits - 1)) | (BigInt(`0x${randomBytes(128).toString('hex')}`) << 8n) | 1n
  return { kty: 'RSA', kid: 'k1', n: base64urlOf(modulus), e: base64urlOf(exponent) }
}

function base64urlOf(number: bigint): string {
  const hex = number.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url')
}

describe.each(ALGORITHMS)('a key for %s', (algorithm) => {
  test('is for that algorithm, whether it says so or not', () => {
    expect(imported(jwkOf(algorithm))).toMatchObject({ keyId: 'k1', algorithm })
    expect(imported(jwkOf(algorithm, { alg: algorithm, use: 'sig', key_ops: ['verify'] })).algorithm).toBe(algorithm)
  })

  test('is refused where it names another algorithm', () => {
    const others = [
      ...ALGORITHMS.filter((other) => other !== algorithm),
      'RS384',
      'PS256',
      'HS256',
      'none',
      '',
      null,
      1,
    ]

    for (const alg of others)
      expect(importVerificationKey(jwkOf(algorithm, { alg }))).toEqual({ unusable: 'algorithm' })
  })

  test('is refused where it is for anything but signatures', () => {
    const uses = [{ use: 'enc' }, { use: '' }, { use: null }, { use: ['sig'] }, { key_ops: ['encrypt'] }]
    const operations = [{ key_ops: [] }, { key_ops: 'verify' }, { key_ops: null }, { key_ops: ['sign'], use: 'sig' }]

    for (const more of [...uses, ...operations]) {
      expect(importVerificationKey(jwkOf(algorithm, more))).toEqual({ unusable: 'not_for_signatures' })
    }
  })

  test.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'])('is refused where it holds %s', (member) => {
    expect(importVerificationKey(jwkOf(algorithm, { [member]: 'AQ' }))).toEqual({ unusable: 'private' })
    expect(importVerificationKey(jwkOf(algorithm, { [member]: null }))).toEqual({ unusable: 'private' })
  })

  test('is refused where a part of it is missing, or is no text', () => {
    const parts = algorithm === 'RS256' ? ['n', 'e'] : ['x', 'y']

    for (const part of parts) {
      for (const value of [undefined, null, 1, ['AQ'], {}]) {
        expect(importVerificationKey(jwkOf(algorithm, { [part]: value }))).toEqual({ unusable: 'material' })
      }
    }
  })

  test('verifies its own signature, and none with any bit turned', () => {
    const input = Buffer.from('header.payload')
    const key = imported(jwkOf(algorithm))
    const signature = signWith(PAIRS[algorithm].privateKey, algorithm)(input)
    const property = fc.property(fc.nat(signature.length * 8 - 1), (bit) => {
      const bent = Buffer.from(signature)
      bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7))

      expect(isSignatureValid(key, input, bent)).toBe(false)
    })

    expect(isSignatureValid(key, input, signature)).toBe(true)
    expect(isSignatureValid(key, Buffer.from('header.payloae'), signature)).toBe(false)
    fc.assert(property, { numRuns: 100 })
  })

  test('answers false, and never throws, for whatever else is shown as a signature', () => {
    const key = imported(jwkOf(algorithm))
    const length = fc.constantFrom(0, 1, 63, 64, 65, 95, 96, 97, 131, 132, 133, 255, 256, 257, 512)
    const signatures = length.chain((minLength) => fc.uint8Array({ minLength, maxLength: minLength }))
    const property = fc.property(signatures, fc.uint8Array(), (signature, input) => {
      expect(isSignatureValid(key, input, signature)).toBe(false)
    })

    fc.assert(property, { numRuns: 100 })
  })
})

describe.each(CURVES)('a signature on the curve of %s', (algorithm) => {
  const key = imported(jwkOf(algorithm))
  const length = { ES256: 64, ES384: 96, ES512: 132 }[algorithm]
  const hash = { ES256: 'sha256', ES384: 'sha384', ES512: 'sha512' }[algorithm]
  const input = Buffer.from('header.payload')
  const { privateKey } = PAIRS[algorithm]

  test('is refused where it is all zeros, all ones, or of another length', () => {
    const good = signWith(privateKey, algorithm)(input)
    const bad = [
      Buffer.alloc(length),
      Buffer.alloc(length, 0xff),
      good.subarray(1),
      Buffer.concat([good, Buffer.alloc(1)]),
    ]

    for (const signature of bad) expect(isSignatureValid(key, input, signature)).toBe(false)
  })

  test('is refused where it is written in DER', () => {
    const der = sign(hash, input, { key: privateKey, dsaEncoding: 'der' })

    expect(isSignatureValid(key, input, der)).toBe(false)
  })

  test('is refused where r and s are padded to the length of another curve', () => {
    const good = signWith(privateKey, algorithm)(input)
    const half = length / 2
    const padded = Buffer.concat([Buffer.alloc(2), good.subarray(0, half), Buffer.alloc(2), good.subarray(half)])

    expect(isSignatureValid(key, input, padded)).toBe(false)
  })
})

describe('an RSA signature', () => {
  const input = Buffer.from('header.payload')
  const key = imported(jwkOf('RS256'))
  const verifies = (algorithm: 'RS384' | 'RS512' | 'PS256'): boolean =>
    isSignatureValid(key, input, signWith(PAIRS.RS256.privateKey, algorithm)(input))

  test('is refused with another hash or padding, although the key is the same', () => {
    expect([verifies('RS384'), verifies('RS512'), verifies('PS256')]).toEqual([false, false, false])
  })
})

describe('an RSA key', () => {
  test.each([1_024, 2_040, 2_047])('of %d bits is too short', (bits) => {
    expect(importVerificationKey(rsaJwk(bits, 65_537n))).toEqual({ unusable: 'rsa_too_short' })
  })

  test.each([2_048, 3_072, 4_096, 8_192])('of %d bits is right', (bits) => {
    expect(imported(rsaJwk(bits, 65_537n)).algorithm).toBe('RS256')
  })

  test.each([8_193, 16_384])('of %d bits is too long', (bits) => {
    expect(importVerificationKey(rsaJwk(bits, 65_537n))).toEqual({ unusable: 'rsa_too_long' })
  })

  test.each([3n, 17n, 65_537n, 0xffff_ffffn])('with the exponent %d is right', (exponent) => {
    expect(imported(rsaJwk(2_048, exponent)).algorithm).toBe('RS256')
  })

  test.each([1n, 2n, 4n, 65_536n, 0x1_0000_0001n])('with the exponent %d is refused', (exponent) => {
    expect(importVerificationKey(rsaJwk(2_048, exponent))).toEqual({ unusable: 'rsa_exponent' })
  })
})

describe('what is no key of ours', () => {
  test.each([
    ['a symmetric key', { kty: 'oct', kid: 'k1' }, 'key_type'],
    ['a symmetric key with its secret', { kty: 'oct', kid: 'k1', k: 'AQ' }, 'private'],
    ['an Edwards key', { ...edwardsJwk(), kid: 'k1' }, 'key_type'],
    ['a curve of the cryptocurrencies', { ...jwkOf('ES256'), crv: 'secp256k1' }, 'key_type'],
    ['a curve without a name', { ...jwkOf('ES256'), crv: undefined }, 'key_type'],
    ['a curve in a list', { ...jwkOf('ES256'), crv: ['P-256'] }, 'key_type'],
    ['a point of another curve', { ...jwkOf('ES256'), crv: 'P-384' }, 'material'],
    ['a point that is on no curve', { ...jwkOf('ES256'), y: jwkOf('ES256').x }, 'material'],
    ['no type', { ...jwkOf('ES256'), kty: undefined }, 'key_type'],
    ['a type in other letters', { ...jwkOf('ES256'), kty: 'ec' }, 'key_type'],
    ['no kid', { ...jwkOf('ES256'), kid: undefined }, 'no_key_id'],
    ['an empty kid', jwkOf('ES256', { kid: '' }), 'no_key_id'],
    ['a kid that is a number', { ...jwkOf('ES256'), kid: 1 }, 'no_key_id'],
    ['an inherited kid', Object.create(jwkOf('ES256')) as object, 'no_key_id'],
    ['null', null, 'not_an_object'],
    ['a list', [jwkOf('ES256')], 'not_an_object'],
    ['text', JSON.stringify(jwkOf('ES256')), 'not_an_object'],
  ])('%s is refused', (_, jwk, unusable) => {
    expect(importVerificationKey(jwk)).toEqual({ unusable })
  })

  test('whatever it is, importing it never throws', () => {
    const members = fc.object({ key: fc.constantFrom('kid', 'crv', 'x', 'y', 'n', 'e', 'use', 'key_ops', 'alg') })
    const property = fc.property(members, fc.constantFrom('RSA', 'EC', 'oct', 'OKP'), (jwk, kty) => {
      expect(() => importVerificationKey({ kid: 'k1', crv: 'P-256', ...jwk, kty })).not.toThrow()
    })

    fc.assert(property, { numRuns: 300 })
  })

  function edwardsJwk(): JsonWebKey {
    const key: KeyObject = generateKeyPairSync('ed25519').publicKey
    return key.export({ format: 'jwk' })
  }
})
