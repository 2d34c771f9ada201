/** What a cluster remembers: accounts and pods. */

import { randomUUID } from 'node:crypto'

export interface ServiceAccount {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

export interface Pod {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly serviceAccount: string
  readonly node: { readonly name: string; readonly uid: string }
}

/** Objects by namespace and name. One that is created again has another uid, as on a real cluster. */
export interface ClusterState {
  createServiceAccount(namespace: string, name: string): ServiceAccount
  deleteServiceAccount(namespace: string, name: string): void
  serviceAccount(namespace: string, name: string): ServiceAccount | undefined
  createPod(namespace: string, name: string, serviceAccount: string): Pod
  deletePod(namespace: string, name: string): void
  pod(namespace: string, name: string): Pod | undefined
}

export function createClusterState(): ClusterState {
  const accounts = new Map<string, ServiceAccount>()
  const pods = new Map<string, Pod>()
  const node = { name: 'node-1', uid: randomUUID() }
  const key = (namespace: string, name: string): string => `${namespace}/${name}`
  return {
    createServiceAccount(namespace, name) {
      const account = { namespace, name, uid: randomUUID() }
      accounts.set(key(namespace, name), account)
      return account
    },
    deleteServiceAccount: (namespace, name) => void accounts.delete(key(namespace, name)),
    serviceAccount: (namespace, name) => accounts.get(key(namespace, name)),
    createPod(namespace, name, serviceAccount) {
      const pod = { namespace, name, uid: randomUUID(), serviceAccount, node }
      pods.set(key(namespace, name), pod)
      return pod
    },
    deletePod: (namespace, name) => void pods.delete(key(namespace, name)),
    pod: (namespace, name) => pods.get(key(namespace, name)),
  }
}
