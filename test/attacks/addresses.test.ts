/** Names that lead where no issuer can live: DNS answers are looked at when a connection is made. */

import { expect, onTestFinished, test } from 'vitest'
import type { ResolvedAddress } from '../../providers/contract/provider.ts'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import type { RefusalReason } from '../../src/audit/reasons.ts'
import { expectIssued, expectRefusal } from '../support/answers.ts'
import { startTestBroker, type TestBroker } from '../support/broker.ts'
import { createAuthority } from '../support/certificates.ts'
import { createTestClock, type TestClock } from '../support/clock.ts'
import { documentFor } from '../support/document.ts'
import { POD } from '../support/scene.ts'
import { startTlsCluster, type TlsCluster } from '../support/tls-cluster.ts'
import { watchConnections } from '../support/watch-connections.ts'

const HOSTNAME = 'cluster.example'
const ISSUER = `https://${HOSTNAME}`
const HTTPS_PORT = 443

/** Longer than the broker waits between two attempts. */
const RETRY_SECONDS = 31

/** Not assigned to anybody by IANA, and no special purpose either: as public as an address gets that leads nowhere. */
const PUBLIC = '3000::1'

/** A broker that trusts a cluster which only signs, and whose name resolves to what the test says. */
interface Rebinding {
  readonly clock: TestClock
  readonly broker: TestBroker
  readonly cluster: KubernetesStandIn
  /** Names that were looked up, in order. */
  readonly lookups: readonly string[]
  /** Gives what names resolve to from now on: in turn, the last for good. */
  answerWith(...answers: readonly (readonly string[])[]): void
  expectRefused(reason: RefusalReason): Promise<void>
}

async function openRebinding(settingsOf: (cluster: KubernetesStandIn) => object = () => ({})): Promise<Rebinding> {
  const clock = createTestClock()
  const cluster = await startKubernetesStandIn({ now: clock.now, algorithm: 'ES256', issuer: ISSUER })
  onTestFinished(() => cluster.close())
  cluster.createServiceAccount('payments', 'api')
  cluster.createPod('payments', 'api-1', 'api')
  const lookups: string[] = []
  let answers: (readonly string[])[] = []
  const document = documentFor(ISSUER, {
    trusted_issuers: { cluster: { provider: 'kubernetes', issuers: [ISSUER], ...settingsOf(cluster) } },
  })
  const resolve = async (hostname: string): Promise<readonly ResolvedAddress[]> => {
    lookups.push(hostname)
    const [next = []] = answers.length > 1 ? answers.splice(0, 1) : answers
    return next.map(toResolved)
  }
  const broker = await startTestBroker({ clock, document, resolve, secrets: { 'review-token': 'x' } })
  onTestFinished(() => broker.stop())
  return {
    clock,
    broker,
    cluster,
    lookups,
    answerWith: (...next) => {
      answers = [...next]
    },
    async expectRefused(reason) {
      expectRefusal(broker, await broker.exchange(await cluster.requestToken(POD)), 'TU', reason)
      clock.advance(RETRY_SECONDS)
    },
  }
}

function toResolved(address: string): ResolvedAddress {
  return { address, family: address.includes(':') ? 6 : 4 }
}

const PRIVATE_ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  'of this machine': ['127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '::1', '::'],
  'of a private network': ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1', 'fd00::1', 'fc00::1', 'fec0::1'],
  'of a link, metadata services among them': ['169.254.169.254', '169.254.170.2', 'fe80::1', 'fd00:ec2::254'],
  'shared between carriers': ['100.64.0.1', '100.127.255.255'],
  'of an IPv4 address inside an IPv6 one': [
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '::ffff:8.8.8.8', '::127.0.0.1', '::ffff:0:127.0.0.1'],
    ...['64:ff9b::7f00:1', '64:ff9b::808:808', '64:ff9b:1::7f00:1', '2002:7f00:1::1', '2001:0:7f00:1::1'],
  ],
  'with a purpose of its own': [
    ...['192.0.0.1', '192.0.2.1', '198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1', '192.88.99.1'],
    ...['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
    ...['2001:db8::1', '3fff::1', '100::1', '5f00::1', 'ff02::1', '4000::1', 'e000::1'],
  ],
}

test.each(Object.entries(PRIVATE_ADDRESSES))('JWK-14 connects to no address %s', async (_, addresses) => {
  const { answerWith, expectRefused } = await openRebinding()
  const tried = watchConnections()

  for (const address of addresses) {
    answerWith([address])
    await expectRefused('upstream_address_refused')
  }

  expect(tried(HTTPS_PORT)).toEqual([])
})

test('JWK-14 connects to none of several addresses when any is private, wherever it stands', async () => {
  const { answerWith, expectRefused } = await openRebinding()
  const tried = watchConnections()

  for (const answer of [
    [PUBLIC, '127.0.0.1'],
    ['127.0.0.1', PUBLIC],
    [PUBLIC, '3000::2', '::ffff:10.0.0.1'],
    [PUBLIC, '3000::2', '3000::3', '::1', '3000::4'],
  ]) {
    answerWith(answer)
    await expectRefused('upstream_address_refused')
  }

  expect(tried(HTTPS_PORT)).toEqual([])
})

test('JWK-14 looks at the address of each connection, not at what the name resolved to before', async () => {
  const { clock, broker, cluster, lookups, answerWith, expectRefused } = await openRebinding()
  const tried = watchConnections()
  answerWith([PUBLIC], ['127.0.0.1'])

  // Nobody is there: that it was tried shows that the first answer passed.
  expect((await broker.exchange(await cluster.requestToken(POD))).status).toBe(503)
  expect({ reasons: broker.records().map(({ reason }) => reason) }).not.toEqual({
    reasons: ['upstream_address_refused'],
  })
  clock.advance(RETRY_SECONDS)
  await expectRefused('upstream_address_refused')

  expect(tried(HTTPS_PORT)).toEqual([PUBLIC])
  expect(lookups).toEqual([HOSTNAME, HOSTNAME])
})

test('JWK-14 connects to nothing that is not an address, and to no name without one', async () => {
  const { answerWith, expectRefused } = await openRebinding()
  const tried = watchConnections()

  for (const answer of ['localhost', '', '127.1', '2130706433', '0x7f.0.0.1', '[::1]', `${PUBLIC} `, 'evil.example']) {
    answerWith([answer])
    await expectRefused('upstream_address_refused')
  }
  answerWith([])
  await expectRefused('upstream_unreachable')

  expect(tried(HTTPS_PORT)).toEqual([])
})

test('JWK-14 looks at the addresses of key sets and of API servers too', async () => {
  const tried = watchConnections()
  const byUrl = await openRebinding(() => ({ keys: { from: 'url', url: 'https://keys.example/jwks' } }))
  const reviewed = await openRebinding(({ jwks }) => ({
    keys: { from: 'inline', jwks },
    token_review: { api_server: 'https://api.example', token_file: 'review-token' },
  }))

  for (const { answerWith, expectRefused } of [byUrl, reviewed]) {
    answerWith([PUBLIC, '10.0.0.1'])
    await expectRefused('upstream_address_refused')
  }

  expect([...byUrl.lookups, ...reviewed.lookups]).toEqual(['keys.example', 'api.example'])
  expect(tried(HTTPS_PORT)).toEqual([])
})

/** A cluster on loopback behind a name, and a broker that may be told of both. */
async function openPrivate(settingsOf: (cluster: TlsCluster) => object) {
  const clock = createTestClock()
  const authority = createAuthority('private authority')
  const cluster = await startTlsCluster(HOSTNAME, authority.issue({ hostnames: [HOSTNAME] }), clock)
  onTestFinished(() => cluster.close())
  const document = documentFor(cluster.issuer, {
    trusted_issuers: { cluster: { provider: 'kubernetes', issuers: [cluster.issuer], ...settingsOf(cluster) } },
  })
  const secrets = { 'ca.pem': authority.cert }
  const resolve = async () => [toResolved('127.0.0.1')]
  const broker = await startTestBroker({ clock, document, resolve, secrets })
  onTestFinished(() => broker.stop())
  return { cluster, broker, exchange: async () => broker.exchange(await cluster.requestToken(POD)) }
}

test.each([
  ['its host', () => HOSTNAME],
  ['its host and port', ({ host }: TlsCluster) => host],
])('JWK-14 connects to a private address where the document names %s, with its authority', async (_, nameOf) => {
  const tried = watchConnections()
  const { cluster, broker, exchange } = await openPrivate((it) => ({ private_hosts: [nameOf(it)], ca_file: 'ca.pem' }))

  expectIssued(broker, await exchange())
  expect(tried(cluster.port)).toEqual(['127.0.0.1'])
  expect(cluster.serverNames).toEqual([HOSTNAME])
})

test.each([
  ['another host', ['other.example']],
  ['another port of it', [`${HOSTNAME}:6443`]],
  ['a name that ends with it', [`evil-${HOSTNAME}`, `a.${HOSTNAME}`]],
  ['a name that it ends with', ['example', 'uster.example']],
])('JWK-14 connects to no private address where the document names only %s', async (_, privateHosts) => {
  const { answerWith, expectRefused } = await openRebinding(() => ({ private_hosts: privateHosts }))
  const tried = watchConnections()
  answerWith(['127.0.0.1'])

  await expectRefused('upstream_address_refused')

  expect(tried(HTTPS_PORT)).toEqual([])
})
