/** What a cluster remembers: accounts, pods, and the keys that it signs with. */

import { createHash, randomUUID } from 'node:crypto'
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK } from 'jose'

export type ClusterAlgorithm = 'RS256' | 'ES256' | 'ES384' | 'ES512'

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

export interface ClusterKey {
  readonly keyId: string
  readonly algorithm: ClusterAlgorithm
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly jwk: JWK
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

/** Makes a signing key with the id that an API server gives it: the hash of its public half. */
export async function generateClusterKey(algorithm: ClusterAlgorithm): Promise<ClusterKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  const pem = await exportSPKI(publicKey)
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64')
  const keyId = createHash('sha256').update(der).digest('base64url')
  const jwk = { ...(await exportJWK(publicKey)), kid: keyId, alg: algorithm, use: 'sig' }
  return { keyId, algorithm, privateKey, publicKey, jwk }
}
