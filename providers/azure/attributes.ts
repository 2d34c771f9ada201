/** What a binding can match about a workload on Azure. The table in this folder's README says the same, and is tested. */

import type { Attributes } from '../contract/proof.ts'
import type { AttributeCatalogue, AttributeDescription } from '../contract/provider.ts'
import { collectAttributes, platformAttribute } from '../kit/attributes.ts'
import type { AzureClaims } from './claims.ts'
import { lowerAscii } from './lower-ascii.ts'
import { GUID, RESOURCE_GROUP, readResourceId } from './resource-id.ts'

const isResourceId = (text: string): boolean => readResourceId(text)?.text === text

/** Every attribute of a verified managed-identity token, by public name. All are Entra's word, and compared in lower case. */
export const AZURE_ATTRIBUTES: AttributeCatalogue = new Map<string, AttributeDescription>([
  ['azure.tenant_id', describe('the tenant of the identity', GUID)],
  ['azure.object_id', describe('the identity’s principal id: another one after it was recreated', GUID)],
  ['azure.client_id', describe('the identity’s client id', GUID)],
  ['azure.identity_resource_id', describe('the identity as a resource, in the few tokens that say so', isResourceId)],
  [
    'azure.resource_id',
    describe('the resource that the identity was used on, in the few tokens that say so', isResourceId),
  ],
  ['azure.subscription_id', describe('the subscription of that resource', GUID)],
  ['azure.resource_group', describe('the resource group of that resource', RESOURCE_GROUP)],
])

/** An identity's object id is never given to another. */
export const AZURE_PINS = [['azure.object_id']] as const

/** Gives the attributes of checked claims. Refuses an id that is no GUID. */
export function attributesOf({ tenantId, objectId, clientId, identity, resource }: AzureClaims): Attributes {
  return collectAttributes(AZURE_ATTRIBUTES, {
    'azure.tenant_id': tenantId,
    'azure.object_id': objectId,
    'azure.client_id': clientId,
    'azure.identity_resource_id': identity?.text,
    'azure.resource_id': resource?.text,
    'azure.subscription_id': resource?.subscriptionId,
    'azure.resource_group': resource?.resourceGroup,
  })
}

function describe(meaning: string, form: RegExp | ((value: string) => boolean)): AttributeDescription {
  return platformAttribute(meaning, form, { canonical: lowerAscii })
}
