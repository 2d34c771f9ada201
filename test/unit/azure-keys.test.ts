/** Whose keys verify a tenant's tokens: those that are published for it, and none that only stand beside them. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { AZURE_CLOUDS, type AzureCloud, isKeyOf, issuersOf } from '../../providers/azure/issuers.ts'
import { azureVerifier } from '../../providers/azure/verifier.ts'
import { type BareVerifier, createBareVerifier } from '../support/bare-verifier.ts'
import { createTestClock } from '../support/clock.ts'
import {
  APP_ID,
  APP_URI,
  CONSUMERS,
  createEntra,
  type Entra,
  inlineKeys,
  OTHER_TENANT,
  TENANT,
  V1_ISSUER,
  V2_ISSUER,
} from '../support/entra-tokens.ts'
import { type KeyHosts, startKeyHosts } from '../support/key-hosts.ts'
import { makeJwk } from '../support/key-issuer.ts'
import { createTestPorts, type TestPorts } from '../support/provider-ports.ts'

const clock = createTestClock()
const V2_TEMPLATE = 'https://login.microsoftonline.com/{tenantid}/v2.0'
const V1_TEMPLATE = 'https://sts.windows.net/{tenantid}/'

let entra: Entra
let hosts: KeyHosts
let ports: TestPorts
beforeAll(async () => {
  entra = await createEntra(clock.now)
  const clouds = AZURE_CLOUDS.map((cloud) => new URL(issuersOf(cloud, TENANT)[1]?.issuer ?? '').hostname)
  hosts = await startKeyHosts([...clouds, 'mirror.example', 'mirror.corp.internal'])
  reset()
})
afterEach(reset)
afterAll(() => hosts.close())

function reset(): void {
  ports = createTestPorts({ clock, ...hosts.ports })
}

function verifierOf(settings: object): BareVerifier {
  const entry = { tenant_id: TENANT, ca_file: 'ca.pem', ...settings }
  return createBareVerifier(azureVerifier, { entra: entry }, { ports, proofAudiences: [APP_URI, APP_ID] })
}

/** Entra's key, with more to say of itself. */
const keyWith = (more: object): object => ({ ...entra.key.jwk, ...more })

/** What tokens of version 1 and of version 2 come to where this is the only key. */
async function outcomesWith(more: object): Promise<readonly string[]> {
  const { verify } = verifierOf({ keys: inlineKeys(keyWith(more)) })
  const outcome = (proof: string) =>
    verify(proof).then(
      () => 'verified',
      ({ code }: { code: string }) => code,
    )
  return [await outcome(await entra.signV1()), await outcome(await entra.signV2())]
}

const BOTH = ['verified', 'verified']
const FIRST = ['verified', 'key_unknown']
const NEITHER = ['key_unknown', 'key_unknown']

describe('a key', () => {
  test.each<[string, object, readonly string[]]>([
    ['no issuer', {}, BOTH],
    ['the template of version 2', { issuer: V2_TEMPLATE }, BOTH],
    ['this tenant in version 2', { issuer: V2_ISSUER }, BOTH],
    ['the template of version 1', { issuer: V1_TEMPLATE }, FIRST],
    ['this tenant in version 1', { issuer: V1_ISSUER }, FIRST],
    ['this cloud', { issuer: V2_TEMPLATE, cloud_instance_name: 'microsoftonline.com' }, BOTH],
    ['this cloud and no issuer', { cloud_instance_name: 'microsoftonline.com' }, BOTH],
  ])('for %s verifies what it is for', async (_, more, outcomes) => {
    expect(await outcomesWith(more)).toEqual(outcomes)
  })

  test.each<[string, unknown]>([
    ['everybody’s private accounts', `https://login.microsoftonline.com/${CONSUMERS}/v2.0`],
    ['another tenant', `https://login.microsoftonline.com/${OTHER_TENANT}/v2.0`],
    ['another tenant in version 1', `https://sts.windows.net/${OTHER_TENANT}/`],
    ['another cloud', 'https://login.microsoftonline.us/{tenantid}/v2.0'],
    ['a template with a slash', `${V2_TEMPLATE}/`],
    ['a template without one', V1_TEMPLATE.slice(0, -1)],
    ['a template of another spelling', V2_TEMPLATE.replace('tenantid', 'tenantId')],
    ['two templates', V2_TEMPLATE.replace('{tenantid}', '{tenantid}{tenantid}')],
    ['a template in capitals', V2_TEMPLATE.toUpperCase()],
    ['the template alone', '{tenantid}'],
    ['nobody', ''],
    ['a list', [V2_ISSUER]],
    ['an object', { issuer: V2_ISSUER }],
    ['a number', 1],
    ['null', null],
    ['true', true],
  ])('for %s verifies nothing', async (_, issuer) => {
    expect(await outcomesWith({ issuer })).toEqual(NEITHER)
  })

  test.each([
    'microsoftonline.us',
    'partner.microsoftonline.cn',
    'login.microsoftonline.com',
    'Microsoftonline.com',
    '',
    null,
    1,
  ])('of the cloud %j verifies nothing', async (cloud_instance_name) => {
    expect(await outcomesWith({ cloud_instance_name })).toEqual(NEITHER)
    expect(await outcomesWith({ cloud_instance_name, issuer: V2_TEMPLATE })).toEqual(NEITHER)
  })

  test('is an object', () => {
    for (const tenantIssuer of issuersOf('public', TENANT)) {
      for (const member of [null, [], 'key', 1, undefined]) {
        expect(isKeyOf(tenantIssuer, TENANT, member)).toBe(false)
      }
    }
  })

  test.each<[AzureCloud, string]>([
    ['usgov', 'microsoftonline.us'],
    ['china', 'partner.microsoftonline.cn'],
  ])('of the cloud %s is its own, and not the public one’s', (cloud, cloudName) => {
    for (const tenantIssuer of issuersOf(cloud, TENANT)) {
      const own = { issuer: `https://login.${cloudName}/{tenantid}/v2.0`, cloud_instance_name: cloudName }

      expect(isKeyOf(tenantIssuer, TENANT, own)).toBe(true)
      expect(isKeyOf(tenantIssuer, TENANT, { issuer: V2_TEMPLATE })).toBe(false)
      expect(isKeyOf(tenantIssuer, TENANT, { cloud_instance_name: 'microsoftonline.com' })).toBe(false)
    }
  })
})

describe('a published set', () => {
  const [v1Url, v2Url] = ['keys', 'v2.0/keys'].map(
    (path) => `https://login.microsoftonline.com/${TENANT}/discovery/${path}`,
  )

  test('is read for the tenant alone: a consumer key in it verifies nothing, and spoils no other', async () => {
    const foreign = { ...makeJwk(entra.key.keyId), issuer: `https://login.microsoftonline.com/${CONSUMERS}/v2.0` }
    hosts.publish(String(v2Url), foreign, keyWith({ issuer: V2_TEMPLATE }))
    expect((await verifierOf({}).verify(await entra.signV2())).trustedIssuer).toBe('entra')
    reset()
    hosts.publish(String(v2Url), keyWith({ issuer: foreign.issuer }))

    expect(await verifierOf({}).codeOf(await entra.signV2())).toBe('key_unknown')
  })

  test('is asked for at the tenant, one for each version', async () => {
    hosts.publish(String(v1Url), entra.key.jwk)
    hosts.publish(String(v2Url), entra.key.jwk)
    const { verify } = verifierOf({})
    const before = hosts.urls().length

    await verify(await entra.signV1())
    expect(hosts.urls().slice(before)).toEqual([v1Url])
    await verify(await entra.signV2())

    expect(hosts.urls().slice(before)).toEqual([v1Url, v2Url])
  })

  test.each(AZURE_CLOUDS)('of the cloud %s is asked for at its own host', async (cloud) => {
    const { verify } = verifierOf({ cloud })
    const [first, second] = issuersOf(cloud, TENANT)
    for (const { keysUrl } of [first, second].filter((one) => one !== undefined)) hosts.publish(keysUrl, entra.key.jwk)
    const before = hosts.urls().length

    expect((await verify(await entra.signV1({ iss: first?.issuer }))).issuer).toBe(first?.issuer)
    expect((await verify(await entra.signV2({ iss: second?.issuer }))).issuer).toBe(second?.issuer)

    expect(hosts.urls().slice(before)).toEqual([first?.keysUrl, second?.keysUrl])
  })

  test('does not outlive the cloud that it is from', async () => {
    const urls = (['public', 'usgov'] as const).map((cloud) => String(issuersOf(cloud, TENANT)[0]?.keysUrl))
    for (const url of urls) hosts.publish(url, entra.key.jwk)
    const before = hosts.urls().length

    for (const cloud of ['public', 'usgov']) await verifierOf({ cloud }).verify(await entra.signV1())

    expect(hosts.urls().slice(before)).toEqual(urls)
  })

  test('is asked for by no token that is another’s, even before anything was fetched', async () => {
    const { codeOf, inspect } = verifierOf({})
    const before = hosts.urls().length

    for (const tid of [OTHER_TENANT, TENANT.toUpperCase(), '../x', null, undefined]) {
      expect(await codeOf(await entra.signV1({ tid }))).toBe('claims_inconsistent')
      expect(await codeOf(await entra.signV2({ tid }))).toBe('claims_inconsistent')
    }
    expect(await codeOf(await entra.signV1({ iss: `https://sts.windows.net/${OTHER_TENANT}/` }))).toBe(
      'issuer_not_trusted',
    )
    inspect(await entra.signV1())

    expect(hosts.urls().length).toBe(before)
  })

  test('at a private host is asked for where the document names it, under the trusted issuer’s name', async () => {
    const url = 'https://mirror.corp.internal/keys'
    hosts.publish(url, entra.key.jwk)
    const { verify } = verifierOf({ keys: { from: 'url', url }, private_hosts: ['mirror.corp.internal'] })

    expect((await verify(await entra.signV1())).trustedIssuer).toBe('entra')
    expect(ports.events).toMatchObject([{ kind: 'upstream', trustedIssuer: 'entra', outcome: '2xx' }])
  })

  test('outlives a verifier, but not the URL or the tenant that it is for', async () => {
    const url = 'https://mirror.example/keys'
    hosts.publish(String(v1Url), entra.key.jwk)
    hosts.publish(url, entra.key.jwk)
    const before = hosts.urls().length

    for (const settings of [{}, {}, { keys: { from: 'url', url } }, {}]) {
      await verifierOf(settings).verify(await entra.signV1())
    }
    expect(hosts.urls().slice(before)).toEqual([v1Url, url])
    const other = { tid: OTHER_TENANT, iss: `https://sts.windows.net/${OTHER_TENANT}/` }

    expect(await verifierOf({ tenant_id: OTHER_TENANT }).codeOf(await entra.signV1(other))).toBe('upstream_status')
  })
})
