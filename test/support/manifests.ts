/** Kubernetes objects as kustomize renders them, and what a test asks of them. */

import { spawnSync } from 'node:child_process'
import type {
  V1Container,
  V1Deployment,
  V1NetworkPolicy,
  V1PodSpec,
  V1PodTemplateSpec,
  V1Service,
  V1StatefulSet,
} from '@kubernetes/client-node'
import { parseAllDocuments } from 'yaml'

/** An object of any kind. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly [field: string]: unknown
}

/** What owns pods here. */
export type Workload = (V1StatefulSet | V1Deployment) & { readonly kind: string }

/** Objects of the kinds that a test looks into. */
interface Kinds {
  readonly Deployment: V1Deployment
  readonly NetworkPolicy: V1NetworkPolicy
  readonly Service: V1Service
  readonly StatefulSet: V1StatefulSet
}

/** Renders what lies below `infra/kubernetes`, or at a path, as `kubectl apply -k` would apply it. Throws what kustomize says. */
export function renderManifests(path: string): readonly Manifest[] {
  const directory = path.startsWith('/') ? path : new URL(`../../infra/kubernetes/${path}`, import.meta.url).pathname
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', directory], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return readManifests(stdout)
}

/** Reads objects from a text of YAML documents. */
export function readManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS({ mapAsMap: false }) as Manifest)
}

/** Gives the only object of a kind and a name. Throws where there is none, or another. */
export function findManifest<Kind extends keyof Kinds>(
  manifests: readonly Manifest[],
  kind: Kind,
  name: string,
): Kinds[Kind] {
  const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name)
  if (found.length !== 1) throw new Error(`${found.length} of kind ${kind} are called ${name}`)
  return found[0] as unknown as Kinds[Kind]
}

/** Gives everything that owns pods. */
export function workloadsOf(manifests: readonly Manifest[]): readonly Workload[] {
  return manifests.filter(({ kind }) => ['StatefulSet', 'Deployment'].includes(kind))
}

/** Gives the pod of a workload. Throws where it says nothing of one. */
export function podOf(workload: Workload): { readonly labels: Labels; readonly spec: V1PodSpec } {
  const template: V1PodTemplateSpec | undefined = workload.spec?.template
  if (template?.spec === undefined) throw new Error(`${workload.kind} has no pod`)
  return { labels: template.metadata?.labels ?? {}, spec: template.spec }
}

/** Gives the broker of a set of manifests: what owns it, its pod and its container. */
export function brokerOf(manifests: readonly Manifest[]): {
  readonly workload: Workload
  readonly spec: V1PodSpec
  readonly container: V1Container
} {
  const workload = workloadsOf(manifests).find(({ metadata }) => metadata?.name === 'chancery')
  if (workload === undefined) throw new Error('there is no broker')
  const { spec } = podOf(workload)
  const [container] = spec.containers
  if (container === undefined) throw new Error('the broker has no container')
  return { workload, spec, container }
}

type Labels = Readonly<Record<string, string>>

/** Answers whether a selector of labels takes a pod. */
export function selects(selector: Labels | undefined, labels: Labels): boolean {
  return (
    selector !== undefined &&
    Object.keys(selector).length > 0 &&
    Object.entries(selector).every(([name, value]) => labels[name] === value)
  )
}
