/** Clusters that are reached by a host name over TLS, as real ones are. */

import type { SecureContext } from 'node:tls'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import type { Certificate } from './certificates.ts'
import type { TestClock } from './clock.ts'

export interface TlsCluster extends KubernetesStandIn {
  readonly port: number
  /** The server names that clients have asked for, one for each handshake. */
  readonly serverNames: readonly string[]
}

/** Starts a cluster with the pod of every scene. It listens on loopback, whatever it is called. */
export async function startTlsCluster(
  hostname: string,
  certificate: Certificate,
  clock: TestClock,
): Promise<TlsCluster> {
  const serverNames: string[] = []
  const tls = {
    ...certificate,
    SNICallback(name: string, callback: (error: Error | null, context?: SecureContext) => void): void {
      serverNames.push(name)
      callback(null)
    },
  }
  const cluster = await startKubernetesStandIn({ now: clock.now, algorithm: 'ES256', hostname, tls })
  cluster.createServiceAccount('payments', 'api')
  cluster.createPod('payments', 'api-1', 'api')
  return Object.assign(cluster, { port: Number(new URL(cluster.origin).port), serverNames })
}
