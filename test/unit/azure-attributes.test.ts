/** What a binding can match about a workload on Azure, and in which spelling. */

import { describe, expect, test } from 'vitest'
import { AZURE_ATTRIBUTES, AZURE_PINS, attributesOf } from '../../providers/azure/attributes.ts'
import type { AzureClaims } from '../../providers/azure/claims.ts'
import { readResourceId } from '../../providers/azure/resource-id.ts'
import { CLIENT_ID, IDENTITY, OBJECT_ID, SUBSCRIPTION, TENANT, VM } from '../support/entra-tokens.ts'
import { attributeRowsOf, readAttributeRows } from '../support/readme-table.ts'
import { refusalOf } from '../support/rejection.ts'

const CLAIMS: AzureClaims = {
  tenantId: TENANT,
  objectId: OBJECT_ID,
  clientId: CLIENT_ID,
  identity: readResourceId(IDENTITY),
  resource: readResourceId(VM),
}

const isValue = (name: string, value: string): boolean => AZURE_ATTRIBUTES.get(name)?.isValue(value) === true

describe('the catalogue', () => {
  test('says what the table of the README says', () => {
    expect(readAttributeRows('azure')).toEqual(attributeRowsOf(AZURE_ATTRIBUTES))
  })

  test('is the one of the design: seven attributes, all Entra’s word, none by prefix, the object id for a pin', () => {
    const described = [...AZURE_ATTRIBUTES].map(([name, { grade, prefix }]) => ({ name, grade, prefix }))
    const names = ['tenant_id', 'object_id', 'client_id', 'identity_resource_id', 'resource_id', 'subscription_id']

    expect(described).toEqual(
      [...names, 'resource_group'].map((name) => ({ name: `azure.${name}`, grade: 'platform', prefix: false })),
    )
    expect(AZURE_PINS).toEqual([['azure.object_id']])
  })

  test('compares everything in lower case, and makes no other letter ASCII', () => {
    for (const { canonical } of AZURE_ATTRIBUTES.values()) {
      expect(canonical?.('/Subscriptions/AbC-\u212a\u0130')).toBe('/subscriptions/abc-\u212a\u0130')
    }
  })

  test.each(['azure.tenant_id', 'azure.object_id', 'azure.client_id', 'azure.subscription_id'])(
    'knows that %s is a GUID',
    (name) => {
      expect(isValue(name, OBJECT_ID)).toBe(true)
      for (const value of ['', OBJECT_ID.toUpperCase(), `${OBJECT_ID}\n`, VM, 'common']) {
        expect(isValue(name, value)).toBe(false)
      }
    },
  )

  test.each(['azure.identity_resource_id', 'azure.resource_id'])('knows that %s is the id of a resource', (name) => {
    expect(isValue(name, VM.toLowerCase())).toBe(true)
    for (const value of ['', VM, VM.toLowerCase().slice(1), `${VM.toLowerCase()}/`, OBJECT_ID, '/']) {
      expect(isValue(name, value)).toBe(false)
    }
  })

  test('knows that azure.resource_group is the name of one', () => {
    expect(isValue('azure.resource_group', 'rg-pay')).toBe(true)
    for (const value of ['', 'rg/pay', 'RG', 'providers', VM.toLowerCase()]) {
      expect(isValue('azure.resource_group', value)).toBe(false)
    }
  })
})

describe('the attributes', () => {
  test('have the values of the claims that they are named for, in lower case', () => {
    expect([...attributesOf(CLAIMS)]).toEqual([
      ['azure.tenant_id', TENANT],
      ['azure.object_id', OBJECT_ID],
      ['azure.client_id', CLIENT_ID],
      ['azure.identity_resource_id', IDENTITY.toLowerCase()],
      ['azure.resource_id', VM.toLowerCase()],
      ['azure.subscription_id', SUBSCRIPTION],
      ['azure.resource_group', 'rg-pay'],
    ])
    expect(attributesOf({ ...CLAIMS, objectId: OBJECT_ID.toUpperCase() }).get('azure.object_id')).toBe(OBJECT_ID)
  })

  test('of the resource are those of where it was used, not of the identity', () => {
    const elsewhere = readResourceId(VM.replace(SUBSCRIPTION, TENANT).replace('rg-pay', 'RG-Other'))

    expect(Object.fromEntries(attributesOf({ ...CLAIMS, resource: elsewhere }))).toMatchObject({
      'azure.identity_resource_id': IDENTITY.toLowerCase(),
      'azure.subscription_id': TENANT,
      'azure.resource_group': 'rg-other',
    })
  })

  test('are missing where the claim is', () => {
    expect([...attributesOf({ ...CLAIMS, identity: undefined, resource: undefined }).keys()]).toEqual([
      'azure.tenant_id',
      'azure.object_id',
      'azure.client_id',
    ])
    expect(attributesOf({ ...CLAIMS, resource: undefined }).has('azure.subscription_id')).toBe(false)
  })

  test.each<[string, Partial<AzureClaims>]>([
    ['azure.object_id', { objectId: 'someone@corp.example' }],
    ['azure.client_id', { clientId: 'my-app' }],
    ['azure.tenant_id', { tenantId: 'common' }],
  ])('are refused where %s is no GUID', (claim, more) => {
    expect(refusalOf(() => attributesOf({ ...CLAIMS, ...more }))).toMatchObject({
      code: 'claim_invalid',
      facts: { claim },
    })
  })
})
