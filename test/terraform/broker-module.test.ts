/** The broker by Terraform: the same objects as by kustomize. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SERVE_SETTINGS } from '../../src/config-settings.ts'
import { hasTool } from '../support/found-tool.ts'
import { faultsOf } from '../support/kubernetes-model.ts'
import { type Manifest, readManifests, renderManifests } from '../support/manifests.ts'
import { startPod } from '../support/pod.ts'
import { applyModule, copyInfra, testTerraform } from '../support/terraform-copy.ts'

const platform = readFileSync(new URL('../../infra/kubernetes/base/federation/platform.json', import.meta.url), 'utf8')

const INPUTS = {
  issuer: 'https://broker.corp.example',
  image: 'registry.corp.example/chancery:0.1.0',
  documents: { 'platform.json': platform },
}

const DATABASE =
  'postgres://chancery@chancery-postgresql:5432/chancery?sslmode=verify-full&sslrootcert=/etc/chancery/database/ca.crt'

/** Gives the objects that the module makes of its usual inputs and these. */
function applyBroker(inputs: object = {}): readonly Manifest[] {
  const { yaml } = applyModule('broker', { ...INPUTS, ...inputs }) as { yaml: string }
  return readManifests(yaml)
}

/** Gives objects by kind and name, with lists whose order means nothing in an order of their own. */
function inOrder(manifests: readonly Manifest[]): Readonly<Record<string, unknown>> {
  const named = (value: unknown): value is { name: string } =>
    typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string'
  const sort = (_: string, value: unknown): unknown =>
    Array.isArray(value) && value.every(named) ? value.toSorted((a, b) => (a.name < b.name ? -1 : 1)) : value
  const entries = manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest])
  return JSON.parse(JSON.stringify(Object.fromEntries(entries), sort)) as Readonly<Record<string, unknown>>
}

const hasTerraform = hasTool('terraform', 'the broker’s module')
const hasKubectl = hasTool('kubectl', 'the broker’s module beside kustomize')

describe.skipIf(!hasTerraform)('the broker’s module', () => {
  test('passes its own tests', () => {
    const { passed, complaints } = testTerraform(join(copyInfra(), 'modules', 'broker'))

    expect(complaints).toEqual([])
    expect(passed).toBeGreaterThan(10)
  })

  test('gives only fields that Kubernetes knows', () => {
    const manifests = applyBroker({ replicas: 3, database_url: DATABASE, tls_secret: 'chancery-tls' })

    expect(manifests.flatMap((manifest) => faultsOf(manifest) ?? [])).toEqual([])
  })

  test('mounts a packed document of the federation module, which the broker follows by its digest', async () => {
    const { version: _, ...document } = JSON.parse(platform) as Record<string, unknown>
    const { document_gzip_base64, digest } = applyModule('federation', document)
    const manifests = applyBroker({
      documents: {},
      documents_gzip_base64: { 'platform.json.gz': document_gzip_base64 },
    })

    const files = { '/run/secrets/chancery/cluster/ca.crt': '', '/run/secrets/chancery/cluster/token': 'x' }
    const pod = await startPod(manifests, { files })

    expect((await fetch(`${pod.origin('http')}/readyz`)).status).toBe(200)
    expect(pod.running.err()).toContain(`"document":"${String(digest)}"`)
  })

  test('lets only settings be made that the broker has', () => {
    const text = readFileSync(new URL('../../infra/modules/broker/variables.tf', import.meta.url), 'utf8')
    const [, list = ''] = /setsubtract\(keys\(var\.settings\), \[(.*?)\]\)/.exec(text) ?? []
    const settings = [...list.matchAll(/"([\w-]+)"/g)].map(([, name]) => name)

    expect(settings.length).toBeGreaterThan(0)
    expect(SERVE_SETTINGS.map(({ flag }) => flag)).toEqual(expect.arrayContaining(settings))
  })
})

describe.skipIf(!hasTerraform || !hasKubectl)('the broker’s module and kustomize', () => {
  test('agree on one replica', () => {
    expect(inOrder(applyBroker())).toEqual(inOrder(renderManifests('base')))
  })

  test('agree on many replicas', () => {
    const withoutDatabase = renderManifests('overlays/many-replicas').filter(
      ({ metadata }) => metadata.name !== 'chancery-postgresql',
    )

    expect(inOrder(applyBroker({ replicas: 3, database_url: DATABASE }))).toEqual(inOrder(withoutDatabase))
  })
})
