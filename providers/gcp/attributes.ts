/** What a binding can match about a workload on Google Cloud. The table in this folder's README says the same, and is tested. */

import type { Attributes } from '../contract/proof.ts'
import type { AttributeCatalogue, AttributeDescription } from '../contract/provider.ts'
import { collectAttributes, platformAttribute } from '../kit/attributes.ts'
import type { GcpClaims } from './claims.ts'

/** A unique id: all digits, 21 of them today. It is never given to another account. */
const UNIQUE_ID = /^[1-9]\d{0,31}$/
const DIGITS = /^[1-9]\d{0,19}$/
/** @see {@link https://cloud.google.com/resource-manager/docs/creating-managing-projects Google Cloud, project ids}; older ones may be `example.com:project`. */
const PROJECT_ID = /^([a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/
const ZONE = /^(?=.{1,63}$)[a-z]+(-[a-z0-9]+)+$/
const INSTANCE_NAME = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/
/**
 * A service account's e-mail address, under a domain that Google alone gives out. A person's is at another domain.
 *
 * @see {@link https://cloud.google.com/iam/docs/service-account-types Google Cloud, types of service accounts}
 */
const ACCOUNT_EMAIL =
  /^(?=.{1,254}$)[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?@([a-z][a-z0-9-]{4,28}[a-z0-9](\.[a-z0-9-]+)*\.iam|developer|appspot|cloudservices)\.gserviceaccount\.com$/

/** Every attribute of a verified identity token, by public name. All are Google's word. */
export const GCP_ATTRIBUTES: AttributeCatalogue = new Map<string, AttributeDescription>([
  ['gcp.subject', describe('the unique id of the service account: another one after it was recreated', UNIQUE_ID)],
  ['gcp.project_id', describe('the project of the VM, by id; only in format=full', PROJECT_ID)],
  ['gcp.project_number', describe('the project of the VM, by number; only in format=full', DIGITS)],
  ['gcp.zone', describe('the zone of the VM; only in format=full', ZONE)],
  ['gcp.instance_id', describe('the id of the VM, never given to another; only in format=full', DIGITS)],
  [
    'gcp.instance_name',
    describe('the name of the VM, free for others once it is gone; only in format=full', INSTANCE_NAME),
  ],
  ['gcp.email', describe('the e-mail address of the service account, free for others once it is gone', ACCOUNT_EMAIL)],
])

/** Anybody with a project can have a token for any audience: only the account's own id says who it is. */
export const GCP_PINS = [['gcp.subject']] as const

/** Gives the attributes of checked claims. Refuses a value that Google would never have given. */
export function attributesOf({ subject, email, instance }: GcpClaims): Attributes {
  return collectAttributes(GCP_ATTRIBUTES, {
    'gcp.subject': subject,
    'gcp.project_id': instance?.projectId,
    'gcp.project_number': instance?.projectNumber,
    'gcp.zone': instance?.zone,
    'gcp.instance_id': instance?.id,
    'gcp.instance_name': instance?.name,
    'gcp.email': email,
  })
}

function describe(meaning: string, pattern: RegExp): AttributeDescription {
  return platformAttribute(meaning, pattern)
}
