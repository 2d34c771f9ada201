/** A workload of every cloud: found out, proved through the platform's own SDK, and exchanged with a real broker. */

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import type { ProviderName } from '../../providers/contract/proof.ts'
import type { StandIn } from '../../providers/contract/stand-in.ts'
import { startGoogleStandIn } from '../../providers/gcp/stand-in/stand-in.ts'
import { environmentOf } from '../../providers/gcp/stand-in/stand-in-provider.ts'
import { lendEnvironment } from '../../providers/kit/stand-in-environment.ts'
import { standIns } from '../../providers/stand-ins.ts'
import { createTokenSource } from '../../src/client/client.ts'
import { type CloudsBroker, startCloudsBroker } from '../support/clouds-broker.ts'

const now = (): number => Math.floor(Date.now() / 1_000)
const noFile = (): Promise<string> => Promise.reject(Object.assign(new Error('gone'), { code: 'ENOENT' }))

describe('by what the platform put in the environment or a file', () => {
  const clouds = new Map<ProviderName, StandIn>()
  let broker: CloudsBroker
  beforeAll(async () => {
    for (const { name, start } of standIns) clouds.set(name, await start({ now }))
    broker = await startCloudsBroker(Object.fromEntries(clouds))
  })
  afterAll(async () => {
    await broker.stop()
    for (const cloud of clouds.values()) await cloud.close()
  })

  test.each([
    ['kubernetes', 'projected_token'],
    ['aws', 'environment'],
    ['gcp', 'environment'],
    ['azure', 'environment'],
  ] as const)('%s', async (name, where) => {
    const cloud = clouds.get(name)
    if (cloud === undefined) throw new Error('no such cloud')
    const { env: environment, readFile } = await cloud.prover.ports(broker.issuer)
    const settings = cloud.prover.settings as Readonly<Record<string, unknown>>
    const source = createTokenSource({ broker: broker.issuer, environment, readFile, proof: { settings } })

    const { accessToken } = await source.token()
    broker.watch(accessToken)

    expect(await source.explain()).toMatchObject({ provider: name, source: where })
    expect(decodeJwt(accessToken)).toMatchObject({
      sub: `spiffe://corp.example/clouds/${name}`,
      aud: 'ledger',
      proof: { provider: name },
    })
  })
})

describe('by what answers at the metadata address', () => {
  test('aws: an instance of EC2, whose single-use proofs are each used once', async () => {
    const aws = await startAwsStandIn()
    onTestFinished(() => aws.close())
    const account = '123456789012'
    const { issuer } = aws.createAccount(account)
    aws.attachToInstance(aws.assumeRole(aws.createRole(account, 'api'), 'i-0123456789abcdef0'))
    const nothingElse = [
      ...['AWS_ACCESS_KEY_ID', 'AWS_PROFILE', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_EC2_METADATA_DISABLED'],
      ...['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'],
    ]
    const lent = {
      ...Object.fromEntries(nothingElse.map((name) => [name, undefined])),
      AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.origin,
      AWS_ENDPOINT_URL_STS: aws.origin,
      AWS_CONFIG_FILE: '/nonexistent/config',
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
    }
    onTestFinished(lendEnvironment(lent))
    const broker = await startCloudsBroker({
      ec2: {
        hosts: [aws.host],
        trustedIssuer: {
          provider: 'aws',
          partition: 'aws',
          regions: ['us-east-1'],
          sts_endpoint: aws.origin,
          accounts: { [account]: { web_identity_issuer: issuer } },
        },
        attributes: { 'aws.account_id': account, 'aws.role_name': 'api' },
      },
    })
    onTestFinished(() => broker.stop())

    for (const proof of ['web_identity', 'signed_request']) {
      const source = createTokenSource({
        broker: broker.issuer,
        environment: {},
        readFile: noFile,
        metadataOrigin: aws.origin,
        proof: { settings: { proof, region: 'us-east-1' } },
      })
      const tokens = [await source.token(), await source.token({ fresh: true }), await source.token({ fresh: true })]

      expect(await source.explain()).toMatchObject({ provider: 'aws', source: 'metadata' })
      expect(new Set(tokens.map(({ accessToken }) => accessToken)).size).toBe(3)
    }
    expect(broker.records().map(({ decision, attributes }) => [decision, attributes?.['aws.proof']])).toEqual([
      ...Array(3).fill(['issued', 'web_identity']),
      ...Array(3).fill(['issued', 'signed_request']),
    ])
  })

  test('gcp: a virtual machine of Compute Engine', async () => {
    const google = await startGoogleStandIn({ now })
    onTestFinished(() => google.close())
    onTestFinished(lendEnvironment(environmentOf(google.host)))
    const subject = google.serviceAccount(google.workload.account)?.uniqueId ?? ''
    const broker = await startCloudsBroker({
      vm: {
        hosts: [google.host],
        trustedIssuer: { provider: 'gcp', keys: { from: 'url', url: google.keysUrl } },
        attributes: { 'gcp.subject': subject },
      },
    })
    onTestFinished(() => broker.stop())
    const settings = { environment: {}, readFile: noFile, metadataOrigin: google.origin }
    const source = createTokenSource({ broker: broker.issuer, ...settings })

    const { accessToken } = await source.token()

    expect(await source.explain()).toMatchObject({ provider: 'gcp', source: 'metadata' })
    expect(decodeJwt(accessToken)).toMatchObject({ sub: 'spiffe://corp.example/clouds/vm', proof: { subject } })
  })
})
