/** The prover of AWS in every place where AWS gives workloads credentials, through the official SDK’s own chain. */

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { decodeJwt } from 'jose'
import { describe, expect, onTestFinished, test } from 'vitest'
import { awsProver } from '../../providers/aws/prover.ts'
import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import { AWS_CLAIM } from '../../providers/aws/stand-in/web-identity.ts'
import { startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { keysOf, openWorkload, type Workload } from '../support/aws-workload.ts'
import { BROKER } from '../support/document.ts'
import { problemsOf } from '../support/rejection.ts'
import { makeScratch } from '../support/scratch.ts'

const JWT = 'urn:ietf:params:oauth:token-type:jwt'

/** Writes a file that lives as long as the test. */
function writeScratch(name: string, text: string): string {
  const file = join(makeScratch(), name)
  writeFileSync(file, text)
  return file
}

/** Each place, and how a workload comes to be there. */
const PLACES: Readonly<Record<string, (workload: Workload) => Promise<void> | void>> = {
  'with keys in its environment': ({ enter, session }) => enter(keysOf(session)),
  'in a task of ECS'({ aws, enter, session }) {
    const { uri, token } = aws.attachToContainer(session, 'ecs')
    enter({ AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN: token })
  },
  'in a pod with EKS Pod Identity'({ aws, enter, role }) {
    const pod = { cluster: 'prod', namespace: 'payments', serviceAccount: 'api', pod: 'api-1', podUid: '0b1c2d3e' }
    const { uri, token } = aws.attachToContainer(aws.assumeRoleForPod(role, pod), 'eks')
    const file = writeScratch('eks-pod-identity-token', token)
    enter({ AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file })
  },
  async 'in a pod with a role for its service account'({ aws, enter }) {
    const cluster = await startKubernetesStandIn()
    onTestFinished(() => cluster.close())
    cluster.createServiceAccount('payments', 'api')
    cluster.createPod('payments', 'api-1', 'api')
    const wish = { namespace: 'payments', serviceAccount: 'api', pod: 'api-1', audiences: ['sts.amazonaws.com'] }
    const file = writeScratch('token', await cluster.requestToken(wish))
    const [account] = aws.accounts()
    const trusts = [{ issuer: cluster.issuer, subject: 'system:serviceaccount:payments:api' }]
    aws.addOidcProvider(account?.id ?? '', { issuer: cluster.issuer, clientIds: ['sts.amazonaws.com'] })
    const { arn } = aws.createRole(account?.id ?? '', 'payments-api', { path: '/service-role/', trusts })
    enter({ AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: arn })
  },
  'on an instance'({ aws, enter, session }) {
    aws.attachToInstance(session)
    enter({
      AWS_EC2_METADATA_DISABLED: undefined,
      AWS_EC2_METADATA_V1_DISABLED: 'true',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: aws.origin,
    })
  },
  async 'signed in to Identity Center'({ enter, session }) {
    const { accessKeyId, secretAccessKey, sessionToken, expiresAt = 0 } = session
    const roleCredentials = { accessKeyId, secretAccessKey, sessionToken, expiration: expiresAt * 1_000 }
    const portal = await startStandInServer({ route: () => ({ status: 200, body: { roleCredentials } }) })
    onTestFinished(() => portal.close())
    const home = makeScratch()
    const cache = join(home, '.aws', 'sso', 'cache')
    mkdirSync(cache, { recursive: true })
    const token = { accessToken: 'x', expiresAt: new Date(expiresAt * 1_000).toISOString() }
    writeFileSync(join(cache, `${createHash('sha1').update('corp').digest('hex')}.json`), JSON.stringify(token))
    const config = writeScratch(
      'config',
      '[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = payments-api\n[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.example/start\n',
    )
    enter({ AWS_PROFILE: 'dev', AWS_CONFIG_FILE: config, HOME: home, AWS_ENDPOINT_URL_SSO: portal.origin })
  },
}

describe.each(Object.entries(PLACES))('a workload %s', (_, come) => {
  test('proves itself with a token of its role', async () => {
    const workload = await openWorkload()
    await come(workload)
    const { subjectToken, subjectTokenType, expiresAt } = await workload.prove()

    const claims = decodeJwt(subjectToken)
    expect(subjectTokenType).toBe(JWT)
    expect(expiresAt).toBe(claims.exp)
    expect(Number(claims.exp) - Number(claims.iat)).toBe(300)
    expect(claims).toMatchObject({
      iss: workload.aws.accounts()[0]?.issuer,
      aud: BROKER,
      sub: 'arn:aws:iam::123456789012:role/service-role/payments-api',
      [AWS_CLAIM]: { source_region: 'us-east-1' },
    })
    expect(claims).not.toHaveProperty([AWS_CLAIM, 'request_tags'])
  })

  test('proves itself with a signed request, of which nothing is sent', async () => {
    const workload = await openWorkload({ hasOutboundFederation: false })
    await come(workload)
    const { subjectToken, subjectTokenType } = await workload.prove({ proof: 'signed_request' })

    expect(subjectTokenType).toBe(AWS4_REQUEST_TYPE)
    expect(JSON.parse(decodeURIComponent(subjectToken))).toMatchObject({ url: 'https://sts.us-east-1.amazonaws.com/' })
    expect(workload.actions()).not.toContain('GetCallerIdentity')
    expect(workload.actions()).not.toContain('GetWebIdentityToken')
  })
})

describe('says which proof it makes', () => {
  test('before, where it is told, and with each one', async () => {
    const { prover, enter, session, aws } = await openWorkload()
    enter(keysOf(session))

    expect(prover({ proof: 'signed_request' }).subjectTokenType).toBe(AWS4_REQUEST_TYPE)
    expect(prover({ proof: 'web_identity' }).subjectTokenType).toBe(JWT)
    expect(prover().subjectTokenType).toBe(JWT)
    aws.setOutboundFederation('123456789012', false)
    const proven = await prover().prove({ proofAudience: BROKER }, new AbortController().signal)
    expect(proven.subjectTokenType).toBe(AWS4_REQUEST_TYPE)
  })
})

describe('asks', () => {
  test('the region that it is told, rather than the environment’s', async () => {
    const { prove, enter, session } = await openWorkload()
    enter({ ...keysOf(session), AWS_REGION: 'eu-west-1' })
    const regionOf = async (settings: object) => {
      const { subjectToken } = await prove({ proof: 'signed_request', ...settings })
      return /Credential=\w+\/\d{8}\/([^/]+)\//.exec(decodeURIComponent(subjectToken))?.[1]
    }

    expect(await regionOf({})).toBe('eu-west-1')
    expect(await regionOf({ region: 'us-west-2' })).toBe('us-west-2')
  })

  test('for a token each time: none is kept', async () => {
    const { prover, enter, session } = await openWorkload()
    enter(keysOf(session))
    const own = prover()
    const ids = new Set<string | undefined>()
    for (let time = 0; time < 2; time++) {
      const { subjectToken } = await own.prove({ proofAudience: BROKER }, new AbortController().signal)
      ids.add(decodeJwt(subjectToken).jti)
    }

    expect(ids.size).toBe(2)
  })

  test('the container for credentials once, however many proofs are made', async () => {
    const { prover, enter, session, aws } = await openWorkload()
    const { uri, token } = aws.attachToContainer(session, 'ecs')
    enter({ AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN: token })
    const own = prover()
    for (let time = 0; time < 3; time++) await own.prove({ proofAudience: BROKER }, new AbortController().signal)

    expect(aws.requests.filter(({ path }) => path === new URL(uri).pathname)).toHaveLength(1)
  })
})

test('leaves the SDK alone until something is to be proved', async () => {
  const script = `
    import { createRequire } from 'node:module'
    import { awsProver } from ${JSON.stringify(new URL('../../providers/aws/prover.ts', import.meta.url).href)}
    const isLoaded = () => Object.keys(createRequire(process.cwd() + '/x').cache).some((path) => path.includes('@aws-sdk'))
    const prover = awsProver.createProver({}, { env: {}, now: () => 0 })
    const before = isLoaded()
    await prover.prove({ proofAudience: 'a' }, AbortSignal.timeout(10_000)).catch(() => undefined)
    console.log(JSON.stringify({ before, after: isLoaded() }))`
  // Credentials that are there, and a region that is none: nothing is asked of anybody.
  const env = { ...process.env, AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'x', AWS_REGION: 'nowhere' }
  const args = [
    '--input-type=module',
    '--eval',
    script.replace('createProver({}', "createProver({ proof: 'signed_request' }"),
  ]
  const run = await promisify(execFile)(process.execPath, args, { env })

  expect(JSON.parse(run.stdout)).toEqual({ before: false, after: true })
})

test.each([
  ['another proof', { proof: 'jwt' }, 'proof'],
  ['a region that is no text', { region: 1 }, 'region'],
  ['a member that it does not have', { audience: BROKER }, ''],
])('refuses in its settings %s', async (_, settings, path) => {
  const { prover } = await openWorkload()

  expect(problemsOf(() => prover(settings)).map((problem) => problem.path.join('.'))).toEqual([path])
})

test('is the prover of the provider "aws"', () => {
  expect(awsProver.name).toBe('aws')
})

describe('detects', () => {
  const ports = { readFile: async () => '', now: () => 0 }

  test.each([
    [{ AWS_LAMBDA_FUNCTION_NAME: 'api' }, true],
    [{ AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials' }, true],
    [{ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/x' }, true],
    [{ AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token' }, true],
    [{ AWS_EXECUTION_ENV: 'AWS_ECS_FARGATE' }, true],
    [{ AWS_ACCESS_KEY_ID: 'AKIA' }, true],
    [{}, false],
    [{ AWS_REGION: 'us-east-1', AWS_PROFILE: 'dev' }, false],
    [{ K_SERVICE: 'api' }, false],
  ])('AWS in the environment %o: %s', (env, isAws) => {
    expect(awsProver.detect({ ...ports, env })).toBe(isAws)
  })
})
