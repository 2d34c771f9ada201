/** The client's source as it is, in a process of its own, under Node and under Bun: every cloud, and nothing loaded for another. */

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type AwsStandIn, startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { type AzureStandIn, startAzureStandIn } from '../../providers/azure/stand-in/stand-in.ts'
import { type GoogleStandIn, startGoogleStandIn } from '../../providers/gcp/stand-in/stand-in.ts'
import { environmentOf } from '../../providers/gcp/stand-in/stand-in-provider.ts'
import { type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { ACCESS_TOKEN_TYPE } from '../support/broker.ts'
import type { ClientOutcome } from '../support/client-process.ts'
import { type CloudsBroker, startCloudsBroker } from '../support/clouds-broker.ts'
import { type ConnectProxy, startConnectProxy } from '../support/connect-proxy.ts'
import { makeScratch } from '../support/scratch.ts'

const SCRIPT = fileURLToPath(new URL('../support/client-process.ts', import.meta.url))
const EXIT_SCRIPT = fileURLToPath(new URL('../support/client-exit.ts', import.meta.url))
const BUN_PACKAGE = `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}`
const BUN = fileURLToPath(new URL(`../../node_modules/${BUN_PACKAGE}/bin/bun`, import.meta.url))

const ACCOUNT = '123456789012'
const RESOURCE = 'api://chancery'

let cluster: KubernetesStandIn
let aws: AwsStandIn
let google: GoogleStandIn
let azure: AzureStandIn
let broker: CloudsBroker
let service: StandInServer
let elsewhere: string
let proxy: ConnectProxy

beforeAll(async () => {
  cluster = await startKubernetesStandIn()
  cluster.createServiceAccount('payments', 'api')
  cluster.createPod('payments', 'api-1', 'api')
  aws = await startAwsStandIn()
  const { issuer: awsIssuer } = aws.createAccount(ACCOUNT)
  aws.attachToInstance(aws.assumeRole(aws.createRole(ACCOUNT, 'api'), 'i-0123456789abcdef0'))
  google = await startGoogleStandIn()
  azure = await startAzureStandIn()
  azure.registerApplication({ uris: [RESOURCE] })
  const { objectId } = azure.systemIdentity
  broker = await startCloudsBroker({
    kubernetes: {
      hosts: [cluster.host],
      trustedIssuer: { provider: 'kubernetes', issuers: [cluster.issuer] },
      attributes: { 'kubernetes.namespace': 'payments', 'kubernetes.service_account': 'api' },
    },
    aws: {
      hosts: [aws.host],
      trustedIssuer: {
        ...{ provider: 'aws', partition: 'aws', regions: ['us-east-1'], sts_endpoint: aws.origin },
        accounts: { [ACCOUNT]: { web_identity_issuer: awsIssuer } },
      },
      attributes: { 'aws.account_id': ACCOUNT, 'aws.role_name': 'api' },
    },
    gcp: {
      hosts: [google.host],
      trustedIssuer: { provider: 'gcp', keys: { from: 'url', url: google.keysUrl } },
      attributes: { 'gcp.subject': google.serviceAccount(google.workload.account)?.uniqueId ?? '' },
    },
    azure: {
      hosts: [azure.host],
      trustedIssuer: {
        ...{ provider: 'azure', cloud: 'public', tenant_id: azure.tenantId, proof_audiences: [RESOURCE] },
        keys: { from: 'url', url: `${azure.origin}/${azure.tenantId}/discovery/v2.0/keys` },
      },
      attributes: { 'azure.object_id': objectId },
    },
  })
  service = await startStandInServer({
    route: ({ path }) => (path === '/away' ? { status: 307, headers: { location: elsewhere } } : { status: 204 }),
  })
  // Another origin, as it has another name.
  elsewhere = `${service.origin.replace('127.0.0.1', 'localhost')}/arrived`
  proxy = await startConnectProxy(() => 9)
})
afterAll(async () => {
  await broker.stop()
  await Promise.all([cluster, aws, google, azure, service, proxy].map((server) => server.close()))
})

interface Place {
  readonly settings: object
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly source: string
  readonly loads: readonly string[]
}

/** Where each cloud's workload runs. What is not in `settings.environment` is not there to be found out. */
async function placeOf(cloud: string): Promise<Place> {
  const bare = (metadataOrigin: string) => ({ environment: {}, metadataOrigin })
  switch (cloud) {
    case 'aws': {
      const environment = {
        ...{ AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.origin, AWS_ENDPOINT_URL_STS: aws.origin, AWS_REGION: 'us-east-1' },
        ...{ AWS_CONFIG_FILE: '/nonexistent/config', AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials' },
      }
      return { settings: bare(aws.origin), environment, source: 'metadata', loads: ['@aws-sdk/client-sts', 'zod'] }
    }
    case 'gcp': {
      const environment = environmentOf(google.host)
      return { settings: bare(google.origin), environment, source: 'metadata', loads: ['google-auth-library', 'zod'] }
    }
    case 'azure': {
      const environment = { AZURE_POD_IDENTITY_AUTHORITY_HOST: azure.origin }
      const settings = { ...bare(azure.origin), proof: { audience: RESOURCE } }
      return { settings, environment, source: 'metadata', loads: ['@azure/identity', 'zod'] }
    }
    default: {
      const file = join(makeScratch(), 'token')
      const wish = { namespace: 'payments', serviceAccount: 'api', pod: 'api-1', audiences: [broker.issuer] }
      writeFileSync(file, `${await cluster.requestToken(wish)}\n`)
      return { settings: {}, environment: { CHANCERY_PROOF_FILE: file }, source: 'proof_file', loads: [] }
    }
  }
}

async function run(runtime: string, place: Place, environment: Readonly<Record<string, string>> = {}, path = '/') {
  const settings = { broker: broker.issuer, audience: 'ledger', ...place.settings }
  const args = [SCRIPT, JSON.stringify(settings), service.origin + path]
  const { code, out, err } = await finish(runtime, args, { ...place.environment, ...environment })
  if (code !== 0) throw new Error(`the workload ended with ${String(code)}: ${err}`)
  return JSON.parse(out) as ClientOutcome
}

async function finish(runtime: string, args: readonly string[], environment: Place['environment'] = {}) {
  const env = { PATH: process.env.PATH, HOME: makeScratch(), ...environment }
  const child = spawn(runtime, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    texts.out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    texts.err += chunk.toString()
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  return { code, ...texts }
}

describe.each([
  ['Node', process.execPath],
  ['Bun', BUN],
])('under %s', (_, runtime) => {
  const isThere = existsSync(runtime)

  test.skipIf(!isThere).each(['kubernetes', 'aws', 'gcp', 'azure'])('a workload on %s', async (cloud) => {
    const place = await placeOf(cloud)

    const { choice, accessToken, loadedBefore, loaded, status } = await run(runtime, place)
    broker.watch(accessToken)

    expect(decodeJwt(accessToken)).toMatchObject({ sub: `spiffe://corp.example/clouds/${cloud}`, aud: 'ledger' })
    expect(choice.source).toBe(place.source)
    expect({ loadedBefore, loaded }).toEqual({ loadedBefore: [], loaded: place.loads })
    expect(status).toBe(204)
    expect(service.requests.at(-1)?.headers.authorization).toBe(`Bearer ${accessToken}`)
  })

  test.skipIf(!isThere)('a process lives as long as it waits for a token, and not for a refresh', async () => {
    const token = { access_token: 'x', issued_token_type: ACCESS_TOKEN_TYPE, token_type: 'Bearer', expires_in: 900 }
    const answers = [
      { status: 503, headers: { 'retry-after': '1' }, body: {} },
      { status: 200, body: token },
      { status: 503, headers: { 'retry-after': '15' }, body: {} },
    ]
    const slow = await startStandInServer({ route: () => answers.shift() ?? { status: 404 } })
    onTestFinished(() => slow.close())
    const begun = performance.now()

    expect(await finish(runtime, [EXIT_SCRIPT, slow.origin])).toEqual({ code: 0, out: 'true', err: '' })
    expect(performance.now() - begun).toBeLessThan(14_000)
    expect(slow.requests).toHaveLength(3)
  })

  test.skipIf(!isThere)('a token does not follow a redirect to another origin', async () => {
    const { status, accessToken } = await run(runtime, await placeOf('kubernetes'), {}, '/away')
    broker.watch(accessToken)

    const [asked, arrived] = service.requests.slice(-2)
    expect(status).toBe(204)
    expect(asked?.headers.authorization).toBe(`Bearer ${accessToken}`)
    expect([arrived?.path, arrived?.headers.authorization]).toEqual(['/arrived', undefined])
  })

  test.skipIf(!isThere)('the metadata address is asked past a proxy of the environment', async () => {
    const place = await placeOf('gcp')
    // All but the metadata address is exempt: that is here under another name.
    const variables = { HTTP_PROXY: proxy.origin, http_proxy: proxy.origin, NO_PROXY: '127.0.0.1' }
    const settings = { ...place.settings, metadataOrigin: google.origin.replace('127.0.0.1', 'localhost') }

    const { choice } = await run(runtime, { ...place, settings }, { ...variables, NODE_USE_ENV_PROXY: '1' })

    expect(choice).toMatchObject({ provider: 'gcp', source: 'metadata' })
    expect(proxy.asked).toEqual([])
  })
})

test('a platform’s SDK that is not installed is named, with the command that installs it', async () => {
  const tree = makeScratch()
  const root = new URL('../../', import.meta.url)
  mkdirSync(join(tree, 'node_modules'))
  for (const part of ['src', 'providers', 'test', 'package.json', 'node_modules/zod']) {
    symlinkSync(fileURLToPath(new URL(part, root)), join(tree, part))
  }
  const script = join(tree, 'test/support/client-process.ts')
  const { settings, environment } = await placeOf('aws')
  const args = ['--preserve-symlinks', '--preserve-symlinks-main', script]

  const { code, err } = await finish(
    process.execPath,
    [...args, JSON.stringify({ broker: broker.issuer, ...settings })],
    environment,
  )

  expect(code).toBe(1)
  expect(err).toContain('TokenSourceError: @aws-sdk/client-sts is not installed: npm install @aws-sdk/client-sts')
})
