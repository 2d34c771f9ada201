/** The strict reader before the signature: what it takes, byte for byte, and every way in which it refuses. */

import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { MAX_HEADER_LENGTH, MAX_JSON_DEPTH, MAX_PROOF_LENGTH, readCompactJws } from '../../providers/kit/compact-jws.ts'
import { constantSigner, encodePart, joinSegments, type Part, rawJws } from '../support/raw-jws.ts'
import { refusalOf } from '../support/rejection.ts'

const SIGNATURE = randomBytes(64)
const HEADER = { alg: 'ES256', kid: 'k1' }
const CLAIMS = { iss: 'https://issuer.example', sub: 'someone' }

const signer = constantSigner(SIGNATURE)
const jwsOf = (header: Part = HEADER, payload: Part = CLAIMS): string => rawJws(header, payload, signer)
const codeOf = (proof: string): string => refusalOf(() => readCompactJws(proof)).code

/** Text of exactly this many base64url characters. */
const padTo = (length: number, make: (padding: string) => string): string => {
  const missing = length - make('').length
  return make('x'.repeat(Math.max(0, missing)))
}

describe('a well-formed proof', () => {
  test('is read as it is written', () => {
    const proof = jwsOf()

    expect(readCompactJws(proof)).toEqual({
      algorithm: 'ES256',
      keyId: 'k1',
      claims: CLAIMS,
      signingInput: Buffer.from(proof.slice(0, proof.lastIndexOf('.'))),
      signature: SIGNATURE,
    })
  })

  test('needs no kid and no typ, and may have what changes nothing', () => {
    expect(readCompactJws(jwsOf({ alg: 'RS256' })).keyId).toBeUndefined()
    expect(readCompactJws(jwsOf({ ...HEADER, x5t: 'abc', 'x5t#S256': 'abc', ver: '1' })).keyId).toBe('k1')
    expect(readCompactJws(jwsOf({ alg: 'none' })).algorithm).toBe('none')
  })

  test.each(['JWT', 'jwt', 'Jwt'])('may have the typ %s', (typ) => {
    expect(readCompactJws(jwsOf({ ...HEADER, typ })).algorithm).toBe('ES256')
  })
})

describe('size', () => {
  test('is bounded at 16 KiB, a header at 2 KiB, and nesting at sixteen levels', () => {
    expect([MAX_PROOF_LENGTH, MAX_HEADER_LENGTH, MAX_JSON_DEPTH]).toEqual([16_384, 2_732, 16])
  })

  test('takes 16 KiB, and refuses one character more before it looks at anything', () => {
    const start = `${encodePart(HEADER)}.${encodePart(CLAIMS)}.`
    const ofLength = (length: number): string => start + 'A'.repeat(length - start.length)

    expect(readCompactJws(ofLength(MAX_PROOF_LENGTH)).keyId).toBe('k1')
    expect(codeOf(ofLength(MAX_PROOF_LENGTH + 1))).toBe('proof_too_large')
    expect(codeOf('.'.repeat(1_048_576))).toBe('proof_too_large')
  })

  test('takes a header of 2 KiB, and refuses one that is longer', () => {
    const header = (characters: number): string =>
      padTo(Math.floor((characters * 3) / 4), (padding) => JSON.stringify({ ...HEADER, x5t: padding }))

    expect(encodePart(header(MAX_HEADER_LENGTH))).toHaveLength(MAX_HEADER_LENGTH)
    expect(readCompactJws(jwsOf(header(MAX_HEADER_LENGTH))).keyId).toBe('k1')
    expect(codeOf(jwsOf(header(MAX_HEADER_LENGTH + 2)))).toBe('proof_malformed')
  })
})

describe('form', () => {
  const proof = jwsOf()
  const [header = '', payload = '', signature = ''] = proof.split('.')

  test.each([
    ['nothing', ''],
    ['a space', ' '],
    ['two dots', '..'],
    ['no signature', `${header}.${payload}`],
    ['an empty signature', `${header}.${payload}.`],
    ['an empty header', `.${payload}.${signature}`],
    ['an empty payload', `${header}..${signature}`],
    ['four parts', `${proof}.${signature}`],
    ['five parts, as of an encrypted token', `${proof}.${signature}.${signature}`],
    ['a disclosure behind a tilde', `${proof}~`],
    ['JSON serialisation', JSON.stringify({ protected: header, payload, signature })],
    ['a polyglot', `{"payload":"${payload}"}.${payload}.${signature}`],
    ['a line break at the end', `${proof}\n`],
    ['a space at the end', `${proof} `],
    ['a space at the start', ` ${proof}`],
    ['a byte order mark', `\ufeff${proof}`],
    ['a line break inside', `${header}.${payload}\n.${signature}`],
    ['padding of the header', `${header}=.${payload}.${signature}`],
    ['padding of the payload', `${header}.${payload}==.${signature}`],
    ['padding of the signature', `${proof}==`],
    ['the alphabet of plain base64', `${header}.${payload}.${signature.slice(0, -2)}+/`],
    ['a letter that is not ASCII', `${header}.${payload}.${signature}é`],
    ['a percent sign', `${header}%2E${payload}.${signature}`],
  ])('refuses %s', (_, text) => {
    expect(codeOf(text)).toBe('proof_malformed')
  })

  test('refuses every spelling of a segment but the canonical one', () => {
    // One byte is two characters, of whose last four bits mean nothing; two bytes are three, two bits too many.
    const spellings = (canonical: string): string[] =>
      'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
        .split('')
        .map((last) => canonical.slice(0, -1) + last)
        .filter((text) => Buffer.from(text, 'base64url').equals(Buffer.from(canonical, 'base64url')))
    const odd = encodePart('{"alg":"ES256" }')
    const other = encodePart('{"alg":"ES256"  }')

    for (const [canonical, place] of [
      [odd, (text: string) => joinSegments(text, payload, signer)],
      [other, (text: string) => joinSegments(text, payload, signer)],
      [encodePart('{"a":10}'), (text: string) => joinSegments(header, text, signer)],
      [encodePart('{"a":1}'), (text: string) => joinSegments(header, text, signer)],
      [signature, (text: string) => `${header}.${payload}.${text}`],
    ] as const) {
      const passed = spellings(canonical).filter((text) => codeIfAny(place(text)) === undefined)
      expect(passed).toEqual([canonical])
    }
  })

  test('refuses a segment of a length that no bytes have', () => {
    expect(codeOf(`${header}.${payload}.AAAAA`)).toBe('proof_malformed')
    expect(codeOf(`${header}.${payload}.A`)).toBe('proof_malformed')
  })

  function codeIfAny(text: string): string | undefined {
    try {
      readCompactJws(text)
      return undefined
    } catch {
      return codeOf(text)
    }
  }
})

describe.each([
  ['header', (part: Part) => jwsOf(part), '"alg":"ES256"'],
  ['claims set', (part: Part) => jwsOf(HEADER, part), '"iss":"x"'],
])('the %s', (_, place, member) => {
  test.each([
    ['a list', `[{${member}}]`],
    ['text', '"ES256"'],
    ['null', 'null'],
    ['a number', '1'],
    ['nothing but white space', ' '],
    ['three values', `{${member}}{}{}`],
    ['a byte order mark', `\ufeff{${member}}`],
    ['a member twice', `{${member},${member}}`],
    ['a member twice, once escaped', `{${member},${member.replace('s', '\\u0073').replace('l', '\\u006c')}}`],
    ['a member twice, deep inside', `{${member},"a":[{"b":1,"b":1}]}`],
    ['a member __proto__', `{${member},"__proto__":{}}`],
    ['a comma too many', `{${member},}`],
    ['a comment', `{${member}/**/}`],
  ])('is refused where it is or has %s', (__, text) => {
    expect(codeOf(place(text))).toBe('proof_malformed')
  })

  test('is refused where it is not UTF-8, and the next one that is UTF-8 is read', () => {
    const bytes = (...inside: readonly number[]): Buffer =>
      Buffer.concat([Buffer.from(`{${member},"a":"`), Buffer.from(inside), Buffer.from('"}')])

    expect(codeOf(place(bytes(0xff)))).toBe('proof_malformed')
    expect(codeOf(place(bytes(0xc3)))).toBe('proof_malformed')
    expect(codeOf(place(bytes(0xc0, 0xaf)))).toBe('proof_malformed')
    expect(codeOf(place(bytes(0xed, 0xa0, 0x80)))).toBe('proof_malformed')
    expect(codeOf(place(Buffer.from([0xe2, 0x82])))).toBe('proof_malformed')
    expect(() => readCompactJws(place(bytes(0xc3, 0xa9)))).not.toThrow()
  })

  test('may be nested sixteen levels deep, and no deeper', () => {
    const nested = (levels: number): string => `{${member},"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`

    expect(() => readCompactJws(place(nested(MAX_JSON_DEPTH)))).not.toThrow()
    expect(codeOf(place(nested(MAX_JSON_DEPTH + 1)))).toBe('proof_malformed')
  })
})

describe('the parameters of the header', () => {
  const FORBIDDEN = ['crit', 'b64', 'jku', 'jwk', 'x5u', 'x5c', 'cty', 'zip', 'enc', 'epk', 'p2c', 'p2s']

  test.each(FORBIDDEN)('refuses %s, whatever its value', (name) => {
    for (const value of [true, false, null, '', [], {}, 'https://attacker.example/keys']) {
      const error = refusalOf(() => readCompactJws(jwsOf({ ...HEADER, [name]: value })))
      expect(error).toMatchObject({ code: 'header_forbidden', facts: { member: name } })
    }
  })

  test.each([
    ['no alg', {}],
    ['null', { alg: null }],
    ['a number', { alg: 256 }],
    ['a list', { alg: ['ES256'] }],
    ['an object', { alg: { toString: 'ES256' } }],
  ])('refuses %s for alg', (_, header) => {
    expect(codeOf(jwsOf({ kid: 'k1', ...header }))).toBe('proof_malformed')
  })

  test.each([
    '',
    'at+jwt',
    'dpop+jwt',
    'logout+jwt',
    'secevent+jwt',
    'application/jwt',
    'JWT ',
    'JOSE',
    null,
    1,
    ['JWT'],
    {},
  ])('refuses the typ %j', (typ) => {
    expect(codeOf(jwsOf({ ...HEADER, typ }))).toBe('type_not_accepted')
  })

  test.each([
    ['nothing', ''],
    ['257 characters', 'k'.repeat(257)],
    ['a space', 'a b'],
    ['a line break', 'k1\n'],
    ['a NUL', 'k\u0000'],
    ['a letter that is not ASCII', 'ké'],
    ['null', null],
    ['a number', 1],
    ['a list', ['k1']],
    ['an object', { k: 1 }],
  ])('refuses a kid that is or has %s', (_, kid) => {
    expect(codeOf(jwsOf({ alg: 'ES256', kid }))).toBe('proof_malformed')
  })

  test.each([
    'k'.repeat(256),
    '!',
    '~',
    '__proto__',
    'constructor',
    "' OR 1=1".replaceAll(' ', '+'),
    '../../etc/passwd',
  ])('takes the kid %s as the text that it is', (kid) => {
    expect(readCompactJws(jwsOf(`{"alg":"ES256","kid":${JSON.stringify(kid)}}`)).keyId).toBe(kid)
  })
})

test('an error holds nothing of the proof', () => {
  const secret = 'hunter2-hunter2-hunter2'
  const bad = [jwsOf({ ...HEADER, jwk: secret }), jwsOf({ alg: secret, kid: 1 }), jwsOf(HEADER, `{"a":"${secret}"`)]

  for (const proof of bad) {
    const shown = inspect(
      refusalOf(() => readCompactJws(proof)),
      { depth: null, showHidden: true },
    )
    for (const part of [secret, ...proof.split('.')]) expect(shown).not.toContain(part)
  }
})
