/** Ids of Azure's resources, read segment by segment: what stands where decides, never what is found in the text. */

import { lowerAscii } from './lower-ascii.ts'

/** A resource, in lower case throughout: Azure takes every case for the same. */
export interface ResourceId {
  /** The whole id, as it is compared. */
  readonly text: string
  readonly subscriptionId: string
  readonly resourceGroup: string
  /** `microsoft.compute/virtualmachines`. */
  readonly type: string
}

/** The type of an identity that stands on its own and is lent to resources. */
export const USER_ASSIGNED_IDENTITY = 'microsoft.managedidentity/userassignedidentities'

/** A GUID as Azure writes it, in lower case. */
export const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The name of a resource group, in lower case. Letters beyond ASCII are not taken.
 *
 * @see {@link https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules Azure, naming rules}
 */
export const RESOURCE_GROUP =
  /^(?!providers$|subscriptions$|resourcegroups$)[a-z0-9_()-]([a-z0-9_().-]{0,88}[a-z0-9_()-])?$/
const NAMESPACE = /^[a-z][a-z0-9]*(\.[a-z0-9]+)+$/
const TYPE = /^[a-z][a-z0-9]*$/
const NAME = /^[a-z0-9_()-][a-z0-9_().-]{0,259}$/

/** Children that have an identity of their own. Any other child is not what a token is about. */
const CHILD_TYPES: ReadonlySet<string> = new Set([
  'microsoft.web/sites/slots',
  'microsoft.compute/virtualmachinescalesets/virtualmachines',
])

/** Answers whether a text is a GUID as Azure writes it, in lower case. */
export function isGuid(text: string): boolean {
  return GUID.test(text)
}

/**
 * Reads `/subscriptions/ID/resourceGroups/GROUP/providers/NAMESPACE/TYPE/NAME`, in any case.
 *
 * Undefined for anything else: a missing or repeated part, a percent-encoding, a child resource that has no identity of its own.
 */
export function readResourceId(id: string): ResourceId | undefined {
  const text = lowerAscii(id)
  const [root, subscriptions, subscriptionId = '', groups, resourceGroup = '', providers, ...resource] = text.split('/')
  if (root !== '' || subscriptions !== 'subscriptions' || groups !== 'resourcegroups' || providers !== 'providers') {
    return undefined
  }
  if (!isGuid(subscriptionId) || !RESOURCE_GROUP.test(resourceGroup)) return undefined
  const type = readType(resource)
  return type === undefined ? undefined : { text, subscriptionId, resourceGroup, type }
}

/** Reads `NAMESPACE/TYPE/NAME`, or the same with one more `TYPE/NAME`. */
function readType([namespace = '', type = '', name = '', ...child]: readonly string[]): string | undefined {
  if (!NAMESPACE.test(namespace) || !TYPE.test(type) || !NAME.test(name)) return undefined
  const whole = `${namespace}/${type}`
  if (child.length === 0) return whole
  const [childType = '', childName = '', ...more] = child
  if (more.length > 0 || !NAME.test(childName)) return undefined
  return CHILD_TYPES.has(`${whole}/${childType}`) ? `${whole}/${childType}` : undefined
}
