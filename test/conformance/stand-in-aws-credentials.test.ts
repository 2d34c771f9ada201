/** The SDK's own chain of credentials, led to the stand-in by the variables that AWS's platforms set. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GetCallerIdentityCommand, GetWebIdentityTokenCommand, STSClient } from '@aws-sdk/client-sts'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Role } from '../../providers/aws/stand-in/aws-state.ts'
import { type AwsStandIn, startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { awsStandIn } from '../../providers/aws/stand-in/stand-in-provider.ts'
import { FLAWS } from '../../providers/contract/stand-in.ts'
import { lendEnvironment } from '../../providers/kit/stand-in-environment.ts'
import { createTestClock } from '../support/clock.ts'
import { makeScratch } from '../support/scratch.ts'

const ACCOUNT = '123456789012'

/** Nothing of this machine may lead the chain elsewhere. */
const NOTHING_ELSE = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
  AWS_PROFILE: undefined,
  AWS_WEB_IDENTITY_TOKEN_FILE: undefined,
  AWS_ROLE_ARN: undefined,
  AWS_EC2_METADATA_DISABLED: undefined,
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: undefined,
  AWS_CONTAINER_CREDENTIALS_FULL_URI: undefined,
  AWS_CONTAINER_AUTHORIZATION_TOKEN: undefined,
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: undefined,
  AWS_CONFIG_FILE: '/nonexistent/config',
  AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
  AWS_REGION: 'us-east-1',
}

let aws: AwsStandIn
let role: Role
let giveBack: () => void = () => {}

beforeAll(async () => {
  aws = await startAwsStandIn()
  aws.createAccount(ACCOUNT)
  role = aws.createRole(ACCOUNT, 'payments-api')
})
afterEach(() => giveBack())
afterAll(() => aws.close())

/** A client with no settings at all, as a workload has it. */
function clientIn(environment: Readonly<Record<string, string>>): STSClient {
  giveBack = lendEnvironment({ ...NOTHING_ELSE, AWS_ENDPOINT_URL_STS: aws.origin, ...environment })
  return new STSClient({ maxAttempts: 1 })
}

const arnOf = async (client: STSClient) => (await client.send(new GetCallerIdentityCommand({}))).Arn

describe('on EC2', () => {
  const instance = () => ({ AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.origin, AWS_EC2_METADATA_V1_DISABLED: 'true' })

  test('the chain finds the role of the instance', async () => {
    aws.attachToInstance(aws.assumeRole(role, 'i-0123456789abcdef0'))

    expect(await arnOf(clientIn(instance()))).toMatch(/:assumed-role\/payments-api\/i-0123456789abcdef0$/)
  })

  test('the chain finds nothing where the instance has no role', async () => {
    aws.attachToInstance(undefined)

    await expect(arnOf(clientIn(instance()))).rejects.toMatchObject({ name: 'CredentialsProviderError' })
  })

  test('nobody is answered without a token of the session', async () => {
    aws.attachToInstance(aws.assumeRole(role, 'i-1'))
    const path = '/latest/meta-data/iam/security-credentials/'
    const get = (headers: Record<string, string>) => fetch(`${aws.origin}${path}`, { headers })
    const start = (headers: Record<string, string>, method = 'PUT') =>
      fetch(`${aws.origin}/latest/api/token`, { method, headers })
    const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' }
    const token = await (await start(ttl)).text()

    expect((await get({})).status).toBe(401)
    expect((await get({ 'x-aws-ec2-metadata-token': 'other' })).status).toBe(401)
    expect(await (await get({ 'x-aws-ec2-metadata-token': token })).text()).toBe('payments-api')
    expect((await start({})).status).toBe(400)
    expect((await start({ 'x-aws-ec2-metadata-token-ttl-seconds': '21601' })).status).toBe(400)
    expect((await start({ ...ttl, 'x-forwarded-for': '10.0.0.1' })).status).toBe(403)
    expect((await start(ttl, 'POST')).status).toBe(405)
  })

  test('a token of the session ends when it was asked to', async () => {
    let now = 1_768_478_400
    const clocked = await startAwsStandIn({ now: () => now })
    const ask = async (headers: Record<string, string>) =>
      (await fetch(`${clocked.origin}/latest/meta-data/placement/region`, { headers })).status
    const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' }
    const reply = await fetch(`${clocked.origin}/latest/api/token`, { method: 'PUT', headers })
    const session = { 'x-aws-ec2-metadata-token': await reply.text() }

    expect(await ask(session)).toBe(200)
    now += 60
    expect(await ask(session)).toBe(401)
    await clocked.close()
  })
})

describe('in a container', () => {
  test('of ECS the chain finds the role of the task', async () => {
    const { uri, token } = aws.attachToContainer(aws.assumeRole(role, 'task-1'), 'ecs')
    const client = clientIn({ AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN: token })

    expect(await arnOf(client)).toMatch(/\/payments-api\/task-1$/)
  })

  test('of EKS it finds the pod’s role by the token in a file, and the tags reach the JWT', async () => {
    const pod = {
      cluster: 'prod',
      namespace: 'payments',
      serviceAccount: 'api',
      pod: 'api-1',
      podUid: '0b1c2d3e-0000-4000-8000-000000000000',
    }
    const { uri, token } = aws.attachToContainer(aws.assumeRoleForPod(role, pod), 'eks')
    const file = join(makeScratch(), 'eks-pod-identity-token')
    writeFileSync(file, token)
    const client = clientIn({ AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file })
    const command = new GetWebIdentityTokenCommand({ Audience: ['https://broker.example'], SigningAlgorithm: 'RS256' })
    const { WebIdentityToken = '' } = await client.send(command)

    expect(await arnOf(client)).toMatch(/\/payments-api\/eks-prod-api-1-0b1c2d3e-0000-4000-8000-000000000000$/)
    expect(decodeJwt(WebIdentityToken)['https://sts.amazonaws.com/']).toMatchObject({
      principal_tags: {
        'eks-cluster-arn': `arn:aws:eks:us-east-1:${ACCOUNT}:cluster/prod`,
        'eks-cluster-name': 'prod',
        'kubernetes-namespace': 'payments',
        'kubernetes-service-account': 'api',
        'kubernetes-pod-name': 'api-1',
        'kubernetes-pod-uid': '0b1c2d3e-0000-4000-8000-000000000000',
      },
    })
  })

  test('no container is answered with another’s token, or none', async () => {
    const [one, other] = [aws.attachToContainer(aws.assumeRole(role, 'one-task'), 'ecs'), 'ecs-other']
    const ask = async (headers: Record<string, string>) => (await fetch(one.uri, { headers })).status
    const { token } = aws.attachToContainer(aws.assumeRole(role, 'another-task'), 'ecs')

    expect(await ask({ authorization: one.token })).toBe(200)
    expect(await ask({ authorization: other })).toBe(401)
    expect(await ask({ authorization: token })).toBe(401)
    expect(await ask({})).toBe(401)
  })
})

describe('the ready-made workload', () => {
  test('gets a JWT by the SDK with no settings, though its clock stands still', async () => {
    const clock = createTestClock()
    giveBack = lendEnvironment(NOTHING_ELSE)
    const workload = await awsStandIn.start({ now: clock.now })
    const command = new GetWebIdentityTokenCommand({ Audience: ['https://broker.example'], SigningAlgorithm: 'ES384' })
    const { WebIdentityToken = '' } = await new STSClient().send(command)
    const honest = decodeJwt(WebIdentityToken)
    await workload.close()

    expect(honest).toMatchObject({ aud: 'https://broker.example', iat: clock.now() })
    expect(workload.trustedIssuer).toHaveProperty(['accounts', ACCOUNT, 'web_identity_issuer'], honest.iss)
    expect(process.env.AWS_ENDPOINT_URL_STS).toBeUndefined()
  })

  test('names the region as the SDK for Python reads it, and as all others do', async () => {
    giveBack = lendEnvironment({ ...NOTHING_ELSE, AWS_DEFAULT_REGION: undefined })
    const { environment, close } = await awsStandIn.start({ now: () => 1_768_478_400 })
    await close()

    expect(environment).toMatchObject({ AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'us-east-1' })
  })

  test.each(FLAWS)('has a proof with the flaw "%s"', async (flaw) => {
    giveBack = lendEnvironment(NOTHING_ELSE)
    const workload = await awsStandIn.start({ now: () => 1_768_478_400 })
    const flawed = await workload.flawed(flaw, 'https://broker.example')
    await workload.close()

    expect(decodeJwt(flawed ?? '').sub).toBe(`arn:aws:iam::${ACCOUNT}:role/payments-api`)
  })
})
