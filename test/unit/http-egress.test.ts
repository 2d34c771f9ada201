/** Where the one way out leads: which addresses it takes, which certificates, and which proxy. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createHttpClient, type HttpClient } from '../../providers/kit/http.ts'
import { type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { createAuthority } from '../support/certificates.ts'
import { createTestEgress } from '../support/provider-ports.ts'
import { rejection } from '../support/rejection.ts'
import { startTestProxy, type TestProxy } from '../support/test-proxy.ts'

const NAME = 'issuer.example'
const OURS = createAuthority('ours')
const SOON = { timeout: 3_000 }

let upstream: StandInServer
beforeAll(async () => {
  const tls = OURS.issue({ hostnames: [NAME] })
  upstream = await startStandInServer({ route: () => ({ status: 200, body: 'yes' }), tls, hostname: NAME })
})
afterAll(() => upstream.close())

interface Way {
  readonly addresses?: Readonly<Record<string, readonly string[]>>
  readonly privateHosts?: readonly string[]
  readonly insecureHosts?: readonly string[]
  readonly authorities?: string | undefined
  readonly proxy?: URL
}

function clientWith({ privateHosts = [], authorities, ...way }: Way, resolved: string[] = []): HttpClient {
  const egress = createTestEgress({ addresses: { [NAME]: ['127.0.0.1'] }, ...way }, resolved)
  const settings = { trustedIssuer: 'cluster', privateHosts, authorities }
  return createHttpClient(settings, { egress, now: () => 0, observe: () => undefined })
}

const ask = (client: HttpClient, url = upstream.origin, signal?: AbortSignal) =>
  client.send({ purpose: 'keys', url, maxBytes: 10 }, signal)
const codeOf = async (way: Way, url?: string): Promise<string> => (await rejection(ask(clientWith(way), url))).code

describe('an address', () => {
  test('is taken where it is private and the document says so', async () => {
    const way = { privateHosts: [upstream.host], authorities: OURS.cert }

    expect(String((await ask(clientWith(way))).body)).toBe('yes')
    expect(String((await ask(clientWith({ ...way, privateHosts: [NAME] }))).body)).toBe('yes')
  })

  test.each(['127.0.0.1', '10.0.0.1', '169.254.169.254', '100.64.0.1', '::1', 'fd00:ec2::254', '::ffff:8.8.8.8'])(
    'is refused where a name turns out to be %s, and nothing is asked',
    async (address) => {
      const before = upstream.requests.length

      expect(await codeOf({ addresses: { [NAME]: [address] } }, `https://${NAME}/`)).toBe('upstream_address_refused')
      expect(upstream.requests.length).toBe(before)
    },
  )

  test('is refused where it is one of several, whichever', async () => {
    for (const addresses of [
      ['192.0.2.1', '8.8.8.8'],
      ['8.8.8.8', '127.0.0.1'],
      ['2606:4700::1', '8.8.8.8', 'fe80::1'],
    ]) {
      expect(await codeOf({ addresses: { [NAME]: addresses } }, `https://${NAME}/`)).toBe('upstream_address_refused')
    }
  })

  test('is refused where it is no address', async () => {
    for (const address of ['localhost', '', '8.8.8.8.8', 'issuer.example']) {
      const way = { addresses: { [NAME]: [address] } }
      expect(await codeOf(way, `https://${NAME}/`)).toBe('upstream_address_refused')
      expect(await codeOf({ ...way, privateHosts: [NAME] }, `https://${NAME}/`)).toBe('upstream_address_refused')
    }
  })

  test('is looked up again at every connection, so that a name cannot change its mind', async () => {
    const addresses: Record<string, readonly string[]> = { [NAME]: ['203.0.113.1'] }
    const resolved: string[] = []
    const client = clientWith({ addresses }, resolved)
    await rejection(ask(client, `https://${NAME}/`))
    addresses[NAME] = ['127.0.0.1']

    expect((await rejection(ask(client, `https://${NAME}/`))).code).toBe('upstream_address_refused')
    expect(resolved).toEqual([NAME, NAME])
  })

  test('is an outage where the name has none, or cannot be resolved', async () => {
    expect(await codeOf({ addresses: { [NAME]: [] } }, `https://${NAME}/`)).toBe('upstream_unreachable')
    const error = await rejection(ask(clientWith({ addresses: {} }), `https://${NAME}/`))
    expect(error).toMatchObject({ code: 'upstream_unreachable', cause: { message: 'no such name' } })
  })

  test('is an outage where nobody listens', async () => {
    expect(await codeOf({ insecureHosts: ['127.0.0.1:1'] }, 'http://127.0.0.1:1/')).toBe('upstream_unreachable')
  })
})

describe('a certificate', () => {
  const privateHosts = [NAME]

  test('is refused without the authority of its issuer', async () => {
    expect(await codeOf({ privateHosts })).toBe('upstream_unreachable')
    expect(await codeOf({ privateHosts, authorities: createAuthority('ours').cert })).toBe('upstream_unreachable')
  })

  test('is refused for a host that may be plain http too', async () => {
    expect(await codeOf({ insecureHosts: [upstream.host] })).toBe('upstream_unreachable')
  })

  test.each([
    ['for another name', { hostnames: ['other.example'] }],
    ['that has run out', { hostnames: [NAME], validDays: [-3, -1] as const }],
    ['of tomorrow', { hostnames: [NAME], validDays: [1, 3] as const }],
  ])('%s is refused', async (_, wish) => {
    const server = await startStandInServer({ route: () => ({ status: 200 }), tls: OURS.issue(wish), hostname: NAME })

    try {
      expect(await codeOf({ privateHosts, authorities: OURS.cert }, server.origin)).toBe('upstream_unreachable')
    } finally {
      await server.close()
    }
  })

  test('is still checked where the environment says that none is', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')

    expect(await codeOf({ privateHosts })).toBe('upstream_unreachable')
  })
})

describe('a proxy', () => {
  let proxy: TestProxy
  beforeAll(async () => {
    proxy = await startTestProxy()
  })
  afterAll(() => proxy.close())

  const port = (): number => Number(new URL(upstream.origin).port)

  test('gets a tunnel to the name that was asked for, and no more to read', async () => {
    proxy.answerWith({ port: port() })
    const answer = await ask(clientWith({ proxy: proxy.url, authorities: OURS.cert }), `https://${NAME}/`)

    expect(String(answer.body)).toBe('yes')
    expect(proxy.asked.at(-1)).toBe(`${NAME}:443`)
  })

  test('cannot show a certificate of its own', async () => {
    proxy.answerWith({ port: port() })
    const authorities = createAuthority('another').cert

    const error = await rejection(ask(clientWith({ proxy: proxy.url, authorities }), `https://${NAME}/`))

    expect(error.code).toBe('upstream_unreachable')
  })

  test('is asked for nothing that may not be fetched', async () => {
    const before = proxy.asked.length

    for (const url of [
      'http://issuer.example/',
      'https://169.254.169.254/',
      'https://localhost/',
      'https://a.internal/',
    ]) {
      expect((await rejection(ask(clientWith({ proxy: proxy.url }), url))).code).toBe('upstream_address_refused')
    }
    expect(proxy.asked.length).toBe(before)
  })

  test.each([403, 407, 502])('that answers %d is an outage', async (status) => {
    proxy.answerWith({ status })

    const error = await rejection(ask(clientWith({ proxy: proxy.url }), `https://${NAME}/`))

    expect(error.code).toBe('upstream_unreachable')
  })

  test('that never answers is waited for no longer than whoever asks wants to', SOON, async () => {
    proxy.answerWith('nothing')
    const abort = new AbortController()
    const before = proxy.asked.length
    const answer = ask(clientWith({ proxy: proxy.url }), `https://${NAME}/`, abort.signal)

    await vi.waitUntil(() => proxy.asked.length > before)
    abort.abort()

    expect((await rejection(answer)).code).toBe('upstream_timeout')
  })

  test('of the environment is never used', async () => {
    const script = `
      import { createHttpClient } from ${JSON.stringify(new URL('../../providers/kit/http.ts', import.meta.url).href)}
      const egress = { insecureHosts: new Set(), proxy: undefined, resolve: async () => [{ address: '127.0.0.1', family: 4 }] }
      const client = createHttpClient(
        { trustedIssuer: 'cluster', privateHosts: ['${NAME}'], authorities: ${JSON.stringify(OURS.cert)} },
        { egress, now: () => 0, observe: () => undefined },
      )
      const answer = await client.send({ purpose: 'keys', url: '${upstream.origin}', maxBytes: 10 })
      process.stdout.write(String(answer.body))
      process.exit()
    `
    const before = proxy.asked.length
    const url = proxy.url.href
    const env = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: url, HTTPS_PROXY: url, https_proxy: url, ALL_PROXY: url }

    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { env })

    expect(stdout).toBe('yes')
    expect(proxy.asked.length).toBe(before)
  })
})
