/** Stand-in clusters on one clock, and verifiers that trust them as a document says. */

import type { UnverifiedProof, VerifiedProof } from '../../providers/contract/proof.ts'
import type { InspectedProof, Ports, TrustedIssuer } from '../../providers/contract/provider.ts'
import type { KubernetesSettings } from '../../providers/kubernetes/settings.ts'
import {
  type KubernetesStandIn,
  type KubernetesStandInOptions,
  startKubernetesStandIn,
} from '../../providers/kubernetes/stand-in/stand-in.ts'
import { kubernetesVerifier } from '../../providers/kubernetes/verifier.ts'
import { createTestClock, type TestClock } from './clock.ts'
import { BROKER } from './document.ts'
import { createTestPorts, type TestPorts, type TestPortsOptions } from './provider-ports.ts'
import { rejection } from './rejection.ts'
import { POD } from './scene.ts'

export interface ClusterVerifier {
  readonly ports: TestPorts
  verify(proof: string): Promise<VerifiedProof>
  /** The code that a proof is refused with. */
  codeOf(proof: string): Promise<string>
  inspect(proof: string): InspectedProof
}

export interface ClusterBench {
  readonly clock: TestClock
  /** Starts a cluster with the account and the pod of {@link POD}. */
  startCluster(options?: KubernetesStandInOptions): Promise<KubernetesStandIn>
  /** A verifier of trusted issuers by name, with the settings that a document gives them. All clusters may be plain http. */
  verifierOf(
    issuers: Readonly<Record<string, object>>,
    options?: Partial<TestPortsOptions> & { readonly ports?: Partial<Ports> },
  ): ClusterVerifier
  /** Makes every cluster well again. */
  recover(): void
  close(): Promise<void>
}

export function createClusterBench(): ClusterBench {
  const clock = createTestClock()
  const clusters: KubernetesStandIn[] = []
  return {
    clock,
    async startCluster(options = {}) {
      const cluster = await startKubernetesStandIn({ now: clock.now, algorithm: 'ES256', ...options })
      cluster.createServiceAccount(POD.namespace, POD.serviceAccount)
      cluster.createPod(POD.namespace, String(POD.pod), POD.serviceAccount)
      clusters.push(cluster)
      return cluster
    },
    verifierOf(issuers, { ports: other = {}, ...options } = {}) {
      const ports = createTestPorts({ clock, insecureHosts: clusters.map(({ host }) => host), ...options })
      const context = { insecureHosts: ports.egress.insecureHosts, proofAudiences: [BROKER] }
      const trusted = Object.entries(issuers).map(([name, settings]): TrustedIssuer<KubernetesSettings> => {
        return { name, proofAudiences: [BROKER], settings: kubernetesVerifier.parseSettings(settings, context) }
      })
      const verifier = kubernetesVerifier.createVerifier(trusted, { ...ports, ...other })
      const signal = new AbortController().signal
      const verify = (proof: string) => verifier.verify(proof as UnverifiedProof, {}, signal)
      return {
        ports,
        verify,
        codeOf: async (proof) => (await rejection(verify(proof))).code,
        inspect: (proof) => verifier.inspect(proof as UnverifiedProof),
      }
    },
    recover() {
      for (const cluster of clusters) cluster.recover()
    },
    async close() {
      await Promise.all(clusters.map((cluster) => cluster.close()))
    },
  }
}

/** What a cluster was asked for since it had been asked this often. */
export function pathsSince(cluster: KubernetesStandIn, before: number): readonly string[] {
  return cluster.requests.slice(before).map(({ path }) => path)
}
