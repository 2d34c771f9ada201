/** One workload of each cloud, and one that nobody has said anything about. Each proves itself by its platform's own SDK. */

import type { ProviderName } from '../../providers/contract/proof.ts'
import type { Proven } from '../../providers/contract/provider.ts'
import type { StandIn } from '../../providers/contract/stand-in.ts'
import { kubernetesProver } from '../../providers/kubernetes/prover.ts'
import { startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { provers } from '../../providers/provers.ts'
import { standIns } from '../../providers/stand-ins.ts'

const now = (): number => Math.floor(Date.now() / 1_000)

/** A workload as the demo needs it: what the platform team writes of it, and how it proves itself. */
export interface DemoWorkload {
  readonly cloud: ProviderName
  /** Who it is, in its platform's words, and by what it proves itself. */
  readonly title: string
  readonly hosts: readonly string[]
  readonly trustedIssuer: Readonly<Record<string, unknown>>
  /** What a binding matches it by. */
  readonly match: Readonly<Record<string, string>>
  readonly subjectTokenType: string
  prove(proofAudience: string): Promise<Proven>
  close(): Promise<void>
}

interface Way {
  readonly title: string
  /** What the prover is told beside what leads it to the stand-in. */
  readonly settings?: object
}

/** How the workloads of each cloud prove themselves. */
const WAYS: Readonly<Record<ProviderName, readonly Way[]>> = {
  kubernetes: [{ title: 'A pod on Kubernetes, by the token that the kubelet keeps in a file' }],
  aws: [
    { title: 'A task on ECS, by a web-identity token that @aws-sdk/client-sts asked for' },
    {
      title: 'The same task, by a GetCallerIdentity request that @aws-sdk/client-sts signed and did not send',
      settings: { proof: 'signed_request' },
    },
  ],
  gcp: [{ title: 'A VM on Compute Engine, by google-auth-library at the metadata server' }],
  azure: [{ title: 'A web app on Azure, by @azure/identity and its managed identity' }],
}

/** Starts a stand-in for every cloud. */
export async function startWorkloads(): Promise<readonly DemoWorkload[]> {
  const started = standIns.map(async ({ name, start }) => {
    const standIn = await start({ now })
    return WAYS[name].map((way) => createWorkload(name, standIn, way))
  })
  return (await Promise.all(started)).flat()
}

function createWorkload(cloud: ProviderName, standIn: StandIn, { title, settings }: Way): DemoWorkload {
  const { hosts, trustedIssuer, attributes: match, subjectTokenType, prover, close } = standIn
  return {
    cloud,
    title,
    hosts,
    trustedIssuer,
    match,
    subjectTokenType,
    async prove(proofAudience) {
      const provider = provers.find(({ name }) => name === cloud)
      const ports = await prover.ports(proofAudience)
      const made = provider?.createProver(settings ?? prover.settings, ports)
      if (made === undefined) throw new Error(`there is no prover for ${cloud}`)
      return await made.prove({ proofAudience }, AbortSignal.timeout(10_000))
    },
    close,
  }
}

/** A cluster with one pod, whose account no binding names. */
export async function startStranger(): Promise<DemoWorkload> {
  const cluster = await startKubernetesStandIn()
  const pod = { namespace: 'payments', serviceAccount: 'batch', pod: 'batch-1' }
  cluster.createServiceAccount(pod.namespace, pod.serviceAccount)
  cluster.createPod(pod.namespace, pod.pod, pod.serviceAccount)
  return {
    cloud: 'kubernetes',
    title: 'The pod payments/batch-1 of another cluster',
    hosts: [cluster.host],
    trustedIssuer: { provider: 'kubernetes', issuers: [cluster.issuer] },
    match: { 'kubernetes.namespace': 'payments', 'kubernetes.service_account': 'api' },
    subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
    async prove(proofAudience) {
      const token = await cluster.requestToken({ ...pod, audiences: [proofAudience] })
      const ports = { env: {}, readFile: async () => `${token}\n`, now }
      return await kubernetesProver.createProver({}, ports).prove({ proofAudience }, AbortSignal.timeout(10_000))
    },
    close: cluster.close,
  }
}
