/** The stand-in for Google Cloud, driven by Google's own library: it takes it for the real one. */

import { Compute, GoogleAuth, gcpMetadata, Impersonated, OAuth2Client } from 'google-auth-library'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JSONWebKeySet,
  jwtVerify,
} from 'jose'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type GoogleStandIn, startGoogleStandIn } from '../../providers/gcp/stand-in/stand-in.ts'
import { environmentOf, gcpStandIn } from '../../providers/gcp/stand-in/stand-in-provider.ts'
import { lendEnvironment } from '../../providers/kit/stand-in-environment.ts'
import { createTestClock } from '../support/clock.ts'

const AUDIENCE = 'https://broker.example'
const TARGET = 'deploy@prod-123456.iam.gserviceaccount.com'
const IDENTITY_PATH = '/computeMetadata/v1/instance/service-accounts/default/identity'
let cloud: GoogleStandIn
let giveBack: () => void

beforeAll(async () => {
  cloud = await startGoogleStandIn()
  giveBack = lendEnvironment(environmentOf(cloud.host))
  cloud.createServiceAccount(TARGET)
})
afterAll(async () => {
  giveBack()
  await cloud.close()
})

const ask = (path: string, headers: Record<string, string> = { 'metadata-flavor': 'Google' }) =>
  fetch(`${cloud.origin}${path}`, { headers, redirect: 'manual' })

describe('the metadata server', () => {
  test('is found by the library, without being assumed', async () => {
    vi.stubEnv('METADATA_SERVER_DETECTION', undefined)
    gcpMetadata.resetIsAvailableCache()

    expect(await gcpMetadata.isAvailable()).toBe(true)
    expect(cloud.requests.map(({ path }) => path)).toContain('/computeMetadata/v1/instance/')
  })

  test('tells the library where it runs', async () => {
    expect(await gcpMetadata.project('project-id')).toBe('prod-123456')
    expect(String(await gcpMetadata.instance('id'))).toBe('4340508760561261530')
    expect(await gcpMetadata.instance('service-accounts/default/email')).toBe(cloud.workload.account)
    expect(
      await gcpMetadata.instance({ property: 'service-accounts/default/', params: { recursive: 'true' } }),
    ).toEqual({
      aliases: ['default'],
      email: cloud.workload.account,
      scopes: ['https://www.googleapis.com/auth/cloud-platform'],
    })
  })

  test('gives a virtual machine’s token with the machine in it', async () => {
    const token = await new Compute().fetchIdToken(AUDIENCE)

    const { uniqueId, email } = cloud.serviceAccount(cloud.workload.account) ?? {}
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'RS256', kid: cloud.key.keyId, typ: 'JWT' })
    expect(cloud.key.keyId).toMatch(/^[0-9a-f]{40}$/)
    expect(decodeJwt(token)).toEqual({
      iss: 'https://accounts.google.com',
      aud: AUDIENCE,
      azp: uniqueId,
      sub: expect.stringMatching(/^\d{21}$/),
      email,
      email_verified: true,
      iat: expect.any(Number),
      exp: expect.any(Number),
      google: {
        compute_engine: {
          project_id: 'prod-123456',
          project_number: 716149158341,
          zone: 'us-central1-a',
          instance_id: '4340508760561261530',
          instance_name: 'vm-1',
          instance_creation_timestamp: expect.any(Number),
          instance_confidentiality: 0,
        },
      },
    })
  })

  test('gives what was asked for: the standard form, or licences too', async () => {
    const standard = await (await ask(`${IDENTITY_PATH}?audience=${AUDIENCE}`)).text()
    const licensed = await (await ask(`${IDENTITY_PATH}?audience=${AUDIENCE}&format=full&licenses=TRUE`)).text()

    expect(decodeJwt(standard)).not.toHaveProperty('google')
    expect(decodeJwt(licensed)).toHaveProperty('google.compute_engine.license_id', ['1000204'])
  })

  test.each(['serverless', 'gke_pod'] as const)('gives no machine in the token of a %s workload', async (place) => {
    cloud.run({ place })
    const client = await new GoogleAuth({ projectId: 'prod-123456' }).getIdTokenClient(AUDIENCE)
    const authorization = (await client.getRequestHeaders()).get('authorization') ?? ''
    cloud.run({ place: 'vm' })

    expect(decodeJwt(authorization.replace('Bearer ', ''))).toMatchObject({ aud: AUDIENCE, email_verified: true })
    expect(decodeJwt(authorization.replace('Bearer ', ''))).not.toHaveProperty('google')
  })

  test('refuses whoever does not say that they mean it, and whoever was forwarded', async () => {
    const forwarded = { 'metadata-flavor': 'Google', 'x-forwarded-for': '203.0.113.1' }

    expect((await ask(`${IDENTITY_PATH}?audience=a`, {})).status).toBe(403)
    expect((await ask(`${IDENTITY_PATH}?audience=a`, forwarded)).status).toBe(403)
    expect((await ask(`${IDENTITY_PATH}?audience=a`)).status).toBe(200)
  })

  test('refuses a token for nobody, and one of an account that is not attached', async () => {
    const nobody = await ask(IDENTITY_PATH)

    expect([nobody.status, await nobody.text()]).toEqual([400, 'non-empty audience parameter required'])
    expect(nobody.headers.get('metadata-flavor')).toBe('Google')
    await expect(new Compute({ serviceAccountEmail: TARGET }).fetchIdToken(AUDIENCE)).rejects.toThrow()
  })

  test('gives an account that is created again another id', async () => {
    cloud.createServiceAccount('gone@prod-123456.iam.gserviceaccount.com')
    const workload = { ...cloud.workload, account: 'gone@prod-123456.iam.gserviceaccount.com' }
    const before = cloud.claimsFor({ audience: AUDIENCE, workload })
    cloud.createServiceAccount(workload.account)
    const after = cloud.claimsFor({ audience: AUDIENCE, workload })

    expect(after.email).toBe(before.email)
    expect(after.sub).not.toBe(before.sub)
  })
})

describe('impersonation', () => {
  async function impersonate(options?: { includeEmail: boolean }): Promise<string> {
    vi.spyOn(console, 'warn').mockReturnValue()
    const endpoint = cloud.origin
    return await new Impersonated({ sourceClient: new Compute(), targetPrincipal: TARGET, endpoint }).fetchIdToken(
      AUDIENCE,
      options,
    )
  }

  test('is refused until it is allowed, and without an access token of this cloud', async () => {
    const bare = await fetch(`${cloud.origin}/v1/projects/-/serviceAccounts/${TARGET}:generateIdToken`, {
      method: 'POST',
      headers: { authorization: 'Bearer ya29.stolen' },
      body: '{}',
    })

    await expect(impersonate()).rejects.toMatchObject({ status: 403 })
    expect(bare.status).toBe(401)
  })

  test('puts the e-mail address in where it is asked for, as the library does into azp too', async () => {
    cloud.allowImpersonation(cloud.workload.account, TARGET)
    const { uniqueId } = cloud.serviceAccount(TARGET) ?? {}

    const [withEmail, without] = [decodeJwt(await impersonate()), decodeJwt(await impersonate({ includeEmail: false }))]

    expect(withEmail).toMatchObject({ aud: AUDIENCE, sub: uniqueId, azp: TARGET, email: TARGET, email_verified: true })
    expect(without).toMatchObject({ aud: AUDIENCE, sub: uniqueId, azp: uniqueId })
    expect(without).not.toHaveProperty('email')
    expect(without).not.toHaveProperty('email_verified')
  })
})

test('ends what it allowed with the access token, and with the account', async () => {
  const clock = createTestClock()
  const own = await startGoogleStandIn({ now: clock.now })
  onTestFinished(() => own.close())
  const allow = (): void => {
    own.createServiceAccount(TARGET)
    own.allowImpersonation(own.workload.account, TARGET)
  }
  const statusWith = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` }
    const url = `${own.origin}/v1/projects/-/serviceAccounts/${TARGET}:generateIdToken`
    return (await fetch(url, { method: 'POST', headers, body: JSON.stringify({ audience: AUDIENCE }) })).status
  }
  const headers = { 'metadata-flavor': 'Google' }
  const answer = await fetch(`${own.origin}${IDENTITY_PATH.replace('identity', 'token')}`, { headers })
  const { access_token: token } = (await answer.json()) as { readonly access_token: string }

  allow()
  expect(await statusWith(token)).toBe(200)
  own.createServiceAccount(TARGET)
  expect(await statusWith(token)).toBe(403)
  allow()
  clock.advance(3_600)
  expect(await statusWith(token)).toBe(401)
})

describe('the keys', () => {
  const google = () =>
    new OAuth2Client({ endpoints: { oauth2FederatedSignonPemCertsUrl: `${cloud.origin}/oauth2/v1/certs` } })
  const mint = () => cloud.requestToken({ audience: AUDIENCE })

  test('satisfy Google’s own verifier', async () => {
    const ticket = await google().verifyIdToken({ idToken: await mint(), audience: AUDIENCE })

    expect(ticket.getPayload()?.sub).toBe(cloud.serviceAccount(cloud.workload.account)?.uniqueId)
    await expect(google().verifyIdToken({ idToken: await mint(), audience: 'other' })).rejects.toThrow('audience')
  })

  test('are two, are found by discovery, and stay good through a rotation unless they are dropped', async () => {
    const before = await mint()
    await cloud.rotateKeys()
    const after = await mint()
    const discovery = await (await ask('/.well-known/openid-configuration')).json()
    const { issuer, jwks_uri: url } = discovery as { readonly issuer: string; readonly jwks_uri: string }
    const answer = await fetch(url)

    expect(await answer.json()).toEqual({ keys: cloud.jwks.keys })
    expect(cloud.jwks.keys).toHaveLength(2)
    expect(answer.headers.get('cache-control')).toMatch(/^public, max-age=\d+/)
    for (const token of [before, after]) await jwtVerify(token, createRemoteJWKSet(new URL(url)), { issuer })
    await cloud.rotateKeys({ dropOld: true })
    await expect(jwtVerify(after, createRemoteJWKSet(new URL(cloud.keysUrl)))).rejects.toThrow('no applicable key')
  })

  test('of an account are its own, and published under its name alone', async () => {
    const { account } = cloud.workload
    const selfSigned = await cloud.signAsAccount(account, { aud: AUDIENCE })
    const published = await (await ask(`/service_accounts/v1/jwk/${encodeURIComponent(account)}`)).json()

    const { payload } = await jwtVerify(selfSigned, createLocalJWKSet(published as JSONWebKeySet))
    expect(payload).toMatchObject({ iss: account, sub: account, aud: AUDIENCE })
    await expect(google().verifyIdToken({ idToken: selfSigned, audience: AUDIENCE })).rejects.toThrow('No pem found')
    expect((await ask('/service_accounts/v1/jwk/nobody@x.iam.gserviceaccount.com')).status).toBe(404)
  })

  test('sign people’s tokens too, which name an OAuth client', async () => {
    const claims = cloud.claimsOfPerson({ email: 'ada@corp.example', hostedDomain: 'corp.example' })
    const idToken = await cloud.sign(claims)

    const ticket = await google().verifyIdToken({ idToken, audience: String(claims.aud) })
    expect(ticket.getPayload()).toMatchObject({ hd: 'corp.example', azp: expect.stringMatching(/googleusercontent/) })
  })
})

test('lends the process its address, and gives back what was there', async () => {
  const now = () => 1_768_478_400
  const standIn = await gcpStandIn.start({ now })
  const [host] = standIn.hosts

  expect(process.env.GCE_METADATA_HOST).toBe(host)
  expect(await standIn.prover.ports(AUDIENCE)).toMatchObject({ env: { GCE_METADATA_HOST: host } })
  expect(decodeJwt((await standIn.flawed('expired', AUDIENCE)) ?? '').exp).toBe(now() - 60)
  await standIn.close()
  expect(process.env.GCE_METADATA_HOST).toBe(cloud.host)
})
