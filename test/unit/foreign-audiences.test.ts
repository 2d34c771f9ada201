/** Audiences of other parties, however they are written, and names that only look like them. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isForeignAudience } from '../../providers/contract/foreign-audiences.ts'

/** Whose they are, and what they are called there. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  'AWS STS, in every partition': [
    'sts.amazonaws.com',
    'sts.amazonaws.com.cn',
    'sts.amazonaws.eu',
    'sts.us-east-1.amazonaws.com',
    'sts.us-gov-west-1.amazonaws.com',
    'sts.cn-north-1.amazonaws.com.cn',
    'sts.eusc-de-east-1.amazonaws.eu',
    'sts-fips.us-east-1.amazonaws.com',
    'sts.us-east-1.api.aws',
    'sts-fips.us-west-2.api.aws',
    'sts.cn-north-1.api.amazonwebservices.com.cn',
    'sts.eusc-de-east-1.api.amazonwebservices.eu',
  ],
  'EKS Pod Identity': ['pods.eks.amazonaws.com'],
  'Entra’s token exchange': [
    'api://AzureADTokenExchange',
    'api://AzureADTokenExchangeUSGov',
    'api://AzureADTokenExchangeChina',
  ],
  'Azure Resource Manager': [
    'https://management.azure.com/',
    'https://management.core.windows.net/',
    'https://management.usgovcloudapi.net',
    'https://management.core.usgovcloudapi.net/',
    'https://management.chinacloudapi.cn',
    'https://management.core.chinacloudapi.cn/',
    '797f4846-ba00-4fd7-ba43-dac1f8f63013',
  ],
  Graph: [
    'https://graph.microsoft.com',
    'https://graph.microsoft.us',
    'https://microsoftgraph.chinacloudapi.cn',
    'https://graph.windows.net/',
    '00000003-0000-0000-c000-000000000000',
    '00000002-0000-0000-c000-000000000000',
  ],
  'Azure’s data services': [
    'https://vault.azure.net',
    'https://vault.usgovcloudapi.net',
    'https://vault.azure.cn',
    'https://payments.vault.azure.net',
    'https://storage.azure.com/',
    'https://database.windows.net/',
  ],
  'Google’s token services': [
    'https://sts.googleapis.com',
    'https://iam.googleapis.com',
    'https://oauth2.googleapis.com',
    'https://oauth2.googleapis.com/token',
    'https://accounts.google.com',
    'https://www.googleapis.com/oauth2/v4/token',
  ],
  'Google’s workload identity pools': [
    '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
    'https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
    'my-project.svc.id.goog',
  ],
  'Google’s OAuth clients': ['123-abc.apps.googleusercontent.com'],
  'any other service of Google’s': ['https://pubsub.googleapis.com/', 'storage.googleapis.com'],
  'AKS’s API server': ['6dae42f8-4368-4678-94ff-3960e28e3630'],
  'Alibaba Cloud’s token service': ['sts.aliyuncs.com'],
  'GKE’s API server': ['https://container.googleapis.com/v1/projects/p/locations/l/clusters/c'],
  'an API server': [
    'api',
    'k3s',
    'rke2',
    'kubernetes',
    'https://kubernetes.default',
    'https://kubernetes.default.svc',
    'https://kubernetes.default.svc.cluster.local',
    'https://kubernetes.default.svc.corp.example',
  ],
  'others that take such tokens': [
    'vault',
    'openbao',
    'conjur',
    'sigstore',
    'spire-server',
    'istio-ca',
    'identity.l5d.io',
    'teleport',
  ],
}

const ALL = Object.values(FOREIGN).flat()

describe.each(Object.entries(FOREIGN))('the audience of %s', (_, audiences) => {
  test.each(audiences)('%s is foreign', (audience) => {
    expect(isForeignAudience(audience)).toBe(true)
  })
})

describe('the same audience, written otherwise', () => {
  test('stays foreign in whatever case, and with or without scheme, port and final slash', () => {
    const property = fc.property(
      fc.constantFrom(...ALL.filter((audience) => !audience.startsWith('api://'))),
      fc.constantFrom('', 'https://', 'http://', 'HTTPS://', '//'),
      fc.constantFrom('', ':443'),
      fc.constantFrom('', '/', '//'),
      fc.func(fc.boolean()),
      (audience, scheme, port, slash, isUpper) => {
        const name = audience.replace(/^https:\/\/|^\/\//, '').replace(/\/$/, '')
        const cased = name.split('').map((unit, index) => (isUpper(index) ? unit.toUpperCase() : unit.toLowerCase()))

        expect(isForeignAudience(scheme + cased.join('') + port + slash)).toBe(true)
      },
    )

    fc.assert(property, { numRuns: 1_000 })
  })

  test.each(ALL.filter((audience) => audience.startsWith('api://')))(
    '%s stays foreign in whatever case',
    (audience) => {
      const spellings = [audience.toUpperCase(), audience.toLowerCase(), `${audience}/`, `${audience}/.default`]

      expect(spellings.map(isForeignAudience)).toEqual(spellings.map(() => true))
    },
  )

  test('stays foreign as the scope that Azure derives from it', () => {
    expect(isForeignAudience('https://management.azure.com/.default')).toBe(true)
    expect(isForeignAudience('https://graph.microsoft.com/.default')).toBe(true)
    expect(isForeignAudience('https://graph.microsoft.com:443/.default')).toBe(true)
    expect(isForeignAudience('https://graph.microsoft.com/.default/')).toBe(true)
  })

  test('stays foreign as the scope of a resource whose name ends in a slash', () => {
    expect(isForeignAudience('https://management.core.windows.net//.default')).toBe(true)
  })
})

describe('a name of the broker’s own', () => {
  test.each([
    'https://broker.corp.example',
    'https://broker.corp.example/',
    'chancery',
    'api://chancery',
    'api://aaaabbbb-0000-cccc-1111-dddd2222eeee',
    'aaaabbbb-0000-cccc-1111-dddd2222eeee',
    'https://vault.corp.example',
    'https://sts.corp.example',
    'spiffe://corp.example/broker',
  ])('%s is not foreign', (audience) => {
    expect(isForeignAudience(audience)).toBe(false)
  })

  test.each([
    'https://sts.amazonaws.com.corp.example',
    'https://corp.example/sts.amazonaws.com',
    'https://mysts.us-east-1.amazonaws.com.corp.example',
    'sts.us-east-1.corp.amazonaws.com.example',
    'https://management.azure.com.corp.example',
    'https://kubernetes.default.example',
    'https://iam.googleapis.com.corp.example',
    'https://mygoogleapis.com',
    'https://apps.googleusercontent.com.corp.example',
    'https://corp.example/.default',
    'kubernetes-broker',
    'my-vault',
  ])('%s only looks foreign', (audience) => {
    expect(isForeignAudience(audience)).toBe(false)
  })
})
