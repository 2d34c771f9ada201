/** Attacks on what a document says of a tenant and its identities: the rows of Azure that are decided before any proof comes. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { azureBinding, azureDocument, entraEntry, openAzureScene } from '../support/azure-scene.ts'
import { startTestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { BROKER, documentFor } from '../support/document.ts'
import { APP_ID, APP_URI, IDENTITY, OBJECT_ID, SUBSCRIPTION, TENANT, VM } from '../support/entra-tokens.ts'
import { expectAccepted, expectErrors } from '../support/expect-check.ts'

const ENTRA = '/trusted_issuers/entra'

/** A document with one tenant, and with a binding of its own or of more. */
function documentOf(entra: object, match: object = {}, more: object = {}): object {
  return documentFor('', {
    trusted_issuers: { entra: { provider: 'azure', tenant_id: TENANT, proof_audiences: [APP_URI], ...entra } },
    bindings: { 'payments-api': azureBinding(OBJECT_ID, match) },
    ...more,
  })
}

const NO_TENANTS = [
  '../x',
  `../${TENANT}`,
  `${TENANT}/..`,
  `${TENANT}/`,
  `/${TENANT}`,
  'a/b',
  `${TENANT}/v2.0`,
  '%2e%2e',
  `%2e%2e%2f${TENANT}`,
  '..%2fcommon',
  '.',
  '..',
  'common',
  'Common',
  'organizations',
  'consumers',
  'corp.example',
  'corp.onmicrosoft.com',
  '{tenantid}',
  '*',
  `{${TENANT}}`,
  `${TENANT}?`,
  `${TENANT}#`,
  `${TENANT}@evil.example`,
  ` ${TENANT}`,
  `${TENANT}\n`,
  `${TENANT}\u0000`,
  TENANT.replaceAll('-', ''),
  TENANT.replaceAll('-', '_'),
  TENANT.replace('a', 'g'),
  TENANT.replace('a', '\uff41'),
  TENANT.replace('a', '\u0430'),
  TENANT.slice(1),
  `${TENANT}0`,
  '',
  null,
  7,
  [TENANT],
  { id: TENANT },
  undefined,
]

describe('a tenant', () => {
  test.each(NO_TENANTS)('JWK-11 is named by its GUID, and not by %j', async (tenant) => {
    await expectErrors(documentOf({ tenant_id: tenant }), [`${ENTRA}/tenant_id shape`])
  })

  test('JWK-11 is taken in lower and in upper case', async () => {
    await expectAccepted(documentOf({ tenant_id: TENANT }))
    await expectAccepted(documentOf({ tenant_id: TENANT.toUpperCase() }))
  })

  const MORE = [{ tenant: TENANT }, { issuer: 'https://evil.example' }, { issuers: ['https://evil.example'] }]

  test.each(MORE)('JWK-11 is named by nothing else beside it: %j', async (more) => {
    await expectErrors(documentOf(more), [`${ENTRA}/${Object.keys(more).join()} member_unknown`])
  })

  test('JWK-11 a document with a bad one changes nothing, starts nothing, and asks nobody', async () => {
    const scene = await openAzureScene()
    onTestFinished(() => scene.close())
    const { cloud: azure, identity, proofAudiences } = scene
    const made = { azure, identity, proofAudiences }
    const bad = azureDocument(made, { trusted_issuers: { entra: entraEntry(made, { tenant_id: '../common' }) } })

    await scene.broker.replaceDocument(bad)
    const boot = startTestBroker({ clock: createTestClock(), document: bad, insecureHosts: [azure.host] })
    await expect(boot).rejects.toMatchObject({ name: 'SettingsError', problems: [{ code: 'document_refused' }] })

    expect(azure.requests).toEqual([])
    await scene.issues(await scene.proof())
  })
})

const NO_AUDIENCES = [undefined, [], null, '', APP_URI, {}, [null], [''], [7], [[APP_URI]]]
/** Where in a trusted issuer each of them is found. */
const shapeOf = (value: unknown): string =>
  `${ENTRA}/proof_audiences${Array.isArray(value) && value.length > 0 ? '/0' : ''} shape`

describe('the proof audiences of a tenant', () => {
  test.each(NO_AUDIENCES)('CFG-03 are not %j, whatever the document and the broker have', async (value) => {
    const entra = { proof_audiences: value }

    await expectErrors(documentOf(entra), [shapeOf(value)])
    await expectErrors(documentOf(entra, {}, { proof_audiences: undefined }), [shapeOf(value)], { issuer: BROKER })
    await expectErrors(documentOf(entra, {}, { proof_audiences: [APP_URI] }), [shapeOf(value)])
  })

  test('CFG-03 are named, and stand alone', async () => {
    await expectAccepted(documentOf({ proof_audiences: [APP_URI, APP_ID] }))
    const scene = await openAzureScene({ document: (made) => azureDocument(made, { proof_audiences: [BROKER] }) })
    onTestFinished(() => scene.close())

    await scene.issues(await scene.proof())
    await scene.issues(await scene.modernProof())
    await scene.refuses(await scene.forgeV1({ aud: BROKER }), 'audience_mismatch')
  })

  const FOREIGN = [
    'https://management.azure.com/',
    'https://management.azure.com',
    'https://MANAGEMENT.azure.com/',
    'https://management.azure.com//',
    'https://management.azure.com/.default',
    'https://management.azure.com:443',
    'http://management.azure.com',
    'https://management.core.windows.net/',
    'https://management.usgovcloudapi.net',
    'https://management.core.usgovcloudapi.net/',
    'https://management.chinacloudapi.cn/',
    'https://management.core.chinacloudapi.cn/',
    '797f4846-ba00-4fd7-ba43-dac1f8f63013',
    'https://graph.microsoft.com',
    'https://graph.microsoft.com/',
    'https://graph.microsoft.us',
    'https://microsoftgraph.chinacloudapi.cn',
    'https://graph.windows.net/',
    '00000003-0000-0000-c000-000000000000',
    '00000003-0000-0000-C000-000000000000',
    '00000002-0000-0000-c000-000000000000',
    'https://vault.azure.net',
    'https://prod.vault.azure.net/',
    'https://storage.azure.com/',
    'https://database.windows.net/',
    'api://AzureADTokenExchange',
    'api://azureadtokenexchange',
    'API://AzureADTokenExchange/',
    'api://AzureADTokenExchange/.default',
    'api://AzureADTokenExchangeUSGov',
    'api://AzureADTokenExchangeChina',
    'api://AzureADTokenExchangeUSNat',
    'api://AzureADTokenExchangeUSSec',
    'fb60f99c-7a34-4190-8149-302f77469936',
    'FB60F99C-7A34-4190-8149-302F77469936',
    '6dae42f8-4368-4678-94ff-3960e28e3630',
  ]

  test.each(FOREIGN)('AZ-05 are never somebody else’s: %s', async (audience) => {
    await expectErrors(documentOf({ proof_audiences: [audience] }), [
      `${ENTRA}/proof_audiences/0 proof_audience_foreign`,
    ])
    await expectErrors(documentOf({ proof_audiences: [APP_URI, audience] }), [
      `${ENTRA}/proof_audiences/1 proof_audience_foreign`,
    ])
    await expectErrors(documentOf({}, {}, { proof_audiences: [audience] }), [
      '/proof_audiences/0 proof_audience_foreign',
    ])
  })

  const OURS = [APP_URI, `${APP_URI}/`, APP_ID, 'api://22222222-3333-4444-5555-666666666666', 'https://corp.example/b']

  test.each(OURS)('AZ-05 are an application of our own: %s', async (audience) => {
    await expectAccepted(documentOf({ proof_audiences: [audience] }))
  })
})

const PERSONAL = ['unique_name', 'email', 'preferred_username', 'name', 'upn', 'given_name', 'onprem_sid', 'roles']

describe('a binding', () => {
  test.each(PERSONAL)('AZ-07 has no condition on %s, which its bearer may choose', async (name) => {
    for (const attribute of [name, `azure.${name}`, `azure.${name.toUpperCase()}`]) {
      const match = { [attribute]: 'ada@corp.example' }
      await expectErrors(documentOf({}, match), [`/bindings/payments-api/match/${attribute} attribute_unknown`])
      const alone = { trusted_issuer: 'entra', match, identity: 'payments/api' }
      await expectErrors(documentOf({}, {}, { bindings: { alone } }), [
        `/bindings/alone/match/${attribute} attribute_unknown`,
      ])
    }
  })

  const GROUPS = ['groups', 'azure.groups', 'azure.group', '_claim_names', 'azure.hasgroups', 'wids', 'azure.wids']

  test.each(GROUPS)('AZ-15 has no condition on %s', async (name) => {
    const document = documentOf({}, { [name]: 'payments-admins' })

    await expectErrors(document, [`/bindings/payments-api/match/${name} attribute_unknown`])
  })

  const UNPINNED = [
    { 'azure.client_id': OBJECT_ID },
    { 'azure.tenant_id': TENANT },
    { 'azure.resource_id': VM },
    { 'azure.identity_resource_id': IDENTITY },
    { 'azure.subscription_id': SUBSCRIPTION, 'azure.resource_group': 'rg-pay' },
    {},
  ]

  test.each(UNPINNED)('AZ-11 pins the object: %j is not enough', async (match) => {
    const alone = { trusted_issuer: 'entra', match, identity: 'payments/api' }

    await expectErrors(documentOf({}, {}, { bindings: { alone } }), ['/bindings/alone/match pin_missing'])
    await expectAccepted(documentOf({}, match))
  })

  const IMPOSSIBLE = [
    ['azure.resource_id', VM.slice(1)],
    ['azure.resource_id', `${VM}/`],
    ['azure.resource_id', `${VM}/extensions/x`],
    ['azure.resource_id', VM.replaceAll('/', '%2F')],
    ['azure.resource_id', VM.replace('rg-pay', 'providers')],
    ['azure.identity_resource_id', `${IDENTITY}%2Fx`],
    ['azure.resource_group', 'providers'],
    ['azure.resource_group', 'rg/pay'],
    ['azure.subscription_id', 'prod'],
    ['azure.object_id', 'admin'],
  ] as const

  test.each(IMPOSSIBLE)('AZ-10 has no %s that no token has: %s', async (name, value) => {
    await expectErrors(documentOf({}, { [name]: value }), [`/bindings/payments-api/match/${name} value_impossible`])
  })

  const PREFIXES = [{ 'azure.resource_group': 'rg-*' }, { 'azure.resource_id': `${VM}-*` }]

  test.each(PREFIXES)('AZ-10 has no prefix: %j', async (match) => {
    const [name] = Object.keys(match)

    await expectErrors(documentOf({}, match), [`/bindings/payments-api/match/${name} prefix_not_allowed`])
  })
})
