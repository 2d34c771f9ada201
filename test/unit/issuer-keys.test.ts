/** The key set of one issuer: where it comes from, whose keys are in it, and how long it is remembered. */

import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { ProofError } from '../../providers/contract/errors.ts'
import { createIssuerKeys, type IssuerKeysSettings } from '../../providers/kit/issuer-keys.ts'
import { fetchKeys, type KeysSetting } from '../../providers/kit/key-source.ts'
import { type StandInAnswer, type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { type Authority, createAuthority } from '../support/certificates.ts'
import { createTestClock, type TestClock } from '../support/clock.ts'
import { makeJwk } from '../support/key-issuer.ts'
import { createTestPorts, type TestPorts } from '../support/provider-ports.ts'
import { rejection } from '../support/rejection.ts'

const PRIVATE_NAME = 'keys.corp.example'
const [K1, K2, K3] = [makeJwk('k1'), makeJwk('k2'), makeJwk('k3')]

let authority: Authority
let host: StandInServer
let secret: StandInServer
let answers: Record<string, StandInAnswer>
let clock: TestClock
let ports: TestPorts

beforeAll(async () => {
  authority = createAuthority('corp')
  host = await startStandInServer({ route: ({ path }) => answers[path] ?? { status: 404 } })
  const tls = authority.issue({ hostnames: [PRIVATE_NAME] })
  secret = await startStandInServer({ route: () => keySet(K1), tls, hostname: PRIVATE_NAME })
  reset()
})
afterEach(reset)
afterAll(async () => {
  await host.close()
  await secret.close()
})

function reset(): void {
  clock = createTestClock()
  answers = { '/platform': keySet(K1), '/own': keySet(K2) }
  ports = createTestPorts({
    clock,
    insecureHosts: [host.host],
    addresses: { [PRIVATE_NAME]: ['127.0.0.1'] },
    files: { 'ca.pem': authority.cert },
  })
}

function keySet(...keys: readonly object[]): StandInAnswer {
  return { status: 200, body: { keys } }
}

const byUrl = (path: string): KeysSetting => ({ from: 'url', url: `${host.origin}${path}` })
const inline = (...keys: { [name: string]: unknown }[]): KeysSetting => ({ from: 'inline', jwks: { keys } })
const isNotK2 = (member: unknown): boolean => member !== null && Object(member).kid !== 'k2'

function keysOf(more: Partial<IssuerKeysSettings> = {}, from = ports) {
  const settings: IssuerKeysSettings = {
    provider: 'gcp',
    trustedIssuer: 'google',
    issuer: 'https://issuer.example',
    keys: { from: 'discovery' },
    privateHosts: [],
    caFile: undefined,
    discover: (http, signal) => fetchKeys(http, `${host.origin}/platform`, signal),
    ...more,
  }
  return createIssuerKeys(settings, from)
}

/** What asking for a key comes to: its id, or the code of the error. */
const ask = (keyId: string, more?: Partial<IssuerKeysSettings>): Promise<string> =>
  keysOf(more)
    .find(keyId)
    .then(
      (key) => key.keyId,
      (error: unknown) => (error instanceof ProofError ? error.code : Promise.reject(error)),
    )

async function pathsOf(act: () => Promise<unknown>, server = host): Promise<readonly string[]> {
  const before = server.requests.length
  await act()
  return server.requests.slice(before).map(({ path }) => path)
}

describe('keys', () => {
  test('in the document are taken from there, and nobody is asked', async () => {
    const asked = await pathsOf(async () => {
      expect(await ask('k3', { keys: inline(K3) })).toBe('k3')
      expect(await ask('k1', { keys: inline(K3) })).toBe('key_unknown')
    })

    expect(asked).toEqual([])
    expect(ports.resolved).toEqual([])
  })

  test('by URL are fetched there, and not where the platform has them', async () => {
    const asked = await pathsOf(async () => expect(await ask('k2', { keys: byUrl('/own') })).toBe('k2'))

    expect(asked).toEqual(['/own'])
  })

  test('by discovery are fetched where the platform has them', async () => {
    const asked = await pathsOf(async () => expect(await ask('k1')).toBe('k1'))

    expect(asked).toEqual(['/platform'])
  })

  test('are fetched at once, and all of it within one time limit', async () => {
    const ended = AbortSignal.abort()
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((milliseconds) => {
      expect(milliseconds).toBe(5_000)
      return ended
    })

    const code = await ask('k1', {
      discover: async (_http, signal) => {
        expect(signal).toBe(ended)
        throw new ProofError('upstream_timeout', 'the limit was handed on')
      },
    })

    expect(code).toBe('upstream_timeout')
  })

  test('stay fresh for as long as their answer says', async () => {
    answers['/platform'] = { ...keySet(K1), headers: { 'cache-control': 'max-age=7200' } }

    expect(await ask('k1')).toBe('k1')
    clock.advance(7_199)
    expect(await pathsOf(() => ask('k1'))).toEqual([])
    clock.advance(1)
    expect(await pathsOf(() => ask('k1'))).toEqual(['/platform'])
  })
})

describe('keys of others in the same set', () => {
  test('are none of this issuer’s, wherever the set is from', async () => {
    answers['/platform'] = keySet(K1, K2)
    answers['/own'] = keySet(K1, K2)

    for (const keys of [{ from: 'discovery' } as const, byUrl('/own'), inline(K1, K2)]) {
      expect(await ask('k1', { keys, isOfIssuer: isNotK2 })).toBe('k1')
      expect(await ask('k2', { keys, isOfIssuer: isNotK2 })).toBe('key_unknown')
    }
  })

  test('do not make an id ambiguous that one of them has too', async () => {
    const foreign = { ...K2, kid: 'k1', issuer: 'other' }
    answers['/platform'] = keySet(foreign, K1)

    const key = await keysOf({ isOfIssuer: (member) => Object(member).issuer === undefined }).find('k1')

    expect(key.key.export({ format: 'jwk' })).toMatchObject({ x: K1.x })
    expect(await ask('k1', { issuer: 'https://any.example' })).toBe('key_unknown')
  })

  test('and those that cannot be used are told under the trusted issuer’s name', async () => {
    answers['/platform'] = keySet(K1, { kid: 'x' })
    await ask('k1', { trustedIssuer: 'named' })

    expect(ports.events).toMatchObject([
      { kind: 'upstream', trustedIssuer: 'named', purpose: 'keys' },
      { kind: 'key_ignored', trustedIssuer: 'named', why: 'key_type' },
    ])
  })
})

describe('a private host', () => {
  const keys = (): KeysSetting => ({ from: 'url', url: `${secret.origin}/keys` })

  test('is asked where the document names it, under the authority that the document names', async () => {
    expect(await ask('k1', { keys: keys(), privateHosts: [secret.host], caFile: 'ca.pem' })).toBe('k1')
  })

  test('is not asked where either is missing', async () => {
    const asked = await pathsOf(async () => {
      expect(await ask('k1', { keys: keys(), caFile: 'ca.pem' })).toBe('upstream_address_refused')
      expect(await ask('k1', { keys: keys(), privateHosts: [secret.host] })).toBe('upstream_unreachable')
      expect(await ask('k1', { keys: keys(), privateHosts: [secret.host], caFile: 'no.pem' })).toBe('file_unreadable')
    }, secret)

    expect(asked).toEqual([])
  })
})

describe('what was fetched', () => {
  test('is remembered by whoever is made of the same settings', async () => {
    const asked = await pathsOf(async () => {
      expect(await ask('k1')).toBe('k1')
      expect(await ask('k1')).toBe('k1')
      expect(await ask('k2', { keys: byUrl('/own') })).toBe('k2')
      expect(await ask('k2', { keys: byUrl('/own') })).toBe('k2')
    })

    expect(asked).toEqual(['/platform', '/own'])
  })

  test.each<[string, Partial<IssuerKeysSettings>]>([
    ['provider', { provider: 'azure' }],
    ['trusted issuer', { trustedIssuer: 'other' }],
    ['issuer', { issuer: 'https://issuer.example/' }],
    ['private hosts', { privateHosts: ['keys.corp.example'] }],
    ['authority', { caFile: 'ca.pem' }],
  ])('is not remembered by another %s', async (_, more) => {
    await ask('k1')

    expect(await pathsOf(() => ask('k1', more))).toEqual(['/platform'])
  })

  test('is not remembered by another URL', async () => {
    answers['/elsewhere'] = keySet(K3)
    await ask('k2', { keys: byUrl('/own') })

    expect(await ask('k3', { keys: byUrl('/elsewhere') })).toBe('k3')
    expect(await ask('k2', { keys: byUrl('/elsewhere') })).toBe('key_unknown')
  })

  test('is never what the document said before: keys in it are those of the document alone', async () => {
    await ask('k1', { keys: inline(K1) })

    expect(await ask('k1', { keys: inline(K2) })).toBe('key_unknown')
  })

  test('is fetched anew by other ports', async () => {
    await ask('k1')
    const others = createTestPorts({ clock, insecureHosts: [] })

    expect((await rejection(keysOf({}, others).find('k1'))).code).toBe('upstream_address_refused')
  })
})
