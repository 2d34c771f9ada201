/** Where an issuer's keys come from: discovery, a URL, or the document; fetched from a real server. */

import { generateKeyPairSync } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createHttpClient, type HttpClient } from '../../providers/kit/http.ts'
import {
  fetchDiscoveredKeys,
  fetchKeys,
  findKeysProblems,
  type KeysSetting,
  keysSchema,
  MAX_KEYS,
  parseObject,
} from '../../providers/kit/key-source.ts'
import { type StandInAnswer, type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { createTestEgress } from '../support/provider-ports.ts'
import { refusalOf, rejection } from '../support/rejection.ts'

const NEVER = new AbortController().signal
const DISCOVERY = '/.well-known/openid-configuration'
const JWK = { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid: 'k1' }

let issuer: StandInServer
let http: HttpClient
let answers: Record<string, StandInAnswer>

beforeAll(async () => {
  issuer = await startStandInServer({ route: ({ path }) => answers[path] ?? { status: 404 } })
  const egress = createTestEgress({ insecureHosts: [issuer.host] })
  const settings = { trustedIssuer: 'cluster', privateHosts: [], authorities: undefined }
  http = createHttpClient(settings, { egress, now: () => 0, observe: () => undefined })
  reset()
})
afterEach(() => {
  issuer.recover()
  reset()
})
afterAll(() => issuer.close())

function reset(): void {
  const metadata = { issuer: issuer.origin, jwks_uri: `${issuer.origin}/keys` }
  answers = { [DISCOVERY]: { status: 200, body: metadata }, '/keys': { status: 200, body: { keys: [JWK] } } }
}

const paths = (): readonly string[] => issuer.requests.map(({ path }) => path)
const discover = (iss = issuer.origin) => fetchDiscoveredKeys(http, iss, NEVER)
const fetchSet = () => fetchKeys(http, `${issuer.origin}/keys`, NEVER)

describe('discovery', () => {
  test('asks at the issuer for the metadata, and where that says for the keys', async () => {
    const before = issuer.requests.length

    expect(await discover()).toEqual({ members: [JWK], maxAgeSeconds: undefined })
    expect(paths().slice(before)).toEqual([DISCOVERY, '/keys'])
  })

  test('keeps the path of an issuer, and does not double its last slash', async () => {
    for (const iss of [`${issuer.origin}/id/1`, `${issuer.origin}/id/1/`]) {
      answers[`/id/1${DISCOVERY}`] = { status: 200, body: { issuer: iss, jwks_uri: `${issuer.origin}/keys` } }

      expect((await discover(iss)).members).toEqual([JWK])
    }
  })

  test.each([
    ['another issuer', (origin: string) => `${origin}.attacker.example`],
    ['the issuer with a slash', (origin: string) => `${origin}/`],
    ['the issuer in a list', (origin: string) => [origin]],
    ['no issuer', () => undefined],
  ])('refuses metadata that names %s, and asks for no keys', async (_, issuerOf) => {
    const metadata = { issuer: issuerOf(issuer.origin), jwks_uri: `${issuer.origin}/keys` }
    answers[DISCOVERY] = { status: 200, body: metadata }
    const before = issuer.requests.length

    expect((await rejection(discover())).code).toBe('upstream_malformed')
    expect(paths().slice(before)).toEqual([DISCOVERY])
  })

  test.each([
    ['another host', () => 'https://keys.attacker.example/keys'],
    ['another port', (origin: string) => `${origin.slice(0, -1)}/keys`],
    ['another scheme', (origin: string) => `${origin.replace('http:', 'https:')}/keys`],
    ['a private address', () => 'http://169.254.169.254/latest'],
    ['a file', () => 'file:///etc/passwd'],
    ['a path alone', () => '/keys'],
    ['a list', (origin: string) => [`${origin}/keys`]],
    ['nothing', () => undefined],
  ])('refuses keys at %s, and asks for none', async (_, uriOf) => {
    answers[DISCOVERY] = { status: 200, body: { issuer: issuer.origin, jwks_uri: uriOf(issuer.origin) } }
    const before = issuer.requests.length

    expect((await rejection(discover())).code).toBe('upstream_malformed')
    expect(paths().slice(before)).toEqual([DISCOVERY])
  })

  test.each([
    ['an opaque URL of the same origin', (origin: string) => `blob:${origin}/keys`],
    ['a user', (origin: string) => `${origin.replace('://', '://user@')}/keys`],
    ['a fragment', (origin: string) => `${origin}/keys#x`],
  ])('never asks for keys at %s', async (_, uriOf) => {
    answers[DISCOVERY] = { status: 200, body: { issuer: issuer.origin, jwks_uri: uriOf(issuer.origin) } }
    const before = issuer.requests.length

    expect((await rejection(discover())).code).toBe('upstream_address_refused')
    expect(paths().slice(before)).toEqual([DISCOVERY])
  })

  test('refuses metadata above 64 KiB', async () => {
    const metadata = JSON.stringify({ issuer: issuer.origin, jwks_uri: `${issuer.origin}/keys` })
    answers[DISCOVERY] = { status: 200, body: metadata.padEnd(65_536) }
    expect((await discover()).members).toEqual([JWK])
    answers[DISCOVERY] = { status: 200, body: metadata.padEnd(65_537) }

    expect((await rejection(discover())).code).toBe('upstream_too_large')
  })

  test('ends when whoever asks wants it to', async () => {
    const ended = AbortSignal.abort()

    expect((await rejection(fetchDiscoveredKeys(http, issuer.origin, ended))).code).toBe('upstream_timeout')
    expect((await rejection(fetchKeys(http, `${issuer.origin}/keys`, ended))).code).toBe('upstream_timeout')
  })
})

describe('a key set', () => {
  test.each([201, 204, 401, 403, 404, 500, 503])('is not taken from an answer with status %d', async (status) => {
    answers['/keys'] = { status, body: status === 204 ? '' : { keys: [JWK] } }

    expect(await rejection(fetchSet())).toMatchObject({ code: 'upstream_status', facts: { status } })
  })

  test.each([
    ['not JSON', '<html>'],
    ['a list', '[]'],
    ['null', 'null'],
    ['without keys', '{}'],
    ['with keys that are no list', '{"keys":{"0":{}}}'],
    ['with keys twice', '{"keys":[],"keys":[]}'],
    ['after a byte order mark', '\ufeff{"keys":[]}'],
    ['nested too deeply', `{"keys":[${'['.repeat(15)}${']'.repeat(15)}]}`],
  ])('is refused where it is %s', async (_, body) => {
    answers['/keys'] = { status: 200, body }

    expect((await rejection(fetchSet())).code).toBe('upstream_malformed')
  })

  test('has at most a hundred keys, and 256 KiB', async () => {
    const keys = (count: number): object => ({ keys: Array.from({ length: count }, (_, at) => ({ kid: String(at) })) })
    answers['/keys'] = { status: 200, body: keys(MAX_KEYS) }
    expect((await fetchSet()).members).toHaveLength(100)

    answers['/keys'] = { status: 200, body: keys(MAX_KEYS + 1) }
    expect((await rejection(fetchSet())).code).toBe('upstream_malformed')
    answers['/keys'] = { status: 200, body: JSON.stringify(keys(1)).padEnd(262_144) }
    expect((await fetchSet()).members).toHaveLength(1)
    answers['/keys'] = { status: 200, body: JSON.stringify(keys(1)).padEnd(262_145) }
    expect((await rejection(fetchSet())).code).toBe('upstream_too_large')
  })

  test.each([
    ['max-age=60', 60],
    ['public, max-age=3600', 3_600],
    ['max-age=0, must-revalidate', 0],
    ['MAX-AGE=7,public', 7],
    ['max-age=9999999999', 9_999_999_999],
    ['', undefined],
    ['no-store', undefined],
    ['s-maxage=5', undefined],
    ['x-max-age=5', undefined],
    ['max-age=-5', undefined],
    ['max-age=1e9', undefined],
    ['max-age=', undefined],
    ['max-age="60"', undefined],
    ['max-age=60s', undefined],
    ['stale-while-revalidate=5', undefined],
  ])('with the Cache-Control %j may be kept for %j seconds', async (value, expected) => {
    answers['/keys'] = { status: 200, headers: { 'cache-control': value }, body: { keys: [] } }

    expect((await fetchSet()).maxAgeSeconds).toBe(expected)
  })
})

describe('an upstream’s object', () => {
  test('is read from UTF-8 with one meaning, and from nothing else', () => {
    expect(parseObject(Buffer.from('{"é":1}'))).toEqual({ é: 1 })
    const bad = ['7b22ff223a317d', '7b2261223a312c2261223a327d', 'efbbbf7b7d', '31', ''].map((hex) =>
      Buffer.from(hex, 'hex'),
    )
    for (const bytes of bad) expect(refusalOf(() => parseObject(bytes)).code).toBe('upstream_malformed')
  })
})

describe('the setting', () => {
  const allowance = { privateHosts: ['10.0.0.1'], insecureHosts: new Set<string>() }
  const problems = (keys: KeysSetting) =>
    findKeysProblems(keys, allowance).map(({ path, code }) => `${path.join('.')} ${code}`)
  const inline = (...keys: readonly Record<string, unknown>[]): KeysSetting => ({
    from: 'inline',
    jwks: { keys: [...keys] },
  })

  test('is discovery, a URL or keys, and nothing beside', () => {
    const good = [{ from: 'discovery' }, { from: 'url', url: 'x' }, { from: 'inline', jwks: { keys: [JWK], more: 1 } }]
    const bad = [
      { from: 'discovery', url: 'x' },
      { from: 'url' },
      { from: 'file' },
      {},
      null,
      { from: 'inline', jwks: {} },
    ]

    expect(good.map((setting) => keysSchema.safeParse(setting).success)).toEqual([true, true, true])
    for (const setting of bad) expect(keysSchema.safeParse(setting).success).toBe(false)
    const tooMany = { from: 'inline', jwks: { keys: Array.from({ length: MAX_KEYS + 1 }, () => JWK) } }
    expect(keysSchema.safeParse(tooMany).success).toBe(false)
  })

  test('may name a URL that may be fetched, and no other', () => {
    expect(problems({ from: 'discovery' })).toEqual([])
    expect(problems({ from: 'url', url: 'https://issuer.example/keys' })).toEqual([])
    expect(problems({ from: 'url', url: 'https://10.0.0.1/keys' })).toEqual([])
    expect(problems({ from: 'url', url: 'https://10.0.0.2/keys' })).toEqual(['keys.url url_refused'])
    expect(problems({ from: 'url', url: 'http://issuer.example/keys' })).toEqual(['keys.url url_refused'])
  })

  test('names at least one key, each usable, and no kid twice', () => {
    expect(problems(inline(JWK, { ...JWK, kid: 'k2' }))).toEqual([])
    expect(problems(inline())).toEqual(['keys.jwks.keys keys_empty'])
    expect(problems(inline(JWK, { ...JWK, d: 'AQ' }, { kty: 'oct' }))).toEqual([
      'keys.jwks.keys.1 key_refused',
      'keys.jwks.keys.2 key_refused',
    ])
    expect(problems(inline(JWK, JWK))).toEqual(['keys.jwks.keys.1 key_id_repeated'])
  })
})
