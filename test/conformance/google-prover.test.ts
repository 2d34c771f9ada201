/** The prover of Google Cloud in every place where Google gives workloads a token, through Google's own library. */

import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { GoogleAuth } from 'google-auth-library'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Prover } from '../../providers/contract/provider.ts'
import { gcpProver } from '../../providers/gcp/prover.ts'
import { type GoogleStandIn, startGoogleStandIn } from '../../providers/gcp/stand-in/stand-in.ts'
import { environmentOf } from '../../providers/gcp/stand-in/stand-in-provider.ts'
import { lendEnvironment } from '../../providers/kit/stand-in-environment.ts'
import { startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { createTestClock } from '../support/clock.ts'
import { problemsOf, rejection } from '../support/rejection.ts'
import { makeScratch } from '../support/scratch.ts'

const AUDIENCE = 'https://broker.example'
const TARGET = 'deploy@prod-123456.iam.gserviceaccount.com'
const NEVER = new AbortController().signal
/** It stands still long before the library's own. */
const clock = createTestClock()
let cloud: GoogleStandIn
let giveBack: () => void

beforeAll(async () => {
  cloud = await startGoogleStandIn({ now: clock.now })
  giveBack = lendEnvironment(environmentOf(cloud.host))
  cloud.createServiceAccount(TARGET)
  cloud.allowImpersonation(cloud.workload.account, TARGET)
})
afterAll(async () => {
  giveBack()
  await cloud.close()
})
beforeEach(() => cloud.run({ place: 'vm' }))

const portsWith = (env: Readonly<Record<string, string>>) => ({
  env,
  readFile: async () => Promise.reject(new Error('no such file')),
  now: clock.now,
})
const proverWith = (settings: object = {}): Prover => gcpProver.createProver(settings, portsWith({}))
const prove = (settings?: object) => proverWith(settings).prove({ proofAudience: AUDIENCE }, NEVER)

describe('proves with', () => {
  const TIMES = { iat: expect.any(Number), exp: expect.any(Number) }
  const ACCOUNT = { aud: AUDIENCE, email_verified: true, iss: 'https://accounts.google.com' }

  test('a virtual machine’s token, which names the machine', async () => {
    const { subjectToken, expiresAt } = await prove()

    const claims = decodeJwt(subjectToken)
    expect(claims).toMatchObject({ ...ACCOUNT, google: { compute_engine: { instance_name: 'vm-1' } } })
    expect(expiresAt).toBe(clock.now() + 3_600)
    expect(claims.azp).toBe(claims.sub)
  })

  test.each(['serverless', 'gke_pod'] as const)('the token of a %s workload', async (place) => {
    cloud.run({ place })

    const claims = decodeJwt((await prove()).subjectToken)

    expect(claims).toEqual({ ...ACCOUNT, azp: claims.sub, sub: claims.sub, email: cloud.workload.account, ...TIMES })
  })

  test('the token of an account that it impersonates, as that account and as no client', async () => {
    const { subjectToken } = await prove({ service_account: TARGET, iam_endpoint: cloud.origin })

    const sub = cloud.serviceAccount(TARGET)?.uniqueId
    expect(decodeJwt(subjectToken)).toEqual({ ...ACCOUNT, azp: sub, sub, email: TARGET, ...TIMES })
  })

  test('what a credentials file leads to: a foreign token, then an account impersonated with it', async () => {
    const warn = vi.spyOn(console, 'warn')
    useCredentials(await impersonationFile())

    const { subjectToken } = await prove()

    expect(decodeJwt(subjectToken)).toMatchObject({ ...ACCOUNT, email: TARGET, azp: TARGET })
    expect(warn).not.toHaveBeenCalled()
  })
})

/** Credentials of a workload outside Google, whose token service answers with an access token of the stand-in. */
async function foreignCredentials(): Promise<object> {
  const path = '/computeMetadata/v1/instance/service-accounts/default/token'
  const answer = await fetch(`${cloud.origin}${path}`, { headers: { 'metadata-flavor': 'Google' } })
  const token = {
    ...((await answer.json()) as object),
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  }
  const sts = await startStandInServer({ route: () => ({ status: 200, body: token }) })
  onTestFinished(() => sts.close())
  const file = join(makeScratch(), 'token')
  writeFileSync(file, 'a foreign token')
  return {
    type: 'external_account',
    audience: '//iam.googleapis.com/locations/global/pools/pool/providers/provider',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${sts.origin}/v1/token`,
    credential_source: { file },
  }
}

async function impersonationFile(): Promise<object> {
  return {
    type: 'impersonated_service_account',
    service_account_impersonation_url: `${cloud.origin}/v1/projects/-/serviceAccounts/${TARGET}:generateAccessToken`,
    source_credentials: await foreignCredentials(),
    endpoint: cloud.origin,
  }
}

function useCredentials(credentials: object): void {
  const file = join(makeScratch(), 'credentials.json')
  writeFileSync(file, JSON.stringify(credentials))
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file)
}

describe('refuses', () => {
  test('credentials that give no identity token', async () => {
    useCredentials(await foreignCredentials())

    expect((await rejection(prove())).code).toBe('upstream_unreachable')
  })

  test.each([
    ['a member that it does not have', { audience: AUDIENCE }],
    ['an account that is no service account', { service_account: 'ada@corp.example' }],
    ['an account with a path in it', { service_account: 'a/../b@x.iam.gserviceaccount.com' }],
    ['an endpoint in plain http', { iam_endpoint: 'http://iamcredentials.example' }],
    ['an endpoint with a path', { iam_endpoint: 'https://iamcredentials.example/v1' }],
    ['an endpoint with credentials', { iam_endpoint: 'https://a:b@iamcredentials.example' }],
    ['an endpoint that is no URL', { iam_endpoint: 'iamcredentials.example' }],
  ])('%s', (_, settings) => {
    expect(problemsOf(() => proverWith(settings))).toHaveLength(1)
  })

  test('every audience that would not arrive as it is, and no other', async () => {
    const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index))
    const arrivals = await Promise.all(
      [...printable, 'é', '\n'].map(async (character) => {
        const proofAudience = `https://broker.example/${character}x`
        const proof = await proverWith()
          .prove({ proofAudience }, NEVER)
          .catch(() => undefined)
        return {
          character,
          isRefused: proof === undefined,
          isWhole: proof && decodeJwt(proof.subjectToken).aud === proofAudience,
        }
      }),
    )

    expect(arrivals.filter(({ isRefused, isWhole }) => !isRefused && !isWhole)).toEqual([])
    expect(
      arrivals
        .filter(({ isRefused }) => isRefused)
        .map(({ character }) => character)
        .join(''),
    ).toBe(' "#%&\'+;<>[\\]^`{|}é\n')
  })
})

describe('leaves alone', () => {
  test('what the library keeps: every proof is fetched anew', async () => {
    const prover = proverWith()
    const before = cloud.requests.length
    const first = await prover.prove({ proofAudience: AUDIENCE }, NEVER)
    clock.advance(60)
    const second = await prover.prove({ proofAudience: AUDIENCE }, NEVER)

    expect(second.expiresAt - first.expiresAt).toBe(60)
    expect(cloud.requests.length - before).toBe(2)
  })

  test('the command line tool, which the library would run to learn a project', async () => {
    const bin = makeScratch()
    const mark = join(bin, 'was-run')
    writeFileSync(join(bin, 'gcloud'), `#!/bin/sh\n: > ${mark}\n`, { mode: 0o755 })
    vi.stubEnv('PATH', `${bin}:${process.env.PATH}`)
    for (const name of ['GCLOUD_PROJECT', 'GOOGLE_CLOUD_PROJECT']) vi.stubEnv(name, undefined)

    await prove()
    expect(existsSync(mark)).toBe(false)
    await new GoogleAuth().getIdTokenClient(AUDIENCE)
    expect(existsSync(mark)).toBe(true)
  })

  test('the library itself, until something is to be proved', async () => {
    const script = `
      import { createRequire } from 'node:module'
      import { gcpProver } from ${JSON.stringify(new URL('../../providers/gcp/prover.ts', import.meta.url).href)}
      const isLoaded = () => Object.keys(createRequire(process.cwd() + '/x').cache).some((path) => path.includes('google-auth-library'))
      const prover = gcpProver.createProver({}, { env: {} })
      const before = isLoaded()
      await prover.prove({ proofAudience: 'a' }, AbortSignal.abort()).catch(() => undefined)
      console.log(JSON.stringify({ before, after: isLoaded() }))`
    const run = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])

    expect(JSON.parse(run.stdout)).toEqual({ before: false, after: true })
  })
})

describe('detects', () => {
  test.each([
    [{ K_SERVICE: 'api', K_REVISION: 'api-1' }, true],
    [{ CLOUD_RUN_JOB: 'nightly' }, true],
    [{ CLOUD_RUN_WORKER_POOL: 'pool' }, true],
    [{ GAE_SERVICE: 'default' }, true],
    [{ GCE_METADATA_HOST: '127.0.0.1:8080' }, true],
    [{}, false],
    [{ GOOGLE_APPLICATION_CREDENTIALS: '/var/run/credentials.json' }, false],
    [{ K_SERVICE: 'api', KUBERNETES_SERVICE_HOST: '10.0.0.1' }, false],
    [{ AWS_LAMBDA_FUNCTION_NAME: 'api' }, false],
  ])('Google in the environment %o: %s', (env, isGoogle) => {
    expect(gcpProver.detect(portsWith({ ...env }))).toBe(isGoogle)
  })
})
