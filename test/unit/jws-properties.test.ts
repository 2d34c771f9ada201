/** What no text can do to the readers of a proof: make them throw something else, or pass what was bent. */

import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProofError } from '../../providers/contract/errors.ts'
import { MAX_PROOF_LENGTH, readCompactJws, readIssuerHint } from '../../providers/kit/compact-jws.ts'
import { importVerificationKey, isSignatureValid } from '../../providers/kit/verification-key.ts'
import { jsonText } from '../support/json-texts.ts'
import { constantSigner, encodePart, rawJws, signWith } from '../support/raw-jws.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const key = importVerificationKey({ ...publicKey.export({ format: 'jwk' }), kid: 'k1' })
const ISSUER = 'https://issuer.example'
const genuine = rawJws({ alg: 'ES256', kid: 'k1' }, { iss: ISSUER, sub: 'someone' }, signWith(privateKey, 'ES256'))

/** What the reader makes of a text: a JWS or a ProofError; anything else is thrown on. */
function read(text: string) {
  try {
    return readCompactJws(text)
  } catch (error) {
    if (error instanceof ProofError) return undefined
    throw error
  }
}

function verifies(text: string): boolean {
  const jws = read(text)
  if (jws === undefined || 'unusable' in key) return false
  return isSignatureValid(key, jws.signingInput, jws.signature)
}

const segment = fc.oneof(
  fc.string(),
  fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64url')),
  fc.jsonValue().map((value) => encodePart(JSON.stringify(value))),
  jsonText.map(({ text }) => encodePart(text)),
)
const segments = fc.array(segment, { maxLength: 6 }).map((parts) => parts.join('.'))
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), segments)

/** A genuine token with some of its text replaced, removed, doubled or moved. */
const bent = fc
  .tuple(fc.nat(genuine.length), fc.nat(6), fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('.', '=', 'A', '')))
  .map(([at, length, put]) => genuine.slice(0, at) + put + genuine.slice(at + length))
  .filter((text) => text !== genuine)

describe('the strict reader', () => {
  test('throws nothing but a ProofError, whatever text it is given', () => {
    const property = fc.property(anyText, (text) => {
      expect(() => read(text)).not.toThrow()
    })

    fc.assert(property, { numRuns: 3_000 })
  })

  test('reads the genuine token, and no bent one whose signature still holds', () => {
    expect(verifies(genuine)).toBe(true)

    const property = fc.property(bent, (text) => {
      expect(verifies(text)).toBe(false)
    })

    fc.assert(property, { numRuns: 3_000 })
  })

  test('gives back exactly what was written, for whatever header and claims have one meaning', () => {
    const member = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 })
    const property = fc.property(member, fc.string(), fc.uint8Array({ minLength: 1 }), (claims, alg, signature) => {
      fc.pre(!JSON.stringify(claims).includes('"__proto__"'))

      const jws = readCompactJws(rawJws({ alg }, claims, constantSigner(signature)))

      expect(jws.algorithm).toBe(alg)
      expect(JSON.stringify(jws.claims)).toBe(JSON.stringify(claims))
      expect(jws.signature).toEqual(Buffer.from(signature))
    })

    fc.assert(property, { numRuns: 500 })
  })

  test('never reads two texts as one: what it takes, written again, is what it took', () => {
    const property = fc.property(fc.oneof(bent, segments), (text) => {
      const jws = read(text)
      if (jws === undefined) return

      const input = Buffer.from(jws.signingInput).toString()
      expect(`${input}.${Buffer.from(jws.signature).toString('base64url')}`).toBe(text)
    })

    fc.assert(property, { numRuns: 2_000 })
  })
})

describe('the issuer hint', () => {
  const unsigned = (payload: string): string => `${encodePart('{}')}.${encodePart(payload)}.AA`

  test('never throws, and is text or nothing', () => {
    const property = fc.property(fc.oneof(anyText, bent), (text) => {
      expect(['string', 'undefined']).toContain(typeof readIssuerHint(text))
    })

    fc.assert(property, { numRuns: 3_000 })
  })

  test('is the very issuer that the strict reader reads, wherever that reads one', () => {
    const claims = fc.record({ iss: fc.oneof(fc.string({ unit: 'grapheme' }), fc.jsonValue()), sub: fc.string() })
    const property = fc.property(claims, (value) => {
      const proof = rawJws({ alg: 'ES256' }, value, constantSigner(Buffer.alloc(64)))
      const issuer = read(proof)?.claims.iss
      fc.pre(typeof issuer === 'string')

      expect(readIssuerHint(proof)).toBe(issuer)
    })

    fc.assert(property, { numRuns: 500 })
  })

  test.each([
    ['the claims name none', '{"sub":"x"}'],
    ['it is a list', `{"iss":["${ISSUER}"]}`],
    ['it is an object', '{"iss":{}}'],
    ['it is null', '{"iss":null}'],
    ['it is inherited', `{"__proto__":{"iss":"${ISSUER}"}}`],
    ['the claims are a list', '["iss"]'],
    ['the claims are null', 'null'],
    ['the claims are text', `"${ISSUER}"`],
    ['the claims are not JSON', `{"iss":"${ISSUER}"`],
    ['the claims are nested without end', '['.repeat(10_000)],
  ])('is nothing where %s', (_, payload) => {
    expect(readIssuerHint(unsigned(payload))).toBeUndefined()
  })

  test('is nothing where there are no three parts, or the proof is too long', () => {
    const claims = encodePart({ iss: ISSUER })

    expect(readIssuerHint(claims)).toBeUndefined()
    expect(readIssuerHint(`${claims}A`)).toBeUndefined()
    expect(readIssuerHint(`x.${claims}`)).toBeUndefined()
    expect(readIssuerHint(`x.${claims}A`)).toBeUndefined()
    expect(readIssuerHint(`x.${claims}.`)).toBe(ISSUER)
    const start = `x.${claims}.`
    expect(readIssuerHint(start + 'A'.repeat(MAX_PROOF_LENGTH - start.length))).toBe(ISSUER)
    expect(readIssuerHint(start + 'A'.repeat(MAX_PROOF_LENGTH - start.length + 1))).toBeUndefined()
  })
})
