/** The stand-in's metadata service and App Service endpoint, driven by the official SDK: it takes them for the real ones. */

import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AzureStandIn, startAzureStandIn } from '../../providers/azure/stand-in/stand-in.ts'
import type { Step } from '../support/azure-sdk-process.ts'
import { runAzureStep, runAzureWorkload } from '../support/azure-workload.ts'
import { createTestClock } from '../support/clock.ts'

const BROKER = 'https://broker.example'
const GROUP = '/subscriptions/11111111-2222-3333-4444-555555555555/resourcegroups/rg-pay/providers'
const MACHINE = `${GROUP}/Microsoft.Compute/virtualMachines/vm1`

let azure: AzureStandIn
beforeAll(async () => {
  azure = await startAzureStandIn()
  azure.registerApplication({ uris: [BROKER] })
})
afterAll(() => azure.close())

const machine = (): Readonly<Record<string, string>> => ({ AZURE_POD_IDENTITY_AUTHORITY_HOST: azure.origin })
const forBroker: Step = { by: 'managed_identity', scope: `${BROKER}/.default` }

describe('the metadata service', () => {
  test('gives the SDK a version 1 token of the machine’s own identity', async () => {
    const { token = '', expiresAt } = await runAzureStep(machine(), forBroker)

    const { clientId, objectId } = azure.systemIdentity
    const claims = decodeJwt(token)
    const header = { typ: 'JWT', alg: 'RS256', kid: azure.key.keyId, x5t: azure.key.keyId }
    expect(decodeProtectedHeader(token)).toEqual(header)
    expect(claims).toEqual({
      aud: BROKER,
      iss: `https://sts.windows.net/${azure.tenantId}/`,
      iat: expect.any(Number),
      nbf: claims.iat,
      exp: Number(claims.iat) + 86_700,
      aio: expect.any(String),
      appid: clientId,
      appidacr: '2',
      idp: `https://sts.windows.net/${azure.tenantId}/`,
      idtyp: 'app',
      oid: objectId,
      rh: expect.stringMatching(/^1\./),
      sub: objectId,
      tid: azure.tenantId,
      uti: expect.stringMatching(/^[\w-]{22}$/),
      ver: '1.0',
    })
    expect(expiresAt).toBe(claims.exp)
  })

  test.each(['clientId', 'objectId', 'resourceId'] as const)('takes an identity by its %s', async (name) => {
    const identity = azure.createIdentity(`by-${name}`)

    const { token = '' } = await runAzureStep(machine(), {
      ...forBroker,
      identity: { [name]: identity[name] },
    })

    expect(decodeJwt(token)).toMatchObject({ oid: identity.objectId, appid: identity.clientId })
  })

  test('gives version 2 to a resource that accepts it, and names that by its client id', async () => {
    const { clientId } = azure.registerApplication({ uris: ['api://chancery'], acceptedVersion: '2.0' })

    const outcomes = await runAzureWorkload(machine(), [
      { by: 'managed_identity', scope: 'api://chancery/.default' },
      { by: 'managed_identity', scope: `${clientId}/.default` },
    ])

    for (const { token = '' } of outcomes) {
      const { appid, appidacr, ...claims } = decodeJwt(token)
      expect([appid, appidacr]).toEqual([undefined, undefined])
      expect(claims).toMatchObject({
        aud: clientId,
        iss: `https://login.microsoftonline.com/${azure.tenantId}/v2.0`,
        azp: azure.systemIdentity.clientId,
        azpacr: '2',
        ver: '2.0',
      })
      expect(decodeProtectedHeader(token)).toEqual({ typ: 'JWT', alg: 'RS256', kid: azure.key.keyId })
    }
  })

  test('tells the SDK what it cannot give', async () => {
    const outcomes = await runAzureWorkload(machine(), [
      { ...forBroker, identity: { clientId: '00000000-0000-0000-0000-000000000000' } },
      { by: 'managed_identity', scope: 'https://nobody.example/.default' },
    ])

    expect(outcomes.map(({ name }) => name)).toEqual(['CredentialUnavailableError', 'CredentialUnavailableError'])
    expect(outcomes[0]?.message).toContain('Identity not found')
    expect(outcomes[1]?.message).toContain('AADSTS500011')
  })

  test('fails when it is told to', async () => {
    azure.fail('/metadata/identity/oauth2/token/', { status: 429, body: {} })

    const { name, token } = await runAzureStep(machine(), { ...forBroker, scope: `${BROKER}/.default` })

    azure.recover()
    expect([name, token]).toEqual(['AuthenticationRequiredError', undefined])
  })
})

describe('the metadata service, asked without the SDK', () => {
  const ask = (query: string, headers: Record<string, string> = { metadata: 'true' }) =>
    fetch(`${azure.origin}/metadata/identity/oauth2/token?${query}`, { headers })
  const whole = `api-version=2018-02-01&resource=${BROKER}`

  test('answers with numbers in strings', async () => {
    const body: unknown = await (await ask(whole)).json()

    const digits = expect.stringMatching(/^\d+$/) as unknown
    expect(body).toEqual({
      access_token: expect.any(String),
      client_id: azure.systemIdentity.clientId,
      expires_in: digits,
      expires_on: digits,
      not_before: digits,
      resource: BROKER,
      token_type: 'Bearer',
    })
  })

  test('wants the header that no forged request has, a version and a resource', async () => {
    const statuses = await Promise.all(
      [
        ask(whole, {}),
        ask(whole, { metadata: 'true', 'x-forwarded-for': '10.0.0.1' }),
        ask(`resource=${BROKER}`),
        ask('api-version=2018-02-01'),
      ].map(async (reply) => (await reply).status),
    )

    expect(statuses).toEqual([400, 400, 400, 400])
  })

  test('gives the same token until it is near its end', async () => {
    const clock = createTestClock()
    const frozen = await startAzureStandIn({ now: clock.now })
    frozen.registerApplication({ uris: [BROKER] })
    const get = async (): Promise<unknown> =>
      await (
        await fetch(`${frozen.origin}/metadata/identity/oauth2/token?${whole}`, { headers: { metadata: 'true' } })
      ).json()
    const first = await get()
    clock.advance(86_400 - 601)
    const again = await get()
    clock.advance(1)
    const renewed = await get()

    await frozen.close()
    const tokenOf = (body: unknown): unknown => (body as { readonly access_token: unknown }).access_token
    expect(tokenOf(again)).toBe(tokenOf(first))
    expect(tokenOf(renewed)).not.toBe(tokenOf(first))
    expect(again).toMatchObject({ expires_in: '601' })
  })
})

describe('App Service', () => {
  test('gives the SDK a token of a web app’s identity', async () => {
    const identity = azure.createIdentity('of-app')

    const { token = '' } = await runAzureStep(azure.environment, {
      ...forBroker,
      identity: { clientId: identity.clientId },
    })

    const asked = azure.requests.at(-1)
    expect(decodeJwt(token)).toMatchObject({ aud: BROKER, oid: identity.objectId })
    expect(asked?.path).toBe('/msi/token')
    expect(asked?.query.get('api-version')).toBe('2019-08-01')
  })

  test('wants the secret of its processes', async () => {
    const { IDENTITY_ENDPOINT } = azure.environment
    const outcome = await runAzureStep({ IDENTITY_ENDPOINT, IDENTITY_HEADER: 'of another' }, forBroker)

    expect(outcome.message).toContain('X-IDENTITY-HEADER')
    expect((await fetch(`${IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=${BROKER}`)).status).toBe(401)
  })

  test('says where an identity is used to Microsoft’s own services alone, and of a pod to nobody', async () => {
    const { clientId } = azure.createIdentity('everywhere')
    const resource = 'https://management.azure.com/'
    azure.registerApplication({ uris: [resource], isMicrosofts: true })
    const usedOn = (host: 'scale_set' | 'web_app' | 'container_app' | 'kubernetes') =>
      azure.claimsFor({ resource, clientId, host }).xms_az_rid

    expect(azure.claimsFor({ resource: BROKER, clientId })).not.toHaveProperty('xms_mirid')
    expect(azure.claimsFor({ resource, clientId }).xms_mirid).toBe(
      `${GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/everywhere`,
    )
    expect(azure.claimsFor({ resource, host: 'virtual_machine' }).xms_mirid).toBe(MACHINE)

    expect(usedOn('scale_set')).toBe(`${GROUP}/Microsoft.Compute/virtualMachineScaleSets/vmss1`)
    expect(usedOn('web_app')).toBe(`${GROUP}/Microsoft.Web/sites/pay`)
    expect(usedOn('container_app')).toBe(`${GROUP}/Microsoft.App/containerApps/pay`)
    expect(usedOn('kubernetes')).toBeUndefined()
  })
})
