/** A stand-in cluster with one pod, and a broker that trusts it: what most tests over HTTP begin with. */

import type { KubernetesStandInOptions } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import type { TokenWish } from '../../providers/kubernetes/stand-in/tokens.ts'
import { startTestBroker, type TestBroker, type TestBrokerOptions } from './broker.ts'
import { createTestClock, type TestClock } from './clock.ts'
import { BROKER, documentFor } from './document.ts'

/** The pod of every scene, and the token that it was given for the broker. */
export const POD: TokenWish = { namespace: 'payments', serviceAccount: 'api', pod: 'api-1', audiences: [BROKER] }

export interface SceneOptions {
  readonly cluster?: KubernetesStandInOptions
  /** The document, made for the cluster; by default {@link documentFor} it. */
  readonly document?: (cluster: KubernetesStandIn) => object
  readonly broker?: Partial<TestBrokerOptions>
}

export interface Scene {
  readonly clock: TestClock
  readonly cluster: KubernetesStandIn
  readonly broker: TestBroker
  /** A genuine token of the pod, or of another wish. */
  proof(wish?: Partial<TokenWish>): Promise<string>
  /** A token of the pod with other claims and header, under the cluster's own signature. Undefined removes a member. */
  forge(claims: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): Promise<string>
  /** Counts the requests that the cluster got while something was done. */
  upstreamRequests(act: () => Promise<unknown>): Promise<number>
  close(): Promise<void>
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const clock = options.broker?.clock ?? createTestClock()
  const cluster = await startKubernetesStandIn({ now: clock.now, ...options.cluster })
  cluster.createServiceAccount('payments', 'api')
  cluster.createPod('payments', 'api-1', 'api')
  const document = options.document?.(cluster) ?? documentFor(cluster.issuer)
  const broker = await startTestBroker({ clock, document, insecureHosts: [cluster.host], ...options.broker })
  return {
    clock,
    cluster,
    broker,
    proof: (wish = {}) => cluster.requestToken({ ...POD, ...wish }),
    forge: (claims, header) => cluster.sign(withoutUndefined({ ...cluster.claimsFor(POD), ...claims }), header),
    async upstreamRequests(act) {
      const before = cluster.requests.length
      await act()
      return cluster.requests.length - before
    },
    async close() {
      await broker.stop()
      await cluster.close()
    },
  }
}

function withoutUndefined(claims: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
}
