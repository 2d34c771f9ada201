/** The stand-in's Entra: a cluster's token for an access token, by the official SDK and without it, and what it publishes. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AzureStandIn, startAzureStandIn } from '../../providers/azure/stand-in/stand-in.ts'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { runAzureWorkload } from '../support/azure-workload.ts'
import { createAuthority } from '../support/certificates.ts'
import { createTestClock } from '../support/clock.ts'
import { makeScratch } from '../support/scratch.ts'

const BROKER = 'https://broker.example'
const SUBJECT = 'system:serviceaccount:payments:api'
const EXCHANGE = 'api://AzureADTokenExchange'
const POD = { namespace: 'payments', serviceAccount: 'api' } as const

const authority = createAuthority('entra')
const clock = createTestClock()
let cluster: KubernetesStandIn
let azure: AzureStandIn
let clientId: string

beforeAll(async () => {
  cluster = await startKubernetesStandIn({ now: clock.now })
  cluster.createServiceAccount(POD.namespace, POD.serviceAccount)
  const tls = authority.issue({ hostnames: ['localhost'] })
  azure = await startAzureStandIn({ now: clock.now, clusters: [cluster], tls, hostname: 'localhost' })
  azure.registerApplication({ uris: [BROKER] })
  clientId = azure.createIdentity('id-pay').clientId
  azure.trustSubject({ clientId, issuer: cluster.issuer, subject: SUBJECT })
})
afterAll(async () => {
  await azure.close()
  await cluster.close()
})

const projected = (audiences: readonly string[] = [EXCHANGE]): Promise<string> =>
  cluster.requestToken({ ...POD, audiences })

type Answer = Readonly<Record<string, unknown>>

async function ask(form: Readonly<Record<string, string>>, tenant = azure.tenantId): Promise<Answer> {
  const body = new URLSearchParams({ grant_type: 'client_credentials', scope: `${BROKER}/.default`, ...form })
  const reply = await fetch(`${azure.origin}/${tenant}/oauth2/v2.0/token`, { method: 'POST', body })
  return { status: reply.status, ...((await reply.json()) as Answer) }
}

const askAs = (id: string, assertion: string) =>
  ask({
    client_id: id,
    client_assertion: assertion,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  })

describe('the SDK in a pod of AKS', () => {
  test('trades the projected token, for either version, and asks nobody else', async () => {
    const directory = makeScratch()
    writeFileSync(join(directory, 'ca.pem'), authority.cert)
    writeFileSync(join(directory, 'token'), `${await projected()}\n`)
    const modern = azure.registerApplication({ uris: ['api://modern'], acceptedVersion: '2.0' })
    const env = {
      AZURE_AUTHORITY_HOST: azure.entra.origin,
      AZURE_CLIENT_ID: clientId,
      AZURE_TENANT_ID: azure.tenantId,
      AZURE_FEDERATED_TOKEN_FILE: join(directory, 'token'),
      NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem'),
    }

    const outcomes = await runAzureWorkload(env, [
      { by: 'workload_identity', scope: `${BROKER}/.default` },
      { by: 'workload_identity', scope: `${modern.clientId}/.default` },
    ])

    const [first, second] = outcomes.map(({ token = '' }) => decodeJwt(token))
    expect(first).toMatchObject({ aud: BROKER, appid: clientId, appidacr: '2', ver: '1.0' })
    expect(first).not.toHaveProperty('xms_mirid')
    expect(second).toMatchObject({ aud: modern.clientId, azp: clientId, azpacr: '2', ver: '2.0' })
    expect(new Set(azure.entra.requests.map(({ path }) => path))).toEqual(
      new Set([`/${azure.tenantId}/v2.0/.well-known/openid-configuration`, `/${azure.tenantId}/oauth2/v2.0/token`]),
    )
  })
})

describe('the token endpoint', () => {
  test('gives a managed identity a day, and says when to renew', async () => {
    const { access_token, ...rest } = await askAs(clientId, await projected())

    const { iat, exp } = decodeJwt(String(access_token))
    expect(rest).toEqual({
      status: 200,
      token_type: 'Bearer',
      expires_in: 86_399,
      ext_expires_in: 86_399,
      refresh_in: 43_199,
    })
    expect([iat, exp]).toEqual([clock.now() - 300, clock.now() + 86_400])
  })

  test('believes the cluster’s signature alone, for the one subject, and for itself as audience', async () => {
    const claims = cluster.claimsFor({ ...POD, audiences: [EXCHANGE] })
    const stranger = await startKubernetesStandIn({ now: clock.now, issuer: cluster.issuer })
    const stranded = azure.createIdentity('stranded')
    const refusals: readonly (readonly [number, string, string])[] = [
      [700_211, clientId, await cluster.sign({ ...claims, iss: `${cluster.issuer}/` })],
      [700_213, clientId, await cluster.sign({ ...claims, sub: `${SUBJECT}2` })],
      [700_212, clientId, await projected([BROKER])],
      [700_024, clientId, await cluster.sign({ ...claims, exp: clock.now() - 1 })],
      [700_027, clientId, await stranger.sign(claims, { kid: cluster.key.keyId })],
      [50_027, clientId, 'garbage'],
      [70_025, stranded.clientId, await projected()],
      [700_016, '00000000-0000-0000-0000-000000000000', await projected()],
    ]
    await stranger.close()

    for (const [code, id, assertion] of refusals) {
      const { error_codes, error_description, access_token } = await askAs(id, assertion)
      expect([error_codes, access_token], String(error_description)).toEqual([[code], undefined])
      expect(error_description).toContain(`AADSTS${code}: `)
    }
  })

  test('gives an application with a secret a token that says so', async () => {
    const { clientId: id, secret = '' } = azure.registerApplication({ uris: ['api://caller'] })

    const { access_token, expires_in } = await ask({ client_id: id, client_secret: secret })

    const claims = decodeJwt(String(access_token))
    expect(claims).toMatchObject({ appid: id, appidacr: '1' })
    expect(claims).not.toHaveProperty('xms_mirid')
    expect(expires_in).toBe(3_599)
    expect(await ask({ client_id: id, client_secret: 'guessed' })).toMatchObject({
      status: 401,
      error_codes: [7_000_215],
    })
    expect(await ask({ client_id: id })).toMatchObject({ error: 'invalid_client', error_codes: [7_000_218] })
    expect(await ask({ client_id: clientId, client_secret: '' })).toMatchObject({ error_codes: [7_000_215] })
  })

  test('knows its own tenant, grant and resources, and no others', async () => {
    expect(await ask({}, 'other')).toMatchObject({ status: 400, error_codes: [90_002] })
    expect(await ask({ grant_type: 'password' })).toMatchObject({ error: 'unsupported_grant_type' })
    expect(await ask({ client_id: clientId, scope: BROKER })).toMatchObject({ error: 'invalid_scope' })
    expect(await ask({ client_id: clientId, scope: 'api://nobody/.default' })).toMatchObject({ error_codes: [500_011] })
  })
})

describe('what Entra publishes', () => {
  const read = async (path: string) => (await (await fetch(`${azure.origin}/${path}`)).json()) as Answer

  test('has an issuer and a key set for each version', async () => {
    const { tenantId, entra } = azure

    expect(await read(`${tenantId}/.well-known/openid-configuration`)).toMatchObject({
      issuer: `https://sts.windows.net/${tenantId}/`,
      jwks_uri: `${entra.origin}/${tenantId}/discovery/keys`,
    })
    expect(await read(`${tenantId}/v2.0/.well-known/openid-configuration`)).toMatchObject({
      issuer: `https://login.microsoftonline.com/${tenantId}/v2.0`,
      jwks_uri: `${entra.origin}/${tenantId}/discovery/v2.0/keys`,
    })
    expect(await read('common/v2.0/.well-known/openid-configuration')).toMatchObject({
      issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
    })
  })

  test('says of each key of version 2 whose it is, and of none its algorithm', async () => {
    const consumers = 'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0'
    const v1 = (await read(`${azure.tenantId}/discovery/keys`)).keys as readonly Answer[]
    const v2 = (await read(`${azure.tenantId}/discovery/v2.0/keys`)).keys as typeof v1

    expect(v2.map(({ kid, issuer }) => [kid, issuer])).toEqual([
      [azure.key.keyId, 'https://login.microsoftonline.com/{tenantid}/v2.0'],
      [azure.consumerKey.keyId, consumers],
    ])
    expect(v1.map(({ kid }) => kid)).toEqual([azure.key.keyId])
    for (const key of v1) expect(Object.keys(key).sort()).toEqual(['e', 'kid', 'kty', 'n', 'use', 'x5c', 'x5t'])
    for (const key of v2) expect(key).not.toHaveProperty('alg')
  })

  test('verifies its tokens, before and after the keys are rotated, and until one is dropped', async () => {
    const keys = createRemoteJWKSet(new URL(`${azure.origin}/${azure.tenantId}/discovery/v2.0/keys`))
    const currentDate = new Date(clock.now() * 1_000)
    const before = await azure.requestToken({ resource: BROKER, clientId })
    await expect(jwtVerify(before, keys, { currentDate })).resolves.toBeDefined()

    await azure.rotateKeys()
    const after = await azure.requestToken({ resource: BROKER, clientId })
    const published = () => createLocalJWKSet({ keys: [...azure.jwks.keys] })
    for (const token of [before, after]) {
      await expect(jwtVerify(token, published(), { currentDate })).resolves.toBeDefined()
    }

    await azure.rotateKeys({ dropOld: true })
    await expect(jwtVerify(before, published(), { currentDate })).rejects.toThrow('no applicable key')
  })

  test('has other names in other clouds', async () => {
    const issuersIn = async (cloud: 'usgov' | 'china') => {
      const other = await startAzureStandIn({ cloud })
      other.registerApplication({ uris: ['api://one'] })
      other.registerApplication({ uris: ['api://two'], acceptedVersion: '2.0' })
      await other.close()
      const issuers = ['api://one', 'api://two'].map((resource) => other.claimsFor({ resource }).iss)
      return { issuers, scope: other.jwks.keys[0]?.issuer }
    }
    const tenant = azure.tenantId

    expect(await issuersIn('usgov')).toEqual({
      issuers: [`https://sts.windows.net/${tenant}/`, `https://login.microsoftonline.us/${tenant}/v2.0`],
      scope: 'https://login.microsoftonline.us/{tenantid}/v2.0',
    })
    expect(await issuersIn('china')).toEqual({
      issuers: [`https://sts.chinacloudapi.cn/${tenant}/`, `https://login.partner.microsoftonline.cn/${tenant}/v2.0`],
      scope: 'https://login.partner.microsoftonline.cn/{tenantid}/v2.0',
    })
  })
})

test('a token that acts for a person has a scope, the person’s names and another subject', () => {
  const claims = azure.claimsFor({ resource: BROKER, clientId, delegated: true, clientAuthentication: '0' })

  expect(claims).toMatchObject({ idtyp: 'user', scp: 'user_impersonation', upn: 'ada@corp.example', appidacr: '0' })
  expect(claims.sub).not.toBe(claims.oid)
})
