/** Attacks with tokens of Entra: the AZ rows of whose tenant a token is, and which version it has. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { signClaims } from '../../providers/kit/stand-in-keys.ts'
import { type AzureScene, azureDocument, entraEntry, keysPath, openAzureScene } from '../support/azure-scene.ts'
import { APP_URI, CONSUMERS, OTHER_TENANT, TENANT, V1_ISSUER, V2_ISSUER } from '../support/entra-tokens.ts'
import { startKeyHosts } from '../support/key-hosts.ts'

let scene: AzureScene
beforeAll(async () => {
  scene = await openAzureScene()
})
afterAll(() => scene.close())

/** A broker that has no keys yet, so that whatever gets as far as its key is a request. It had none until the last proof came. */
let cold: AzureScene
function beginCold(): void {
  beforeAll(async () => {
    cold = await openAzureScene()
  })
  afterAll(async () => {
    expect(cold.cloud.requests).toEqual([])
    await cold.issues(await cold.proof())
    expect(cold.cloud.requests.map(({ path }) => path)).toEqual([keysPath(cold.cloud)])
    await cold.close()
  })
}

test('a genuine token of either version gets one for its identity', async () => {
  for (const proof of [await scene.proof(), await scene.modernProof()]) {
    const { record } = await scene.issues(proof)
    expect(record).toMatchObject({ identity: 'payments/api', subject: scene.identity.objectId })
  }
})

describe('another tenant', () => {
  beginCold()

  test('AZ-01 refuses its token for our application, with the same object and client', async () => {
    const [v1, v2] = [await cold.proof({ tenantId: OTHER_TENANT }), await cold.modernProof({ tenantId: OTHER_TENANT })]

    await cold.refusesUnasked(v1, 'issuer_not_trusted')
    await cold.refusesUnasked(v2, 'issuer_not_trusted')
    // The rest of the token names ours: only iss says whose it is.
    await cold.refusesUnasked(
      await cold.forgeV1({ iss: V1_ISSUER.replace(TENANT, OTHER_TENANT) }),
      'issuer_not_trusted',
    )
    await cold.refusesUnasked(
      await cold.forgeV2({ iss: V2_ISSUER.replace(TENANT, OTHER_TENANT) }),
      'issuer_not_trusted',
    )
  })

  const ISSUERS = [
    `https://sts.windows.net/${TENANT}`,
    `https://sts.windows.net/${TENANT}//`,
    `https://sts.windows.net/${TENANT.toUpperCase()}/`,
    `https://sts.windows.net/${OTHER_TENANT}/../${TENANT}/`,
    `https://sts.windows.net/${TENANT}/../${OTHER_TENANT}/`,
    'https://sts.windows.net/common/',
    'https://sts.windows.net/{tenantid}/',
    'https://sts.windows.net/',
    `https://sts.windows.net.evil.example/${TENANT}/`,
    `https://evil.example/${TENANT}/`,
    `http://sts.windows.net/${TENANT}/`,
    `https://sts.windows.net:443/${TENANT}/`,
    `https://STS.windows.net/${TENANT}/`,
    `https://login.microsoftonline.com/${TENANT}/v2.0/`,
    `https://login.microsoftonline.com/${TENANT}/`,
    `https://login.microsoftonline.com/${TENANT}`,
    `https://login.microsoftonline.com/${TENANT}/v2.0/../../${OTHER_TENANT}/v2.0`,
    `https://login.microsoftonline.com/${CONSUMERS}/v2.0`,
    'https://login.microsoftonline.com/common/v2.0',
    'https://login.microsoftonline.com/organizations/v2.0',
    'https://login.microsoftonline.com/{tenantid}/v2.0',
    'https://login.microsoftonline.com/%2e%2e/v2.0',
    `https://login.microsoftonline.com.evil.example/${TENANT}/v2.0`,
    `https://login.windows.net/${TENANT}/v2.0`,
    `https://login.microsoft.com/${TENANT}/v2.0`,
    `${V1_ISSUER} `,
    [V1_ISSUER],
    undefined,
  ]

  test.each(ISSUERS)('AZ-01 refuses the issuer %j, and asks nobody', async (iss) => {
    await cold.refusesUnasked(await cold.forgeV1({ iss }), 'issuer_not_trusted')
    await cold.refusesUnasked(await cold.forgeV2({ iss }), 'issuer_not_trusted')
  })

  test('AZ-01 refuses a token under a key that is published for the consumers’ tenant', async () => {
    const { consumerKey } = scene.cloud
    const resource = { resource: APP_URI, clientId: scene.identity.clientId }
    const claims = scene.cloud.claimsFor(resource)
    const ofConsumers = scene.cloud.claimsFor({ ...resource, tenantId: CONSUMERS })

    expect(scene.cloud.jwks.keys.map(({ kid }) => kid)).toContain(consumerKey.keyId)
    await scene.refuses(await signClaims(claims, consumerKey, { typ: 'JWT' }), 'key_unknown')
    await scene.refuses(await signClaims({ ...claims, iss: V2_ISSUER }, consumerKey), 'key_unknown')
    await scene.refuses(await signClaims(ofConsumers, consumerKey, { typ: 'JWT' }), 'issuer_not_trusted')
    await scene.issues(await scene.cloud.sign(claims))
  })

  const KEY_OWNERS = [
    { issuer: `https://login.microsoftonline.com/${OTHER_TENANT}/v2.0` },
    { issuer: 'https://login.microsoftonline.com/common/v2.0' },
    { issuer: 'https://login.microsoftonline.com/{TenantId}/v2.0' },
    { issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0/' },
    { issuer: 'https://login.microsoftonline.us/{tenantid}/v2.0' },
    { issuer: 'https://evil.example/{tenantid}/v2.0' },
    { issuer: TENANT },
    { issuer: [V2_ISSUER] },
    { issuer: '' },
    { issuer: null },
    { cloud_instance_name: 'microsoftonline.us' },
    { cloud_instance_name: 'partner.microsoftonline.cn' },
    { cloud_instance_name: null },
  ]

  const OUR_OWNERS = [{ issuer: V2_ISSUER }, { issuer: undefined }, { cloud_instance_name: 'microsoftonline.com' }]

  test.each(OUR_OWNERS)('AZ-01 takes a token under a key that says it is for %j', async (owner) => {
    const tenant = await openAzureScene()
    onTestFinished(() => tenant.close())
    const keys = tenant.cloud.jwks.keys.map((key) => ({ ...key, ...owner }))
    tenant.cloud.fail(keysPath(tenant.cloud), { status: 200, body: { keys } })

    await tenant.issues(await tenant.proof())
    await tenant.issues(await tenant.modernProof())
  })

  test.each(KEY_OWNERS)('AZ-01 refuses a token under a key that says it is for %j', async (owner) => {
    const tenant = await openAzureScene()
    onTestFinished(() => tenant.close())
    const keys = tenant.cloud.jwks.keys.map((key) => ({ ...key, ...owner }))
    tenant.cloud.fail(keysPath(tenant.cloud), { status: 200, body: { keys } })

    await tenant.refuses(await tenant.proof(), 'key_unknown')
    await tenant.refuses(await tenant.modernProof(), 'key_unknown')
  })

  test('AZ-01 a tenant that is trusted too is another one to every binding', async () => {
    const both = await openAzureScene({
      document: (made) =>
        azureDocument(made, {
          trusted_issuers: { entra: entraEntry(made), other: entraEntry(made, { tenant_id: OTHER_TENANT }) },
        }),
    })
    onTestFinished(() => both.close())

    await both.issues(await both.proof())
    await both.refuses(await both.proof({ tenantId: OTHER_TENANT }), 'binding_missing')
    await both.refuses(await both.modernProof({ tenantId: OTHER_TENANT }), 'binding_missing')
    expect(both.broker.records().at(-1)).toMatchObject({
      trusted_issuer: 'other',
      attributes: { 'azure.tenant_id': OTHER_TENANT, 'azure.object_id': both.identity.objectId },
    })
  })
})

const OTHER_TIDS = [
  OTHER_TENANT,
  CONSUMERS,
  TENANT.toUpperCase(),
  `${TENANT} `,
  ` ${TENANT}`,
  `{${TENANT}}`,
  TENANT.replaceAll('-', ''),
  `${TENANT}/`,
  `${TENANT}/../${OTHER_TENANT}`,
  `../${TENANT}`,
  '../x',
  '..',
  '%2e%2e',
  'a/b',
  'common',
  'organizations',
  'evil.example',
  'https://evil.example/',
  '{tenantid}',
  '\u0000',
  '',
  null,
  undefined,
  7,
  true,
  [TENANT],
  { tid: TENANT },
]

describe('a tid that is not its issuer’s', () => {
  beginCold()

  test.each(OTHER_TIDS)('AZ-02 refuses %j, and asks nobody', async (tid) => {
    await cold.refusesUnasked(await cold.forgeV1({ tid }), 'claims_inconsistent')
    await cold.refusesUnasked(await cold.forgeV2({ tid }), 'claims_inconsistent')
  })
})

test('AZ-02 asks the tenant’s own URLs alone, where keys come from Entra itself', async () => {
  const names = ['login.microsoftonline.com', 'login.microsoftonline.us', 'sts.windows.net', 'evil.example']
  const hosts = await startKeyHosts(names)
  onTestFinished(() => hosts.close())
  const { proxy, files } = hosts.ports
  const live = await openAzureScene({
    document: (made) =>
      azureDocument(made, {
        trusted_issuers: { entra: entraEntry(made, { keys: { from: 'discovery' }, ca_file: 'ca.pem' }) },
      }),
    broker: { flags: { 'egress-proxy': proxy.origin }, secrets: { 'ca.pem': String(files['ca.pem']) } },
  })
  onTestFinished(() => live.close())
  const base = `https://login.microsoftonline.com/${TENANT}/discovery`
  hosts.publish(`${base}/keys`, ...live.cloud.jwks.keys)
  hosts.publish(`${base}/v2.0/keys`, ...live.cloud.jwks.keys)

  for (const tid of OTHER_TIDS) await live.refuses(await live.forgeV1({ tid }), 'claims_inconsistent')
  for (const host of ['evil.example', 'login.microsoftonline.us'])
    await live.refuses(await live.forgeV2({ iss: `https://${host}/${TENANT}/v2.0` }), 'issuer_not_trusted')
  expect(hosts.urls()).toEqual([])

  await live.issues(await live.proof())
  await live.issues(await live.modernProof())
  expect(hosts.urls()).toEqual([`${base}/keys`, `${base}/v2.0/keys`])
})

const NO_VERSIONS = ['1', '2', '1.00', '01.0', '1.0 ', '2.0\n', 'v2.0', '3.0', '1.0,2.0']
const NO_TEXTS = [1, 2, 1.5, null, '', ['1.0'], { ver: '2.0' }, true]

describe('a version that is not its issuer’s', () => {
  /** What the other version names the client by, so that nothing but `ver` is amiss. */
  const asV1 = () => ({ appid: scene.identity.clientId, appidacr: '2' })
  const asV2 = () => ({ azp: scene.identity.clientId, azpacr: '2' })

  test('AZ-03 refuses each with the other’s issuer', async () => {
    await scene.refuses(await scene.forgeV1({ ver: '2.0', ...asV2() }), 'claims_inconsistent')
    await scene.refuses(await scene.forgeV2({ ver: '1.0', ...asV1() }), 'claims_inconsistent')
    await scene.refuses(await scene.forgeV1({ iss: V2_ISSUER, ...asV2() }), 'claims_inconsistent')
    await scene.refuses(await scene.forgeV2({ iss: V1_ISSUER, ...asV1() }), 'claims_inconsistent')

    await scene.issues(await scene.forgeV1({ ver: '1.0', ...asV2() }))
    await scene.issues(await scene.forgeV2({ ver: '2.0', ...asV1() }))
  })

  test('AZ-03 refuses none', async () => {
    await scene.refuses(await scene.forgeV1({ ver: undefined }), 'claim_missing')
    await scene.refuses(await scene.forgeV2({ ver: undefined }), 'claim_missing')
  })

  test.each(NO_VERSIONS)('AZ-03 refuses %j', async (ver) => {
    await scene.refuses(await scene.forgeV1({ ver, ...asV2() }), 'claims_inconsistent')
    await scene.refuses(await scene.forgeV2({ ver, ...asV1() }), 'claims_inconsistent')
  })

  test.each(NO_TEXTS)('AZ-03 refuses %j, which is no version', async (ver) => {
    await scene.refuses(await scene.forgeV1({ ver, ...asV2() }), 'claim_invalid')
    await scene.refuses(await scene.forgeV2({ ver, ...asV1() }), 'claim_invalid')
  })
})
