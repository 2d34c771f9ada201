/** Many requests at once, and proofs that cost nothing to make. */

import type { KubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { formOf, type Parameters, type TestBroker } from './broker.ts'
import { POD } from './scene.ts'

const AT_ONCE = 32

/** Does something this many times, a few at once. */
export async function repeat(times: number, act: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < times) await act(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

/** Sends an exchange without remembering it: ten thousand proofs are too many to look for in every log. Gives the status. */
export async function sendUnwatched(broker: TestBroker, proof: string, parameters: Parameters = {}): Promise<number> {
  const response = await fetch(`${broker.origin}/token`, { method: 'POST', body: formOf(proof, parameters) })
  await response.arrayBuffer()
  return response.status
}

/** Makes a proof of the right form for a cluster with an ES256 key, which nobody signed. */
export function unsigned(cluster: KubernetesStandIn, claims: object, header: object = {}): string {
  const all = { ...cluster.claimsFor(POD), ...claims }
  const algorithm = { alg: 'ES256', kid: cluster.key.keyId, ...header }
  return `${encode(algorithm)}.${encode(all)}.${Buffer.alloc(64, 1).toString('base64url')}`
}

/** Gives the sum of a metric's series, by the labels that are asked for. */
export async function sumOf(broker: TestBroker, metric: string, labels: RegExp = /.*/): Promise<number> {
  const lines = (await broker.metrics())
    .split('\n')
    .filter((line) => line.startsWith(`${metric}{`) && labels.test(line))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
