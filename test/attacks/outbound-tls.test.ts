/** Whom the broker is really talking to: certificates, server names, and connections that belong to one trusted issuer. */

import { expect, onTestFinished, test, vi } from 'vitest'
import { startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { expectIssued, expectRefusal } from '../support/answers.ts'
import { startTestBroker, type TestBroker } from '../support/broker.ts'
import { type Authority, type Certificate, createAuthority } from '../support/certificates.ts'
import { createTestClock } from '../support/clock.ts'
import { type ConnectProxy, startConnectProxy } from '../support/connect-proxy.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { POD } from '../support/scene.ts'
import { startTlsCluster, type TlsCluster } from '../support/tls-cluster.ts'

const ONE = 'one.example'
const OTHER = 'other.example'

const clock = createTestClock()
const authority = createAuthority('authority')
const stranger = createAuthority('stranger')

function certified(hostname: string, by: Authority = authority): Certificate {
  return by.issue({ hostnames: [hostname] })
}

async function openCluster(hostname: string, certificate: Certificate = certified(hostname)): Promise<TlsCluster> {
  const cluster = await startTlsCluster(hostname, certificate, clock)
  onTestFinished(() => cluster.close())
  return cluster
}

interface BrokerParts {
  readonly trusted: Readonly<Record<string, object>>
  readonly flags?: Readonly<Record<string, string>>
}

/** A broker for which every name is on loopback, and whose identities are `NAME/api` for each trusted issuer. */
async function openBroker({ trusted, flags = {} }: BrokerParts): Promise<TestBroker> {
  const names = Object.keys(trusted)
  const document = documentFor('', {
    trusted_issuers: trusted,
    identities: Object.fromEntries(names.map((name) => [`${name}/api`, { grants: { ledger: ['entries:read'] } }])),
    bindings: Object.fromEntries(
      names.map((name) => [name, { ...bindingFor('payments', 'api', `${name}/api`), trusted_issuer: name }]),
    ),
  })
  const broker = await startTestBroker({
    clock,
    document,
    flags,
    secrets: { 'ca.pem': authority.cert, 'stranger.pem': stranger.cert },
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  })
  onTestFinished(() => broker.stop())
  return broker
}

function trusting(cluster: TlsCluster, more: object = {}): object {
  return {
    provider: 'kubernetes',
    issuers: [cluster.issuer],
    private_hosts: [cluster.host],
    ca_file: 'ca.pem',
    ...more,
  }
}

async function expectFrom(broker: TestBroker, cluster: TlsCluster, identity: string): Promise<void> {
  const { record } = expectIssued(broker, await broker.exchange(await cluster.requestToken(POD)))
  expect(record?.identity).toBe(identity)
}

async function expectUnreachable(broker: TestBroker, cluster: TlsCluster): Promise<void> {
  const reply = await broker.exchange(await cluster.requestToken(POD))
  expectRefusal(broker, reply, 'TU', 'upstream_unreachable')
}

test('NET-14 asks each issuer under its own server name', async () => {
  const [one, other] = await Promise.all([openCluster(ONE), openCluster(OTHER)])
  const broker = await openBroker({ trusted: { one: trusting(one), other: trusting(other) } })

  await expectFrom(broker, one, 'one/api')
  await expectFrom(broker, other, 'other/api')

  expect([new Set(one.serverNames), new Set(other.serverNames)]).toEqual([new Set([ONE]), new Set([OTHER])])
})

test.each([
  ['is for another name', () => certified(OTHER)],
  ['is for a name that begins with it', () => certified(`${ONE}.evil.example`)],
  ['is for a name that ends with it', () => certified(`evil-${ONE}`)],
  ['is for everything beside it', () => certified(`*.${ONE}`)],
  ['is for a whole top-level domain', () => certified('*.example.')],
  ['names the address instead', () => certified('127.0.0.1')],
  ['is from an authority that is not named', () => certified(ONE, stranger)],
  ['is not valid any more', () => authority.issue({ hostnames: [ONE], validDays: [-3, -2] })],
  ['is not valid yet', () => authority.issue({ hostnames: [ONE], validDays: [2, 3] })],
])('NET-14 asks nothing of a host whose certificate %s', async (_, certificate) => {
  const cluster = await openCluster(ONE, certificate())
  const broker = await openBroker({ trusted: { one: trusting(cluster) } })

  await expectUnreachable(broker, cluster)

  expect(cluster.requests).toEqual([])
})

test('NET-14 asks nothing of a private authority’s host where the document names no authority', async () => {
  const cluster = await openCluster(ONE)
  const broker = await openBroker({ trusted: { one: trusting(cluster, { ca_file: undefined }) } })

  await expectUnreachable(broker, cluster)

  expect(cluster.requests).toEqual([])
})

test('NET-14 asks nothing of an https issuer in plain text', async () => {
  const plain = await startStandInServer({ route: () => ({ status: 200 }), hostname: ONE })
  onTestFinished(() => plain.close())
  const cluster = await openCluster(ONE)
  const issuer = plain.origin.replace('http:', 'https:')
  const trusted = { one: trusting(cluster, { issuers: [issuer], private_hosts: [ONE] }) }
  const broker = await openBroker({ trusted })

  const proof = await cluster.sign({ ...cluster.claimsFor(POD), iss: issuer })
  expectRefusal(broker, await broker.exchange(proof), 'TU', 'upstream_unreachable')

  expect(plain.requests).toEqual([])
})

test('NET-14 uses no connection of one trusted issuer for another that trusts another authority', async () => {
  const cluster = await openCluster(ONE)
  const keys = { from: 'url', url: `${cluster.origin}/openid/v1/jwks` }
  const others = { issuers: ['https://of-the-other.example'], keys, ca_file: 'stranger.pem' }
  const broker = await openBroker({ trusted: { one: trusting(cluster), other: trusting(cluster, others) } })
  await expectFrom(broker, cluster, 'one/api')
  const asked = cluster.requests.length

  const proof = await cluster.sign({ ...cluster.claimsFor(POD), iss: 'https://of-the-other.example' })
  expectRefusal(broker, await broker.exchange(proof), 'TU', 'upstream_unreachable')

  expect(cluster.requests.length).toBe(asked)
})

test('NET-14 opens connections of its own for each trusted issuer, though their host is the same', async () => {
  const cluster = await openCluster(ONE)
  const keys = { from: 'url', url: `${cluster.origin}/openid/v1/jwks` }
  const others = { issuers: ['https://of-the-other.example'], keys }
  const broker = await openBroker({ trusted: { one: trusting(cluster), other: trusting(cluster, others) } })
  await expectFrom(broker, cluster, 'one/api')
  const handshakes = cluster.serverNames.length

  const proof = await cluster.sign({ ...cluster.claimsFor(POD), iss: 'https://of-the-other.example' })
  expectIssued(broker, await broker.exchange(proof))

  expect(cluster.serverNames.length).toBe(handshakes + 1)
})

async function openProxy(route: (target: string) => number): Promise<ConnectProxy> {
  const proxy = await startConnectProxy(route)
  onTestFinished(() => proxy.close())
  return proxy
}

test('NET-14 checks the host’s own certificate through a proxy', async () => {
  const [one, other] = await Promise.all([openCluster(ONE), openCluster(OTHER)])
  const proxy = await openProxy((target) => Number(target.split(':')[1]))
  const flags = { 'egress-proxy': proxy.origin }
  const broker = await openBroker({ trusted: { both: trusting(one, bothOf(one, other)) }, flags })

  await expectFrom(broker, one, 'both/api')
  await expectFrom(broker, other, 'both/api')

  expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${one.host}`, `CONNECT ${other.host}`]))
  expect([new Set(one.serverNames), new Set(other.serverNames)]).toEqual([new Set([ONE]), new Set([OTHER])])
})

function bothOf(one: TlsCluster, other: TlsCluster): object {
  return { issuers: [one.issuer, other.issuer], private_hosts: [one.host, other.host] }
}

test('NET-14 asks nothing of a host that a proxy took for another', async () => {
  const [one, other] = await Promise.all([openCluster(ONE), openCluster(OTHER)])
  const proxy = await openProxy(() => other.port)
  const flags = { 'egress-proxy': proxy.origin }
  const broker = await openBroker({ trusted: { both: trusting(one, bothOf(one, other)) }, flags })
  await expectFrom(broker, other, 'both/api')
  const asked = other.requests.length

  await expectUnreachable(broker, one)

  expect(other.requests.length).toBe(asked)
  expect(other.serverNames.at(-1)).toBe(ONE)
})

test('NET-14 goes to nobody else when a proxy leads nowhere', async () => {
  const cluster = await openCluster(ONE)
  const proxy = await openProxy(() => 1)
  const broker = await openBroker({ trusted: { one: trusting(cluster) }, flags: { 'egress-proxy': proxy.origin } })

  await expectUnreachable(broker, cluster)

  expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${cluster.host}`]))
  expect(cluster.requests).toEqual([])
})

test('NET-14 ignores the proxies that the environment names', async () => {
  const cluster = await openCluster(ONE)
  const proxy = await openProxy(() => cluster.port)
  vi.stubEnv('NODE_USE_ENV_PROXY', '1')
  for (const name of ['http_proxy', 'https_proxy', 'all_proxy']) {
    vi.stubEnv(name, proxy.origin)
    vi.stubEnv(name.toUpperCase(), proxy.origin)
  }
  const broker = await openBroker({ trusted: { one: trusting(cluster) } })

  await expectFrom(broker, cluster, 'one/api')

  expect(proxy.asked).toEqual([])
})
