/** Attacks from between the broker and STS: AWS-30 and AWS-35 of the catalogue. The stand-in is reached by STS's own names, over TLS. */

import type { SecureContext } from 'node:tls'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import { type AwsStandIn, startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { expectIssued, expectRefusal } from '../support/answers.ts'
import { expectTaken } from '../support/aws-answers.ts'
import { ACCOUNT, bindRole, openAwsScene, ROLE } from '../support/aws-scene.ts'
import { type Reply, startTestBroker, type TestBroker } from '../support/broker.ts'
import { type Authority, type Certificate, createAuthority } from '../support/certificates.ts'
import { createTestClock } from '../support/clock.ts'
import { type ConnectProxy, startConnectProxy } from '../support/connect-proxy.ts'
import { BROKER, documentFor } from '../support/document.ts'

const HOST = 'sts.us-east-1.amazonaws.com'
const OTHER = 'sts.eu-west-1.amazonaws.com'

const clock = createTestClock()
const authority = createAuthority('authority')
const stranger = createAuthority('stranger')

const certified = (hostnames: readonly string[], by: Authority = authority): Certificate => by.issue({ hostnames })

interface TlsSts {
  readonly aws: AwsStandIn
  readonly port: number
  /** The server names that clients have asked for, one for each handshake. */
  readonly serverNames: readonly string[]
}

async function startTlsSts(certificate: Certificate): Promise<TlsSts> {
  const serverNames: string[] = []
  const tls = {
    ...certificate,
    SNICallback(name: string, callback: (error: Error | null, context?: SecureContext) => void): void {
      serverNames.push(name)
      callback(null)
    },
  }
  const aws = await startAwsStandIn({ now: clock.now, tls })
  aws.createAccount(ACCOUNT)
  aws.createRole(ACCOUNT, ROLE)
  return { aws, port: Number(new URL(aws.origin).port), serverNames }
}

let sts: TlsSts
beforeAll(async () => {
  sts = await startTlsSts(certified([HOST, OTHER]))
})
afterAll(() => sts.aws.close())

async function openProxy(route: () => number): Promise<ConnectProxy> {
  const proxy = await startConnectProxy(route)
  onTestFinished(() => proxy.close())
  return proxy
}

/** A broker that asks STS itself, through a proxy where there is one, and believes the test's authority. */
async function openBroker(flags: Readonly<Record<string, string>>, settings: object = {}): Promise<TestBroker> {
  const document = documentFor('', {
    trusted_issuers: { 'aws-prod': { provider: 'aws', accounts: { [ACCOUNT]: {} }, ca_file: 'ca.pem', ...settings } },
    bindings: { 'payments-api': bindRole(ACCOUNT, ROLE, 'payments/api') },
  })
  const broker = await startTestBroker({
    clock,
    document,
    flags,
    secrets: { 'ca.pem': authority.cert },
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  })
  onTestFinished(() => broker.stop())
  return broker
}

async function exchange(broker: TestBroker, host = HOST, { aws }: TlsSts = sts): Promise<Reply> {
  const role = aws.role(`arn:aws:iam::${ACCOUNT}:role/${ROLE}`)
  if (role === undefined) throw new Error('the role is gone')
  const proof = aws.signGetCallerIdentity(aws.assumeRole(role, 'one'), { audience: BROKER, host })
  return await broker.exchange(proof, { subject_token_type: AWS4_REQUEST_TYPE })
}

test('AWS-35 tunnels through the operator’s proxy, and asks for STS and its certificate by STS’s name', async () => {
  const proxy = await openProxy(() => sts.port)
  const broker = await openBroker({ 'egress-proxy': proxy.origin })
  const before = sts.serverNames.length

  expectIssued(broker, await exchange(broker))
  expectIssued(broker, await exchange(broker, OTHER))

  expect(proxy.asked).toEqual([`CONNECT ${HOST}:443`, `CONNECT ${OTHER}:443`])
  expect(sts.serverNames.slice(before)).toEqual([HOST, OTHER])
  expect(sts.aws.requests.slice(-2).map(({ headers }) => headers.host)).toEqual([HOST, OTHER])
})

test.each([
  ['is for another host of STS', () => certified([OTHER])],
  ['is for a name that begins with it', () => certified([`${HOST}.evil.example`])],
  ['is for a name that ends with it', () => certified([`evil-${HOST}`])],
  ['is for the proxy', () => certified(['127.0.0.1', 'localhost'])],
  ['is for all of amazonaws.com, one level too high', () => certified(['*.amazonaws.com'])],
  ['is from an authority that is not named', () => certified([HOST], stranger)],
  ['is not valid any more', () => authority.issue({ hostnames: [HOST], validDays: [-3, -2] })],
])('AWS-35 asks nothing where a proxy leads to a host whose certificate %s', async (_, certificate) => {
  const impostor = await startTlsSts(certificate())
  onTestFinished(() => impostor.aws.close())
  const proxy = await openProxy(() => impostor.port)
  const broker = await openBroker({ 'egress-proxy': proxy.origin })

  expectRefusal(broker, await exchange(broker, HOST, impostor), 'TU', 'upstream_unreachable')

  expect(impostor.serverNames).toEqual([HOST])
  expect(impostor.aws.requests).toEqual([])
  expect(proxy.asked).toEqual([`CONNECT ${HOST}:443`])
})

test('AWS-35 asks nothing where a proxy leads to an STS in plain text', async () => {
  const plain = await startAwsStandIn({ now: clock.now })
  onTestFinished(() => plain.close())
  const proxy = await openProxy(() => Number(new URL(plain.origin).port))
  const broker = await openBroker({ 'egress-proxy': proxy.origin })

  expectRefusal(broker, await exchange(broker), 'TU', 'upstream_unreachable')

  expect(plain.requests).toEqual([])
  expect(proxy.asked).toEqual([`CONNECT ${HOST}:443`])
})

test('AWS-35 asks nobody else where the proxy leads nowhere', async () => {
  const proxy = await openProxy(() => 1)
  const broker = await openBroker({ 'egress-proxy': proxy.origin })
  const before = sts.serverNames.length

  expectRefusal(broker, await exchange(broker), 'TU', 'upstream_unreachable')

  expect(sts.serverNames.length).toBe(before)
})

test('AWS-35 trusts no STS of a private authority where the document names none', async () => {
  const proxy = await openProxy(() => sts.port)
  const broker = await openBroker({ 'egress-proxy': proxy.origin }, { ca_file: undefined })
  const before = sts.aws.requests.length

  expectRefusal(broker, await exchange(broker), 'TU', 'upstream_unreachable')

  expect(sts.aws.requests.length).toBe(before)
})

test('AWS-30 expects a private address behind STS’s own name, as an interface endpoint has, and still its certificate', async () => {
  // Every name is loopback here, and nobody with STS's certificate is on port 443 of it.
  const broker = await openBroker({})

  expectRefusal(broker, await exchange(broker), 'TU', 'upstream_unreachable')
})

/** Every variable by which somebody means a proxy. */
function nameProxy(proxy: ConnectProxy): void {
  vi.stubEnv('NODE_USE_ENV_PROXY', '1')
  for (const name of ['http_proxy', 'https_proxy', 'all_proxy']) {
    vi.stubEnv(name, proxy.origin)
    vi.stubEnv(name.toUpperCase(), proxy.origin)
  }
  vi.stubEnv('NO_PROXY', '')
  vi.stubEnv('no_proxy', '')
  onTestFinished(() => void vi.unstubAllEnvs())
}

test('AWS-35 ignores the proxies that the environment names', async () => {
  const proxy = await openProxy(() => sts.port)
  nameProxy(proxy)
  const scene = await openAwsScene()
  onTestFinished(() => scene.close())

  await expectTaken(scene, scene.sign())

  expect(proxy.asked).toEqual([])
})

test('AWS-35 uses the operator’s proxy and not the environment’s', async () => {
  const [ours, theirs] = [await openProxy(() => sts.port), await openProxy(() => sts.port)]
  nameProxy(theirs)
  const broker = await openBroker({ 'egress-proxy': ours.origin })

  expectIssued(broker, await exchange(broker))

  expect([ours.asked, theirs.asked]).toEqual([[`CONNECT ${HOST}:443`], []])
})
