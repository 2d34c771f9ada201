/** Tokens that no broker writes, as a service's verifier meets them. Ids of the attack catalogue are those of the broker's own rows. */

import { KeyObject, sign } from 'node:crypto'
import { exportSPKI } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { constantSigner, encodePart, hmacSigner, joinSegments, signerOf } from '../support/raw-jws.ts'
import { openVerifyBench, type VerifyBench } from '../support/verify-bench.ts'

let bench: VerifyBench

beforeAll(async () => {
  bench = await openVerifyBench()
})
afterAll(() => bench.close())

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const HEADER = { alg: 'ES256', kid: 'es', typ: 'at+jwt' }

test('accepts what the issuer signed, under either algorithm', async () => {
  const rs256 = bench.forge({ ...HEADER, alg: 'RS256', kid: 'rs' }, bench.claims(), signerOf(bench.rs256))

  expect(await bench.outcome(bench.token())).toBe('accepted')
  expect(await bench.outcome(rs256)).toBe('accepted')
})

describe('algorithms', () => {
  test.each(['none', 'None', 'nOnE', 'HS256', 'RS512', 'ES384', 'PS256', 'EdDSA', 'es256'])(
    'JWT-01 refuses alg %s',
    async (alg) => {
      expect(await bench.outcome(bench.token({}, { alg }))).toBe('algorithm_not_allowed')
    },
  )

  test('JWT-01 refuses an empty signature', async () => {
    const unsigned = `${bench.token({}, { alg: 'none' }).split('.').slice(0, 2).join('.')}.`

    expect(await bench.outcome(unsigned)).toBe('token_malformed')
  })

  test.each([undefined, 256, ['ES256'], null, ''])('JWT-02 refuses alg %j', async (alg) => {
    expect(await bench.outcome(bench.token({}, { alg }))).toBe('token_malformed')
  })

  test('JWT-03 refuses HS256 under the public key, however that is spelled', async () => {
    const pem = await exportSPKI(bench.rs256.publicKey)
    const spellings = [pem, ` ${pem}`, pem.trim(), JSON.stringify(bench.rs256.jwk), bench.rs256.jwk.n ?? '']
    for (const spelling of spellings) {
      const header = { ...HEADER, alg: 'HS256', kid: 'rs' }
      const named = { ...HEADER, alg: 'RS256', kid: 'rs' }

      expect(await bench.outcome(bench.forge(header, bench.claims(), hmacSigner(spelling)))).toBe(
        'algorithm_not_allowed',
      )
      expect(await bench.outcome(bench.forge(named, bench.claims(), hmacSigner(spelling)))).toBe('signature_invalid')
    }
  })

  test('refuses an algorithm of ours that the service does not want, before it asks for keys', async () => {
    const before = bench.fetches()

    expect(await bench.outcome(bench.token(), bench.verifier({ algorithms: ['RS256'] }))).toBe('algorithm_not_allowed')
    expect(bench.fetches()).toBe(before)
  })

  test('refuses a token under a key of the other algorithm', async () => {
    expect(await bench.outcome(bench.token({}, { kid: 'rs' }))).toBe('key_unsuitable')
    expect(await bench.outcome(bench.token({}, { alg: 'RS256' }))).toBe('key_unsuitable')
  })
})

describe('signatures', () => {
  test.each([1, 63, 64, 65, 70, 256])('JWT-09 refuses a signature of %i zeros', async (length) => {
    const token = bench.forge(HEADER, bench.claims(), constantSigner(new Uint8Array(length)))

    expect(await bench.outcome(token)).toBe('signature_invalid')
  })

  test('JWT-09 refuses one in DER', async () => {
    const der = (input: Buffer): Buffer => sign('sha256', input, KeyObject.from(bench.es256.privateKey))

    expect(await bench.outcome(bench.forge(HEADER, bench.claims(), der))).toBe('signature_invalid')
  })

  test('refuses claims that were changed, and a header that was', async () => {
    const [header, , signature] = bench.token().split('.')
    const raised = encodePart(bench.claims({ scope: 'entries:read entries:write entries:delete' }))

    expect(await bench.outcome(`${header}.${raised}.${signature}`)).toBe('signature_invalid')
    const [, claims] = bench.token().split('.')
    const spaced = encodePart('{"alg":"ES256","kid":"es", "typ":"at+jwt"}')
    expect(await bench.outcome(`${spaced}.${claims}.${signature}`)).toBe('signature_invalid')
  })
})

describe('headers', () => {
  const BRINGERS: readonly (readonly [string, object])[] = [
    ['jwk', { jwk: { kty: 'EC' } }],
    ['jku', { jku: 'https://attacker.example/keys' }],
    ['x5u', { x5u: 'https://attacker.example/certificate.pem' }],
    ['x5c', { x5c: [] }],
    ['crit', { crit: ['exp'] }],
    ['b64', { b64: false }],
    ['b64 with crit', { b64: false, crit: ['b64'] }],
    ['cty', { cty: 'JWT' }],
    ['zip', { zip: 'DEF' }],
    ['p2c', { p2c: 10_000_000 }],
    ['a member of anybody’s', { 'x-debug': true }],
  ]

  test.each(BRINGERS)('JWT-07, JWT-19, JWT-21, JWT-22 refuses %s', async (_, members) => {
    expect(await bench.outcome(bench.token({}, members as Record<string, unknown>))).toBe('header_forbidden')
  })

  test.each([undefined, '', {}, 'a\nb', 'k'.repeat(257), null, 7])('JWT-06 refuses kid %j', async (kid) => {
    expect(await bench.outcome(bench.token({}, { kid }))).toBe('token_malformed')
  })

  test.each(['__proto__', 'constructor', '../../etc/passwd', "'OR1=1"])('JWT-06 knows no kid %s', async (kid) => {
    expect(await bench.outcome(bench.token({}, { kid }))).toBe('key_unknown')
  })

  const TYPES = ['JWT', 'AT+JWT', 'application/at+jwt', 'dpop+jwt', 'logout+jwt', 'secevent+jwt']

  test.each(TYPES)('JWT-34 refuses typ %s', async (typ) => {
    expect(await bench.outcome(bench.token({}, { typ }))).toBe('type_not_accepted')
  })

  test.each([undefined, 'at+jwt ', ['at+jwt']])('JWT-34 refuses typ %j', async (typ) => {
    expect(await bench.outcome(bench.token({}, { typ }))).toBe('token_malformed')
  })

  test('takes typ JWT where the audience has it, and then no other', async () => {
    const verifier = bench.verifier({ tokenType: 'JWT' })

    expect(await bench.outcome(bench.token({}, { typ: 'JWT' }), verifier)).toBe('accepted')
    expect(await bench.outcome(bench.token(), verifier)).toBe('type_not_accepted')
  })

  test('refuses a header that is too long or too deep', async () => {
    const deep = `{"alg":"ES256","kid":"es","typ":${'['.repeat(40)}${']'.repeat(40)}}`
    const long = `{"alg":"ES256","kid":"es","typ":"at+jwt"${' '.repeat(800)}}`

    expect(await bench.outcome(bench.forge(long, bench.claims()))).toBe('token_malformed')
    expect(await bench.outcome(bench.forge(deep, bench.claims()))).toBe('token_malformed')
  })
})

describe('spelling', () => {
  test('JWT-23 refuses every signature but the canonical spelling', async () => {
    const token = bench.token()
    const twins = ALPHABET.split('')
      .map((letter) => token.slice(0, -1) + letter)
      .filter((twin) => isTwin(token, twin))

    expect(twins.length).toBeGreaterThan(2)
    for (const twin of twins) expect(await bench.outcome(twin)).toBe('token_malformed')
  })

  test.each(['=', '==', '\n', ' ', '.', '~', '~x'])('JWT-19, JWT-23 refuses a token that ends with %j', async (end) => {
    expect(await bench.outcome(bench.token() + end)).toBe('token_malformed')
  })

  test.each([' ', '\ufeff', '.', 'Bearer '])('refuses a token that begins with %j', async (start) => {
    expect(await bench.outcome(start + bench.token())).toBe('token_malformed')
  })

  test('JWT-23 refuses segments that are not canonical, although the signature is about that spelling', async () => {
    const header = encodePart('{"alg":"ES256","kid":"es","typ":"at+jwt"}')
    const bent = header.slice(0, -1) + String.fromCharCode(header.charCodeAt(header.length - 1) + 1)
    const token = joinSegments(bent, encodePart(bench.claims()), signerOf(bench.es256))

    expect(Buffer.from(bent, 'base64url')).toEqual(Buffer.from(header, 'base64url'))
    expect(await bench.outcome(token)).toBe('token_malformed')
  })

  const TEXTS: readonly (readonly [string, (claims: string) => string | Uint8Array])[] = [
    ['aud twice', (claims) => claims.replace('{', '{"aud":"other",')],
    ['aud twice, once escaped', (claims) => claims.replace('{', '{"a\\u0075d":"other",')],
    ['__proto__', (claims) => claims.replace('{', '{"__proto__":{},')],
    ['a byte order mark', (claims) => `\ufeff${claims}`],
    ['invalid UTF-8', (claims) => Buffer.from(`${claims.slice(0, -1)},"x":"\xff"}`, 'latin1')],
    ['two values', (claims) => `${claims}${claims}`],
    ['an array', (claims) => `[${claims}]`],
    ['null', () => 'null'],
    ['text', () => '"x"'],
    ['nesting', (claims) => claims.replace('{', `{"x":${'['.repeat(5_000)}${']'.repeat(5_000)},`)],
  ]

  test.each(TEXTS)('JWT-17, JWT-29 refuses claims with %s', async (_, bend) => {
    expect(await bench.outcome(bench.forge(HEADER, bend(JSON.stringify(bench.claims()))))).toBe('token_malformed')
  })

  test('JWT-17 refuses a header that names alg twice', async () => {
    const header = '{"alg":"none","alg":"ES256","kid":"es","typ":"at+jwt"}'

    expect(await bench.outcome(bench.forge(header, bench.claims()))).toBe('token_malformed')
  })

  test('JWT-18 refuses JSON serialisations and polyglots', async () => {
    const [header, payload, signature] = bench.token().split('.')

    expect(await bench.outcome(JSON.stringify({ protected: header, payload, signature }))).toBe('token_malformed')
    expect(await bench.outcome(`{"payload":"x"}.${payload}.${signature}`)).toBe('token_malformed')
    expect(await bench.outcome(`${header}.${payload}.${signature}.x.y`)).toBe('token_malformed')
  })

  test('JWT-31 refuses huge tokens by their size, before anything else of them is read', async () => {
    expect(await bench.outcome('.'.repeat(1_048_576))).toBe('token_too_large')
    expect(await bench.outcome(`${bench.token()}${'A'.repeat(16_384)}`)).toBe('token_too_large')
  })

  test.each([undefined, null, 7, {}, ''])('refuses %j for a token', async (token) => {
    expect(await bench.outcome(token as string)).toBe('token_malformed')
  })
})

/** Whether two tokens differ, yet lenient readers find the same bytes in both. */
function isTwin(token: string, other: string): boolean {
  const bytes = (text: string): string => Buffer.from(text.split('.')[2] ?? '', 'base64url').toString('hex')
  return other !== token && bytes(other) === bytes(token)
}
