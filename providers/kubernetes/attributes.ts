/** What a binding can match about a Kubernetes workload. The table in this folder's README says the same, and is tested. */

import type { Attributes } from '../contract/proof.ts'
import type { AttributeCatalogue, AttributeDescription } from '../contract/provider.ts'
import { collectAttributes, platformAttribute } from '../kit/attributes.ts'
import type { ServiceAccountClaims } from './claims.ts'

/** @see {@link https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ Kubernetes object names and ids} */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/
const UID = /^[0-9a-zA-Z][0-9a-zA-Z-]{0,127}$/

/** Every attribute of a verified service-account token, by public name. All are the API server's word. */
export const KUBERNETES_ATTRIBUTES: AttributeCatalogue = new Map<string, AttributeDescription>([
  ['kubernetes.namespace', platformAttribute('the namespace of the service account', LABEL, { prefix: true })],
  ['kubernetes.service_account', platformAttribute('the name of the service account', SUBDOMAIN, { prefix: true })],
  [
    'kubernetes.service_account_uid',
    platformAttribute('the uid of the service account: another one after it was recreated', UID),
  ],
  ['kubernetes.pod_name', platformAttribute('the name of the pod that the token is bound to', SUBDOMAIN)],
  ['kubernetes.pod_uid', platformAttribute('the uid of that pod', UID)],
  ['kubernetes.node_name', platformAttribute('the node that the pod runs on; since Kubernetes 1.30', SUBDOMAIN)],
  ['kubernetes.node_uid', platformAttribute('the uid of that node; since Kubernetes 1.30', UID)],
])

/** A namespace and an account name together are what nobody else in a cluster can have. */
export const KUBERNETES_PINS = [['kubernetes.namespace', 'kubernetes.service_account']] as const

/** Gives the attributes of checked claims. Refuses a value that no API server would have accepted as a name. */
export function attributesOf(claims: ServiceAccountClaims): Attributes {
  return collectAttributes(KUBERNETES_ATTRIBUTES, {
    'kubernetes.namespace': claims.namespace,
    'kubernetes.service_account': claims.serviceAccount.name,
    'kubernetes.service_account_uid': claims.serviceAccount.uid,
    'kubernetes.pod_name': claims.pod?.name,
    'kubernetes.pod_uid': claims.pod?.uid,
    'kubernetes.node_name': claims.node?.name,
    'kubernetes.node_uid': claims.node?.uid,
  })
}
