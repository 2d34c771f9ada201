/** Kustomizations of somebody else, made of ours: what the README tells to write, and components beside overlays. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hasTool } from '../support/found-tool.ts'
import { faultsOf } from '../support/kubernetes-model.ts'
import { brokerOf, findManifest, type Manifest, podOf, renderManifests, workloadsOf } from '../support/manifests.ts'
import { makeScratch } from '../support/scratch.ts'

const HERE = new URL('../../infra/kubernetes', import.meta.url).pathname
const REMOTE = /github\.com\/your-organisation\/chancery\/infra\/kubernetes\/([\w/-]+)\?ref=v[\d.]+/g

/** Every kustomization that the README shows, in order. */
const SHOWN = [...readFileSync(join(HERE, 'README.md'), 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].map(
  ([, text = '']) => text,
)

/** Renders a kustomization with ours taken from here. */
function renderText(text: string): readonly Manifest[] {
  const directory = join(makeScratch(), 'of-a-team')
  mkdirSync(directory)
  const local = text.replaceAll(REMOTE, (_, path: string) => relative(directory, join(HERE, path)))
  writeFileSync(join(directory, 'kustomization.yaml'), local)
  writeFileSync(join(directory, 'platform.json'), '{"of":"a team"}')
  return renderManifests(directory)
}

const renderWith = (resource: string, components: readonly string[]): readonly Manifest[] => {
  const remote = (path: string): string => `github.com/your-organisation/chancery/infra/kubernetes/${path}?ref=v0.1.0`
  return renderText(JSON.stringify({ resources: [remote(resource)], components: components.map(remote) }))
}

describe.skipIf(!hasTool('kubectl', 'combinations of manifests'))('a kustomization made of ours', () => {
  test('says who the broker is, where its image is, and who is who', () => {
    const manifests = renderText(SHOWN[0] ?? '')
    const { container } = brokerOf(manifests)

    expect(container.image).toMatch(/^123456789012\.dkr\.ecr\.eu-west-1\.amazonaws\.com\/chancery@sha256:/)
    expect(container.env).toContainEqual({ name: 'CHANCERY_ISSUER', value: 'https://broker.eu.corp.example' })
    expect(container.env?.filter(({ name }) => name === 'CHANCERY_STORE')).toHaveLength(1)
    expect(manifests).toContainEqual(expect.objectContaining({ data: { 'platform.json': '{"of":"a team"}' } }))
  })

  test('leaves out what is for an operator that the cluster has not', () => {
    const kinds = renderText(SHOWN[1] ?? '').map(({ kind }) => kind)

    expect(kinds).toContain('StatefulSet')
    expect(kinds).not.toContain('ServiceMonitor')
  })

  test('has many replicas on a cloud, with a database of its own', () => {
    const manifests = renderText(SHOWN[2] ?? '')

    expect(workloadsOf(manifests).map(({ kind }) => kind)).toEqual(['Deployment'])
    expect(manifests.map(({ kind }) => kind)).toContain('Ingress')
  })

  test('can be in a namespace of another name, all of it, with the right to review tokens', () => {
    const remote = 'github.com/your-organisation/chancery/infra/kubernetes/overlays/many-replicas?ref=v0.1.0'
    const manifests = renderText(JSON.stringify({ namespace: 'identity', resources: [remote] }))

    expect(manifests.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name)).toEqual([
      'identity',
    ])
    expect(JSON.stringify(manifests)).not.toContain('"namespace":"chancery"')
    expect(manifests).toContainEqual(
      expect.objectContaining({
        kind: 'ClusterRoleBinding',
        subjects: [{ kind: 'ServiceAccount', name: 'chancery', namespace: 'identity' }],
      }),
    )
  })

  test('has TLS up to the broker: files, probes and Service', () => {
    const manifests = renderWith('overlays/eks', ['components/many-replicas', 'components/tls'])
    const { container } = brokerOf(manifests)

    expect(manifests.flatMap((manifest) => faultsOf(manifest) ?? [])).toEqual([])
    expect(container.env).toContainEqual({ name: 'CHANCERY_TLS_CERT', value: '/etc/chancery/tls/tls.crt' })
    expect(container.env).toContainEqual({ name: 'CHANCERY_TLS_KEY', value: '/etc/chancery/tls/tls.key' })
    for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
      expect(probe?.httpGet?.scheme).toBe('HTTPS')
    }
    expect(findManifest(manifests, 'Service', 'chancery').spec?.ports?.map(({ port }) => port)).toEqual([443])
    expect(findManifest(manifests, 'Service', 'chancery-pods').spec?.ports?.map(({ port }) => port)).toEqual([9464])
  })
})

describe.skipIf(!hasTool('kubectl', 'what stands in front'))('what stands in front of the broker', () => {
  describe.each(['eks', 'gke', 'aks'])('on %s', (cloud) => {
    test.each([
      ['http', []],
      ['https', ['components/tls']],
    ])('asks for a port that its Service has: by %s', (scheme, components) => {
      const manifests = renderWith(`overlays/${cloud}`, components)
      const [port] = findManifest(manifests, 'Service', 'chancery').spec?.ports ?? []

      expect(port).toMatchObject({ name: scheme, port: scheme === 'http' ? 80 : 443 })
      const asked = frontsOf(manifests)
      expect(asked.length).toBeGreaterThan(0)
      for (const each of asked) expect([port?.name, port?.port]).toContain(each)
    })

    test('speaks TLS where the broker does', () => {
      const text = JSON.stringify(
        renderWith(`overlays/${cloud}`, ['components/tls']).filter(({ kind }) => kind !== 'Namespace'),
      )

      expect(text).not.toMatch(/backend-protocol":"HTTP"|"type":"HTTP"|"httpHealthCheck"|"scheme":"HTTP"/)
    })
  })
})

/** Gives the ports of the Service that an Ingress or a route asks for, by name or number. */
function frontsOf(manifests: readonly Manifest[]): readonly unknown[] {
  return manifests
    .filter(({ kind }) => ['Ingress', 'HTTPRoute'].includes(kind))
    .flatMap(({ spec }) => (spec as Front).rules)
    .flatMap(({ http, backendRefs }) => [
      ...(http?.paths ?? []).map(({ backend }) => backend.service.port.name),
      ...(backendRefs ?? []).map(({ port }) => port),
    ])
}

interface Front {
  readonly rules: readonly {
    readonly http?: {
      readonly paths: readonly { readonly backend: { readonly service: { readonly port: { name: string } } } }[]
    }
    readonly backendRefs?: readonly { readonly port: number }[]
  }[]
}

/** Gives what an object has but for these fields. */
function without(object: object, fields: readonly string[]): object {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !fields.includes(name)))
}

describe.skipIf(!hasTool('kubectl', 'many replicas'))('many replicas', () => {
  const manifests = (): readonly Manifest[] => renderManifests('overlays/many-replicas')

  test('are one pod with the single one, but for where state is and where they run', () => {
    const [many, single] = [brokerOf(manifests()), brokerOf(renderManifests('base'))]
    const { topologySpreadConstraints } = many.spec

    expect(topologySpreadConstraints?.map(({ topologyKey }) => topologyKey)).toEqual([
      'topology.kubernetes.io/zone',
      'kubernetes.io/hostname',
    ])
    expect(without(many.spec, ['topologySpreadConstraints', 'containers', 'volumes'])).toEqual(
      without(single.spec, ['containers', 'volumes']),
    )
    expect(without(many.container, ['env', 'volumeMounts'])).toEqual(without(single.container, ['env', 'volumeMounts']))
    const others = ({ env }: typeof many.container) => env?.filter(({ name }) => !name.startsWith('CHANCERY_STORE'))
    expect(others(many.container)).toEqual(others(single.container))
    expect(many.spec.volumes?.filter(({ name }) => name !== 'database')).toEqual(single.spec.volumes)
    expect(many.container.volumeMounts?.map(({ name }) => name)).not.toContain('store')
  })

  test('are at least two, and none goes before another one has come', () => {
    const { spec } = findManifest(manifests(), 'Deployment', 'chancery')
    const budget = manifests().find(({ kind }) => kind === 'PodDisruptionBudget')

    expect(spec?.replicas).toBeGreaterThanOrEqual(2)
    expect(spec?.strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } })
    expect(budget?.spec).toMatchObject({ maxUnavailable: 1 })
  })

  test('take requests until everybody has heard that they go', () => {
    const { container, spec } = brokerOf(manifests())

    expect(container.lifecycle?.preStop?.sleep?.seconds).toBeGreaterThan(0)
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(15)
  })

  test('know their database by its certificate and a Secret, and nobody else reaches it', () => {
    const { container } = brokerOf(manifests())
    const policy = findManifest(manifests(), 'NetworkPolicy', 'chancery-postgresql').spec
    const database = workloadsOf(manifests()).find(({ metadata }) => metadata?.name === 'chancery-postgresql')

    const store = new URL(container.env?.find(({ name }) => name === 'CHANCERY_STORE')?.value ?? '')
    expect([store.hostname, store.password]).toEqual(['chancery-postgresql', ''])
    expect(store.searchParams.get('sslmode')).toBe('verify-full')
    expect(container.env).toContainEqual({
      name: 'CHANCERY_STORE_PASSWORD_FILE',
      value: '/etc/chancery/database/password',
    })
    expect(database === undefined ? {} : podOf(database).labels).toEqual(policy?.podSelector?.matchLabels)
    expect(policy).toMatchObject({ policyTypes: ['Ingress', 'Egress'], egress: [] })
    expect(policy?.ingress).toEqual([
      {
        from: [{ podSelector: { matchLabels: { 'app.kubernetes.io/name': 'chancery' } } }],
        ports: [{ port: 'postgresql', protocol: 'TCP' }],
      },
    ])
  })
})
