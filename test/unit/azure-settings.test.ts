/** What a document may say of a tenant of Entra, and what two trusted issuers must not share. */

import { describe, expect, test } from 'vitest'
import { AZURE_CLOUDS, type AzureCloud, issuersOf } from '../../providers/azure/issuers.ts'
import { type AzureSettings, findAzureConflict, parseAzureSettings } from '../../providers/azure/settings.ts'
import { azureVerifier } from '../../providers/azure/verifier.ts'
import type { TrustedIssuer } from '../../providers/contract/provider.ts'
import { APP_URI, CONSUMERS, inlineKeys, OBJECT_ID, OTHER_TENANT, TENANT } from '../support/entra-tokens.ts'
import { findingsIn, tell } from '../support/federation-parts.ts'
import { makeJwk } from '../support/key-issuer.ts'
import { problemsOf } from '../support/rejection.ts'

const [K1, K2] = [makeJwk('k1'), makeJwk('k2')]

function parse(settings: unknown): AzureSettings {
  return parseAzureSettings(settings, { insecureHosts: new Set(['127.0.0.1:8080']), proofAudiences: [APP_URI] })
}

/** Each problem as its path and its code. */
function problems(settings: unknown): readonly string[] {
  return problemsOf(() => parse(settings)).map(({ path, code }) => `${path.join('.')}: ${code}`)
}

describe('the settings', () => {
  test('need a tenant alone, of the public cloud, and take Entra’s own keys', () => {
    expect(parse({ tenant_id: TENANT })).toEqual({
      cloud: 'public',
      tenantId: TENANT,
      keys: { from: 'discovery' },
      privateHosts: [],
      caFile: undefined,
    })
  })

  test('may say everything', () => {
    const settings = { cloud: 'china', tenant_id: TENANT, keys: inlineKeys(K1, K2), private_hosts: ['10.0.0.2'] }

    expect(parse({ ...settings, ca_file: 'ca.pem' })).toEqual({
      cloud: 'china',
      tenantId: TENANT,
      keys: inlineKeys(K1, K2),
      privateHosts: ['10.0.0.2'],
      caFile: 'ca.pem',
    })
  })

  test('may spell the tenant in any case, and mean it in lower case', () => {
    expect(parse({ tenant_id: TENANT.toUpperCase() }).tenantId).toBe(TENANT)
  })

  test.each([
    'common',
    'organizations',
    'consumers',
    'corp.example',
    'corp.onmicrosoft.com',
    '../x',
    '%2e%2e',
    'a/b',
    '',
    `${TENANT}/`,
    `${TENANT}/../${OTHER_TENANT}`,
    ` ${TENANT}`,
    `${TENANT}\n`,
    `{${TENANT}}`,
    TENANT.replaceAll('-', ''),
    TENANT.replace('a', 'ａ'),
    1,
    null,
    [TENANT],
    undefined,
  ])('name a tenant by its id, not %j', (tenant_id) => {
    expect(problems({ tenant_id })).toEqual(['tenant_id: shape'])
  })

  test.each([
    ['an unknown cloud', { cloud: 'germany' }, 'cloud: shape'],
    ['a cloud in capitals', { cloud: 'Public' }, 'cloud: shape'],
    ['an inherited cloud', { cloud: 'constructor' }, 'cloud: shape'],
    ['null for a cloud', { cloud: null }, 'cloud: shape'],
    ['an issuer', { issuers: ['https://sts.windows.net/x/'] }, ': shape'],
    ['an unknown source of keys', { keys: { from: 'anywhere' } }, 'keys.from: shape'],
    ['an empty list of private hosts', { private_hosts: [] }, 'private_hosts: shape'],
    ['a file elsewhere', { ca_file: '/etc/ca.pem' }, 'ca_file: shape'],
    ['keys in plain http', { keys: { from: 'url', url: 'http://keys.example/' } }, 'keys.url: url_refused'],
    ['keys at a private address', { keys: { from: 'url', url: 'https://10.0.0.2/' } }, 'keys.url: url_refused'],
    ['a key that is none', { keys: inlineKeys(K1, { kid: 'x' }) }, 'keys.jwks.keys.1: key_refused'],
  ])('refuse %s', (_, more, problem) => {
    expect(problems({ tenant_id: TENANT, ...more })).toEqual([problem])
  })

  test.each([
    { from: 'url', url: 'http://127.0.0.1:8080/keys' },
    { from: 'url', url: 'https://10.0.0.2/keys' },
  ])('take keys at %j, where the operator or the document allows it', (keys) => {
    expect(parse({ tenant_id: TENANT, keys, private_hosts: ['10.0.0.2'] }).keys).toEqual(keys)
  })
})

describe('a tenant’s issuers', () => {
  test.each<[AzureCloud, string, string]>([
    ['public', 'sts.windows.net', 'microsoftonline.com'],
    ['usgov', 'sts.windows.net', 'microsoftonline.us'],
    ['china', 'sts.chinacloudapi.cn', 'partner.microsoftonline.cn'],
  ])('of the cloud %s are on %s and login.%s, each with its own keys', (cloud, v1, cloudName) => {
    const authority = `https://login.${cloudName}/${TENANT}`
    const [first, second] = [`https://${v1}/${TENANT}/`, `${authority}/v2.0`]

    expect(issuersOf(cloud, TENANT)).toEqual([
      {
        version: '1.0',
        issuer: first,
        keysUrl: `${authority}/discovery/keys`,
        keyIssuers: [first, second],
        cloudName,
      },
      {
        version: '2.0',
        issuer: second,
        keysUrl: `${authority}/discovery/v2.0/keys`,
        keyIssuers: [second],
        cloudName,
      },
    ])
  })

  test('are known for every cloud', () => {
    expect(AZURE_CLOUDS.map((cloud) => issuersOf(cloud, TENANT).length)).toEqual([2, 2, 2])
  })
})

describe('two trusted issuers', () => {
  const trusted = (name: string, settings: object): TrustedIssuer<AzureSettings> => {
    return { name, proofAudiences: [APP_URI], settings: parse(settings) }
  }
  const conflict = (one: object, other: object) => findAzureConflict(trusted('one', one), trusted('other', other))

  test('may be two tenants', () => {
    expect(conflict({ tenant_id: TENANT }, { tenant_id: OTHER_TENANT })).toBeUndefined()
    expect(conflict({ tenant_id: TENANT }, { tenant_id: CONSUMERS, cloud: 'usgov' })).toBeUndefined()
  })

  test('are never the same one, in whatever case or cloud', () => {
    expect(conflict({ tenant_id: TENANT }, { tenant_id: TENANT })).toContain(TENANT)
    expect(conflict({ tenant_id: TENANT }, { tenant_id: TENANT.toUpperCase() })).toContain(TENANT)
    expect(conflict({ tenant_id: TENANT }, { tenant_id: TENANT, cloud: 'usgov' })).toContain(TENANT)
  })

  test('that are is an error of the document', () => {
    const context = { providers: [azureVerifier], insecureHosts: new Set<string>(), brokerIssuer: undefined }
    const entra = { provider: 'azure', tenant_id: TENANT, proof_audiences: [APP_URI] }
    const binding = { trusted_issuer: 'entra', match: { 'azure.object_id': OBJECT_ID }, identity: 'payments/api' }
    const documentWith = (other: object) => ({ trusted_issuers: { entra, other }, bindings: { binding } })

    expect(tell(findingsIn(documentWith({ ...entra, tenant_id: OTHER_TENANT }), context))).toEqual([])
    expect(tell(findingsIn(documentWith({ ...entra, cloud: 'china' }), context))).toEqual([
      'error /trusted_issuers/other issuer_shared',
    ])
  })
})
