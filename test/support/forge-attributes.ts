/** Tokens that make any attributes true: what an API server would sign for such a workload. */

import type { Scene } from './scene.ts'

const UID = '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798'

/** Gives a token whose attributes are these, and whatever the rest must be. */
export function forgeAttributes(scene: Scene, attributes: Readonly<Record<string, string>>): Promise<string> {
  const attribute = (name: string, otherwise: string): string => attributes[`kubernetes.${name}`] ?? otherwise
  const namespace = attribute('namespace', 'payments')
  const account = attribute('service_account', 'api')
  return scene.forge({
    sub: `system:serviceaccount:${namespace}:${account}`,
    'kubernetes.io': {
      namespace,
      serviceaccount: { name: account, uid: attribute('service_account_uid', UID) },
      pod: { name: attribute('pod_name', 'pod-1'), uid: attribute('pod_uid', UID) },
      node: { name: attribute('node_name', 'node-1'), uid: attribute('node_uid', UID) },
    },
  })
}
