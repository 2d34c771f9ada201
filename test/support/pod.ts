/** Runs the broker as its pod would: with the arguments and the environment of its manifest, its volumes in a directory of the test's. */

import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { V1ConfigMap, V1Container } from '@kubernetes/client-node'
import { onTestFinished } from 'vitest'
import { brokerOf, type Manifest } from './manifests.ts'
import { findFreePort, type Running, startChancery, waitUntilReady } from './process.ts'
import { makeScratch } from './scratch.ts'

/** A broker that runs as its pod would. */
export interface Pod {
  readonly running: Running
  /** Where its container's port of a name is reached. */
  origin(port: string): string
  /** Gives the path that stands for one of the container's. */
  path(mounted: string): string
  /** Puts other content into the mounted ConfigMap of documents, as the kubelet does it: by one change of a link. */
  updateFederation(files: Readonly<Record<string, string>>): void
}

export interface PodOptions {
  /** Files that Secrets and projected volumes would hold, by the container's path. */
  readonly files?: Readonly<Record<string, string>>
  /** Hosts that the cluster would resolve, and what this machine has in their place. */
  readonly hosts?: Readonly<Record<string, string>>
}

const KEY = Buffer.alloc(32, 9).toString('base64')

/** Starts the broker of these manifests and waits until its own probe finds it ready. Ends it with the running test. */
export async function startPod(manifests: readonly Manifest[], options: PodOptions = {}): Promise<Pod> {
  const { container, spec } = brokerOf(manifests)
  const root = makeScratch()
  for (const { mountPath } of container.volumeMounts ?? []) mkdirSync(join(root, mountPath), { recursive: true })
  const path = (mounted: string): string => join(root, mounted)
  const files = { '/etc/chancery/key-encryption/keys': `${KEY}\n`, ...options.files }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(path(name)), { recursive: true })
    writeFileSync(path(name), text, { mode: 0o440 })
  }
  const ports = new Map<string, number>()
  for (const { name } of container.ports ?? []) ports.set(name ?? '', await findFreePort())
  const mount = mountOf(container, spec.volumes?.find(({ configMap }) => configMap)?.name)
  const updateFederation = createMount(path(mount))
  updateFederation(federationOf(manifests))
  const running = startChancery(container.args ?? [], environmentOf(container, root, ports, options.hosts ?? {}))
  onTestFinished(async () => {
    running.child.kill('SIGKILL')
    await running.finished
  })
  const origin = (port: string): string => `http://127.0.0.1:${ports.get(port)}`
  await waitUntilReady(origin(String(container.readinessProbe?.httpGet?.port)), running)
  return { running, origin, path, updateFederation }
}

/** Every value as it stands in the manifest, but for directories, ports and hosts, which the test has elsewhere. */
function environmentOf(
  { env = [], ports = [], volumeMounts = [] }: V1Container,
  root: string,
  free: ReadonlyMap<string, number>,
  hosts: Readonly<Record<string, string>>,
): Record<string, string> {
  const mounted = new RegExp(`(?<=^|[:=])(?=(${volumeMounts.map(({ mountPath }) => mountPath).join('|')})(/|$))`)
  const settings = env.map(({ name, value = '' }) => {
    let text = value.replace(mounted, root)
    for (const [host, here] of Object.entries(hosts)) text = text.replace(host, here)
    for (const { name: port, containerPort } of ports) {
      text = text.replace(new RegExp(`:${containerPort}$`), `:${free.get(port ?? '')}`)
    }
    return [name, text] as const
  })
  return Object.fromEntries(settings)
}

function mountOf({ volumeMounts = [] }: V1Container, volume: string | undefined): string {
  const mount = volumeMounts.find(({ name }) => name === volume)
  if (mount === undefined) throw new Error('no ConfigMap is mounted')
  return mount.mountPath
}

function federationOf(manifests: readonly Manifest[]): Readonly<Record<string, string | Buffer>> {
  const map = manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'chancery-federation')
  const { data = {}, binaryData = {} } = (map as V1ConfigMap | undefined) ?? {}
  const binaries = Object.entries(binaryData).map(([name, text]) => [name, Buffer.from(text, 'base64')] as const)
  return { ...data, ...Object.fromEntries(binaries) }
}

/** Makes the writer of a mounted ConfigMap: files are links to `..data/NAME`, which is a link to a directory of one moment. */
function createMount(directory: string): (files: Readonly<Record<string, string | Buffer>>) => void {
  let moment = 0
  return (files) => {
    const data = `..2026_01_15_12_00_0${moment++}`
    mkdirSync(join(directory, data))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, data, name), text)
    symlinkSync(data, join(directory, '..data_tmp'))
    renameSync(join(directory, '..data_tmp'), join(directory, '..data'))
    if (moment > 1) return
    for (const name of Object.keys(files)) symlinkSync(join('..data', name), join(directory, name))
  }
}
