/** In which order a workload looks for a way to prove who it is, and what it says of it. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { startAzureStandIn } from '../../providers/azure/stand-in/stand-in.ts'
import { startGoogleStandIn } from '../../providers/gcp/stand-in/stand-in.ts'
import { type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { DEFAULT_TOKEN_PATH } from '../../providers/kubernetes/prover.ts'
import { createTokenSource, type TokenSource, type TokenSourceSettings } from '../../src/client/client.ts'
import { PROOF_SOURCES } from '../../src/client/find-proof.ts'
import { METADATA_SECONDS } from '../../src/client/metadata-address.ts'
import { PROJECTED_TOKEN_PATH } from '../../src/client/proof-file.ts'
import { sourceError } from '../support/client-scene.ts'

/** What answers at the metadata address, unless a test says otherwise: a virtual machine of Google. */
let google: Awaited<ReturnType<typeof startGoogleStandIn>>
beforeAll(async () => {
  google = await startGoogleStandIn()
})
afterAll(() => google.close())

const noFile = (): Promise<string> => Promise.reject(Object.assign(new Error('gone'), { code: 'ENOENT' }))

function sourceWith(settings: Partial<TokenSourceSettings> = {}): TokenSource {
  return createTokenSource({
    broker: 'https://broker.example',
    environment: {},
    readFile: noFile,
    metadataOrigin: google.origin,
    ...settings,
  })
}

const LAMBDA = { AWS_LAMBDA_FUNCTION_NAME: 'api' }
const POD = { KUBERNETES_SERVICE_HOST: '10.0.0.1' }
const AKS = {
  ...POD,
  AZURE_FEDERATED_TOKEN_FILE: '/var/run/secrets/azure/tokens/azure-identity-token',
  AZURE_CLIENT_ID: 'aaaabbbb-0000-cccc-1111-dddd2222eeee',
  AZURE_TENANT_ID: 'bbbbcccc-1111-dddd-2222-eeee3333ffff',
}
const projected = { readFile: async (path: string) => (path === PROJECTED_TOKEN_PATH ? 'a.b.c' : noFile()) }

describe('the first place that has an answer decides', () => {
  const everywhere = { ...projected, environment: { CHANCERY_PROOF_FILE: '/proof', ...LAMBDA } }

  test.each([
    ['setting', 'azure', { ...everywhere, proof: { provider: 'azure' } }],
    ['setting', undefined, { ...everywhere, proof: { file: '/other' } }],
    ['setting', 'gcp', { ...everywhere, environment: { ...everywhere.environment, CHANCERY_PROVIDER: 'gcp' } }],
    ['setting', undefined, { proof: { file: '/other' }, environment: { CHANCERY_PROVIDER: 'gcp' } }],
    ['setting', 'aws', { proof: { provider: 'aws' }, environment: { CHANCERY_PROVIDER: 'gcp' } }],
    ['proof_file', undefined, everywhere],
    ['projected_token', 'kubernetes', { ...everywhere, environment: { ...LAMBDA, ...POD } }],
    ['environment', 'aws', { environment: { ...LAMBDA } }],
    ['environment', 'azure', { environment: AKS }],
    ['environment', 'gcp', { environment: { K_SERVICE: 'api' } }],
    ['metadata', 'gcp', {}],
    ['metadata', 'gcp', { environment: { CHANCERY_PROVIDER: '', CHANCERY_PROOF_FILE: '' } }],
  ] as const)('%s: %s', async (source, provider, settings) => {
    const choice = await sourceWith(settings).explain()

    expect(choice).toMatchObject({ source, provider })
    expect(choice.tried.map((attempt) => attempt.source)).toEqual(PROOF_SOURCES.slice(0, PROOF_SOURCES.indexOf(source)))
  })

  test('where the projected token lies, client and prover agree', () => {
    expect(PROJECTED_TOKEN_PATH).toBe(DEFAULT_TOKEN_PATH)
  })

  test('what was found once is not looked for again', async () => {
    const source = sourceWith()
    const before = google.requests.length
    await source.explain()
    const asked = google.requests.length
    await source.explain()

    expect([asked - before, google.requests.length - asked]).toEqual([3, 0])
  })

  test('what was not found is', async () => {
    const files = new Map<string, string>()
    const readFile = async (path: string) => files.get(path) ?? noFile()
    const source = sourceWith({ environment: POD, readFile })

    expect((await sourceError(source.explain())).code).toBe('platform_not_found')
    files.set(PROJECTED_TOKEN_PATH, 'a.b.c')
    expect(await source.explain()).toMatchObject({ source: 'projected_token' })
  })
})

describe('says what to do', () => {
  test('where the variables of two clouds are there', async () => {
    const error = await sourceError(sourceWith({ environment: { ...AKS, ...LAMBDA } }).explain())

    expect(error).toMatchObject({ code: 'platform_ambiguous', kind: 'setup' })
    expect(error.message).toBe(
      'the environment has the variables of aws and of azure: name the platform to prove by in proof.provider, or in CHANCERY_PROVIDER',
    )
  })

  test('in a pod without a projected token, and does not ask for the node’s identity', async () => {
    const before = google.requests.length
    const error = await sourceError(sourceWith({ environment: POD }).explain())

    expect(error.code).toBe('platform_not_found')
    expect(error.advice).toContain('project a service account token')
    expect(error.message).toContain(`${PROJECTED_TOKEN_PATH} cannot be read (ENOENT)`)
    expect(google.requests.length).toBe(before)
  })

  test('in a pod that was told to prove by Kubernetes, and has no projected token', async () => {
    const error = await sourceError(sourceWith({ environment: { ...POD, CHANCERY_PROVIDER: 'kubernetes' } }).token())

    expect(error.code).toBe('proof_unavailable')
    expect(error.message).toContain('(ENOENT): project a service account token')
  })

  test('where a platform and a file are both set', async () => {
    const error = await sourceError(sourceWith({ proof: { provider: 'aws', file: '/proof' } }).explain())

    expect(error.code).toBe('settings_invalid')
    expect(await sourceWith({ proof: { provider: 'kubernetes', file: '/p' } }).explain()).toMatchObject({ file: '/p' })
  })

  test('where the prover does not take a setting', async () => {
    const proof = { provider: 'gcp', settings: { service_acount: 'a' } } as const

    const error = await sourceError(sourceWith({ proof }).explain())
    expect(error.code).toBe('settings_invalid')
    expect(error.message).toContain('gcp')
  })
})

describe('the metadata address', () => {
  async function serve(start: () => Promise<{ readonly origin: string; close(): Promise<void> }>): Promise<string> {
    const server = await start()
    onTestFinished(() => server.close())
    return server.origin
  }
  const at = (metadataOrigin: string) => sourceWith({ metadataOrigin }).explain()

  test.each([
    ['aws', startAwsStandIn],
    ['azure', startAzureStandIn],
    ['gcp', startGoogleStandIn],
  ] as const)('is known for %s by what only that cloud answers', async (provider, start) => {
    expect(await at(await serve(() => start()))).toMatchObject({ source: 'metadata', provider })
  })

  const answering = (status: number, body: string | object, headers: Readonly<Record<string, string>> = {}) =>
    serve(() => startStandInServer({ route: () => ({ status, body, headers }) }))

  test.each([
    ['200 to everything', 200, { compute: 'a page' }],
    ['200 with text', 200, 'welcome'],
    ['404', 404, 'not found'],
    ['401', 401, ''],
  ])('is no cloud’s where it answers %s', async (_, status, body) => {
    const error = await sourceError(at(await answering(status, body)))

    expect(error.code).toBe('platform_not_found')
    expect(error.message).toContain('metadata: it answers as no cloud does')
  })

  test('is no cloud’s where it redirects to one', async () => {
    const before = google.requests.length

    expect((await sourceError(at(await answering(302, '', { location: google.origin })))).code).toBe(
      'platform_not_found',
    )
    expect(google.requests.length).toBe(before)
  })

  test('is nobody’s where two clouds’ answers come from it', async () => {
    const both = await answering(200, { compute: {} }, { 'metadata-flavor': 'Google' })

    expect(await sourceError(at(both))).toMatchObject({
      code: 'platform_ambiguous',
      message: expect.stringContaining('as gcp and as azure do'),
    })
  })

  test.each([
    ['slow', METADATA_SECONDS + 2],
    ['huge', METADATA_SECONDS],
    ['down', METADATA_SECONDS],
  ] as const)(
    'costs no more than a second where it is %s: less than %d s with everything',
    async (failure, seconds) => {
      const server: StandInServer = await startStandInServer({ route: () => ({ status: 200 }) })
      onTestFinished(() => server.close())
      server.fail('*', failure)
      const begun = performance.now()

      expect((await sourceError(at(server.origin))).code).toBe('platform_not_found')
      expect(performance.now() - begun).toBeLessThan(seconds * 1_000)
    },
  )

  test('is not waited for any longer than the caller wants', async () => {
    const server = await startStandInServer({ route: () => new Promise(() => undefined) })
    onTestFinished(() => server.close())
    const impatient = new AbortController()
    const waiting = sourceWith({ metadataOrigin: server.origin }).explain(impatient.signal)
    impatient.abort(new Error('enough'))

    await expect(waiting).rejects.toThrow('enough')
  })
})
