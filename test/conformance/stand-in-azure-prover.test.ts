/** Our prover on Azure: what it asks the official SDK for in each environment, and what it says when there is nothing to be had. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { azureProver } from '../../providers/azure/prover.ts'
import { type AzureStandIn, startAzureStandIn } from '../../providers/azure/stand-in/stand-in.ts'
import { SettingsError } from '../../providers/contract/errors.ts'
import type { ProverPorts } from '../../providers/contract/provider.ts'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import type { Step } from '../support/azure-sdk-process.ts'
import { runAzureStep, runAzureWorkload } from '../support/azure-workload.ts'
import { createAuthority } from '../support/certificates.ts'
import { makeScratch } from '../support/scratch.ts'

const BROKER = 'https://broker.example'
const ID = '00001111-aaaa-2222-bbbb-3333cccc4444'

const authority = createAuthority('entra')
let cluster: KubernetesStandIn
let azure: AzureStandIn
let clientId: string

beforeAll(async () => {
  cluster = await startKubernetesStandIn()
  cluster.createServiceAccount('payments', 'api')
  const tls = authority.issue({ hostnames: ['localhost'] })
  azure = await startAzureStandIn({ clusters: [cluster], tls, hostname: 'localhost' })
  azure.registerApplication({ uris: [BROKER] })
  clientId = azure.createIdentity('id-pay').clientId
  azure.trustSubject({ clientId, issuer: cluster.issuer, subject: 'system:serviceaccount:payments:api' })
})
afterAll(async () => {
  await azure.close()
  await cluster.close()
})

const machine = (): Readonly<Record<string, string>> => ({ AZURE_POD_IDENTITY_AUTHORITY_HOST: azure.origin })
const prove: Step = { by: 'prover', audience: BROKER }

/** What the webhook of AKS puts in a pod, with a token for this audience. */
async function pod(audience = 'api://AzureADTokenExchange') {
  const directory = makeScratch()
  const token = await cluster.requestToken({ namespace: 'payments', serviceAccount: 'api', audiences: [audience] })
  writeFileSync(join(directory, 'ca.pem'), authority.cert)
  writeFileSync(join(directory, 'token'), token)
  const env = {
    AZURE_AUTHORITY_HOST: `${azure.entra.origin}/`,
    AZURE_CLIENT_ID: clientId,
    AZURE_TENANT_ID: azure.tenantId,
    AZURE_FEDERATED_TOKEN_FILE: join(directory, 'token'),
    NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem'),
  }
  return { env, token }
}

describe('the prover', () => {
  test('proves the identity of an App Service that the environment or a setting names', async () => {
    const byVariable = await runAzureStep({ ...azure.environment, AZURE_CLIENT_ID: clientId }, prove)
    const bySetting = await runAzureStep(azure.environment, { ...prove, settings: { client_id: clientId } })

    for (const { token = '', expiresAt } of [byVariable, bySetting]) {
      const claims = decodeJwt(token)
      expect(claims).toMatchObject({ aud: BROKER, appid: clientId })
      expect(expiresAt).toBe(claims.exp)
    }
  })

  test('proves the identity that a virtual machine has of its own', async () => {
    const { token = '' } = await runAzureStep(machine(), prove)

    expect(decodeJwt(token).oid).toBe(azure.systemIdentity.objectId)
  })

  test('proves the identity that a pod’s service account stands for, and asks no host for it', async () => {
    const before = azure.requests.length
    const { token = '' } = await runAzureStep({ ...(await pod()).env, ...machine() }, prove)

    expect(decodeJwt(token)).toMatchObject({ aud: BROKER, appid: clientId, appidacr: '2' })
    expect(azure.requests.length).toBe(before)
  })

  test('takes from its settings what the environment does not say', async () => {
    const { env } = await pod()
    const settings = {
      client_id: clientId,
      tenant_id: azure.tenantId,
      token_path: env.AZURE_FEDERATED_TOKEN_FILE,
      authority_host: azure.entra.origin,
    }

    const { token = '' } = await runAzureStep({ NODE_EXTRA_CA_CERTS: env.NODE_EXTRA_CA_CERTS }, { ...prove, settings })

    expect(decodeJwt(token).appid).toBe(clientId)
  })

  test('takes no client secret, were there one', async () => {
    const { clientId: id, secret = '' } = azure.registerApplication({ uris: ['api://caller'] })
    const env = { AZURE_CLIENT_ID: id, AZURE_TENANT_ID: azure.tenantId, AZURE_CLIENT_SECRET: secret }

    const { token, code } = await runAzureStep({ ...env, ...azure.environment }, prove)

    expect([token, code]).toEqual([undefined, 'upstream_status'])
    expect(azure.requests.at(-1)?.path).toBe('/msi/token')
  })

  test('takes a client id for audience', async () => {
    const modern = azure.registerApplication({ uris: ['api://modern'], acceptedVersion: '2.0' })

    const onMachine = await runAzureStep(machine(), { by: 'prover', audience: modern.clientId })
    const inPod = await runAzureStep((await pod()).env, { by: 'prover', audience: modern.clientId })

    for (const { token = '' } of [onMachine, inPod]) expect(decodeJwt(token).aud).toBe(modern.clientId)
  })

  test('loads the SDK when it proves, and no sooner', async () => {
    const outcomes = await runAzureWorkload(machine(), [prove, prove])

    expect(outcomes.map(({ wasSdkLoaded }) => wasSdkLoaded)).toEqual([false, true])
  })
})

describe('the prover, where there is nothing to be had', () => {
  test('says what to look at, and only Entra’s number of the reason', async () => {
    const [noIdentity, noAudience] = await runAzureWorkload(azure.environment, [
      { ...prove, settings: { client_id: ID } },
      { by: 'prover', audience: 'https://nobody.example' },
    ])
    const wrongToken = await runAzureStep((await pod(BROKER)).env, prove)

    expect(noIdentity).toMatchObject({ name: 'ProofError', code: 'upstream_status', facts: { audience: BROKER } })
    expect(noIdentity?.message).toContain('give this host the identity')
    expect(noAudience).toMatchObject({ code: 'upstream_status', facts: { reason: 'AADSTS500011' } })
    expect(wrongToken).toMatchObject({ code: 'upstream_status', facts: { reason: 'AADSTS700212' } })
    expect(wrongToken.message).toContain('the federated credential')
  })

  test('never shows what it holds', async () => {
    const { env, token } = await pod(BROKER)
    const refused = await runAzureStep(env, prove)
    const unknown = await runAzureStep(azure.environment, { ...prove, settings: { client_id: ID } })

    expect(refused.shown).not.toContain(token)
    expect(unknown.shown).toContain('ProofError')
    expect(unknown.shown).not.toContain(azure.environment.IDENTITY_HEADER)
  })

  test('tells a file that is not there from an Entra or a host that cannot be trusted', async () => {
    const { env } = await pod()
    const noFile = await runAzureStep({ ...env, AZURE_FEDERATED_TOKEN_FILE: '/nowhere/token' }, prove)
    const untrusted = await runAzureStep({ ...env, NODE_EXTRA_CA_CERTS: '' }, prove)
    const noHost = await runAzureStep({ ...azure.environment, IDENTITY_ENDPOINT: `${azure.entra.origin}/` }, prove)

    expect(noFile.code).toBe('file_unreadable')
    expect(untrusted.code).toBe('upstream_unreachable')
    expect(untrusted.message).toContain('Entra')
    expect(noHost.code).toBe('upstream_unreachable')
    expect(noHost.message).toContain('this host')
    expect(noHost.shown).not.toContain(azure.environment.IDENTITY_HEADER)
  })

  test('gives up when it is told to, though the SDK would wait', async () => {
    azure.fail('/msi/token', 'slow')

    const { code, token } = await runAzureStep(azure.environment, { ...prove, giveUpAfterMs: 200 })

    azure.recover()
    expect([code, token]).toEqual(['upstream_timeout', undefined])
  })
})

describe('what the environment says', () => {
  const ports = (env: ProverPorts['env']): ProverPorts => ({ env, readFile: async () => '', now: () => 0 })

  test.each([
    [true, { IDENTITY_ENDPOINT: 'http://127.0.0.1/msi/token', IDENTITY_HEADER: 'x' }],
    [true, { AZURE_FEDERATED_TOKEN_FILE: '/token', AZURE_CLIENT_ID: ID, AZURE_TENANT_ID: ID }],
    [true, { AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1' }],
    [false, {}],
    [false, { IDENTITY_ENDPOINT: 'http://127.0.0.1/msi/token' }],
    [false, { IDENTITY_ENDPOINT: '', IDENTITY_HEADER: '' }],
    [false, { AZURE_FEDERATED_TOKEN_FILE: '/token', AZURE_CLIENT_ID: ID }],
    [false, { AZURE_CLIENT_ID: ID, AZURE_TENANT_ID: ID, AZURE_CLIENT_SECRET: 'x' }],
  ])('answers %s to %j', (isAzure, env) => {
    expect(azureProver.detect(ports(env))).toBe(isAzure)
  })

  test.each([
    ['client_id', { AZURE_FEDERATED_TOKEN_FILE: '/token', AZURE_TENANT_ID: ID }],
    ['tenant_id', { AZURE_FEDERATED_TOKEN_FILE: '/token', AZURE_CLIENT_ID: ID }],
    ['client_id', { AZURE_CLIENT_ID: 'id-pay' }],
    ['authority_host', { AZURE_AUTHORITY_HOST: 'http://login.example' }],
  ])('names %s where it is missing or wrong: %j', (setting, env) => {
    expect(problemsOf({}, env)).toEqual([setting])
  })

  test.each([
    ['secret', { secret: 'x' }],
    ['client_id', { client_id: 'x' }],
    ['tenant_id', { tenant_id: 'common' }],
    ['token_path', { token_path: '' }],
    ['authority_host', { authority_host: 'http://login.example' }],
  ])('takes no wrong setting %s', (setting, settings) => {
    expect(problemsOf(settings, {})).toEqual([setting === 'secret' ? undefined : setting])
  })

  function problemsOf(settings: unknown, env: ProverPorts['env']): readonly unknown[] {
    try {
      azureProver.createProver(settings, ports(env))
    } catch (error) {
      if (error instanceof SettingsError) return error.problems.map(({ path }) => path[0])
    }
    return ['nothing wrong']
  }
})
