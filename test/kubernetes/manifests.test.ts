/** What every set of manifests promises, whatever it is for. */

import { describe, expect, test } from 'vitest'
import { SERVE_SETTINGS, variableOf } from '../../src/config-settings.ts'
import { hasTool } from '../support/found-tool.ts'
import { faultsOf } from '../support/kubernetes-model.ts'
import { brokerOf, findManifest, podOf, renderManifests, selects, workloadsOf } from '../support/manifests.ts'

const OVERLAYS = ['base', 'overlays/eks', 'overlays/gke', 'overlays/aks', 'overlays/many-replicas']

const SOMEBODY_ELSES = ['Gateway', 'GCPBackendPolicy', 'HealthCheckPolicy', 'HTTPRoute', 'ServiceMonitor']

const hasKubectl = hasTool('kubectl', 'manifests')

describe.skipIf(!hasKubectl)('the manifests', () => {
  describe.each(OVERLAYS)('of %s', (path) => {
    const manifests = hasKubectl ? renderManifests(path) : []

    test('have only fields that Kubernetes knows, with values of their types', () => {
      for (const manifest of manifests) {
        const faults = faultsOf(manifest)
        if (faults === undefined) expect(SOMEBODY_ELSES).toContain(manifest.kind)
        else expect(faults).toEqual([])
      }
    })

    test('lie in one namespace, which lets in only pods that are restricted', () => {
      const clusterWide = ['Namespace', 'ClusterRole', 'ClusterRoleBinding', 'StorageClass']
      const elsewhere = manifests.filter(
        ({ kind, metadata }) => !clusterWide.includes(kind) && metadata.namespace !== 'chancery',
      )

      expect(elsewhere.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([])
      expect(manifests).toContainEqual(
        expect.objectContaining({
          kind: 'Namespace',
          metadata: expect.objectContaining({
            labels: expect.objectContaining({ 'pod-security.kubernetes.io/enforce': 'restricted' }),
          }),
        }),
      )
    })

    test('run nothing as root, with a capability, with a way to more, or with a file system that can be written', () => {
      for (const workload of workloadsOf(manifests)) {
        const { spec } = podOf(workload)
        expect(spec.securityContext).toMatchObject({
          runAsNonRoot: true,
          runAsUser: expect.any(Number),
          seccompProfile: { type: 'RuntimeDefault' },
        })
        expect(spec.hostNetwork ?? spec.hostPID ?? spec.hostIPC).toBeUndefined()
        for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
          expect(container.securityContext).toEqual({
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          })
        }
      }
    })

    test('give no pod a credential for the API server by default, nor addresses of other services', () => {
      for (const workload of workloadsOf(manifests)) {
        const { spec } = podOf(workload)
        expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false })
      }
    })

    test('select their own pods: whoever owns them, every Service, budget and policy', () => {
      const pods = workloadsOf(manifests).map(podOf)
      const selectors = manifests.flatMap(({ kind, metadata, ...rest }) => {
        const spec = rest.spec as {
          selector?: object & { matchLabels?: object }
          podSelector?: { matchLabels?: object }
        }
        if (kind === 'Service') return [{ name: `Service ${metadata.name}`, selector: spec.selector }]
        if (kind === 'NetworkPolicy')
          return [{ name: `policy ${metadata.name}`, selector: spec.podSelector?.matchLabels }]
        if (!['StatefulSet', 'Deployment', 'PodDisruptionBudget'].includes(kind)) return []
        return [{ name: `${kind} ${metadata.name}`, selector: spec.selector?.matchLabels }]
      }) as { name: string; selector: Record<string, string> | undefined }[]

      for (const { name, selector } of selectors) {
        expect([name, pods.filter(({ labels }) => selects(selector, labels)).length]).toEqual([name, 1])
      }
      for (const { labels } of pods) {
        const policies = selectors.filter(
          ({ name, selector }) => name.startsWith('policy') && selects(selector, labels),
        )
        expect(policies).toHaveLength(1)
      }
    })

    test('mount every volume that there is, each whole, and none that there is not', () => {
      for (const workload of workloadsOf(manifests)) {
        const { spec } = podOf(workload)
        const claims = 'volumeClaimTemplates' in (workload.spec ?? {}) ? volumeNamesOf(workload.spec) : []
        const mounts = spec.containers.flatMap(({ volumeMounts }) => volumeMounts ?? [])

        expect(mounts.map(({ name }) => name).sort()).toEqual(
          [...(spec.volumes ?? []).map(({ name }) => name), ...claims].sort(),
        )
        expect(mounts.filter(({ subPath, subPathExpr }) => subPath ?? subPathExpr)).toEqual([])
      }
    })

    test('mount the documents by a name that does not change with them', () => {
      const mounted = brokerOf(manifests).spec.volumes?.flatMap(({ configMap }) => configMap?.name ?? [])
      const maps = manifests.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name)

      expect([mounted, maps]).toEqual([['chancery-federation'], ['chancery-federation']])
    })

    test('let the broker’s account review tokens, and nothing else', () => {
      const ofKind = (wanted: string) => manifests.filter(({ kind }) => kind === wanted)

      expect(ofKind('ClusterRole').map(({ rules }) => rules)).toEqual([
        [{ apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] }],
      ])
      expect(ofKind('ClusterRoleBinding')).toEqual([
        expect.objectContaining({
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'chancery-reviewer' },
          subjects: [{ kind: 'ServiceAccount', name: 'chancery', namespace: 'chancery' }],
        }),
      ])
      expect(ofKind('Role')).toEqual([])
    })

    test('tell Prometheus of the Service and port that have the metrics', () => {
      const [monitor] = manifests.filter(({ kind }) => kind === 'ServiceMonitor')
      const { metadata, spec } = findManifest(manifests, 'Service', 'chancery-pods')

      expect(monitor?.spec).toEqual({
        selector: { matchLabels: { 'app.kubernetes.io/name': metadata?.labels?.['app.kubernetes.io/name'] } },
        endpoints: [{ port: spec?.ports?.[0]?.name, path: '/metrics', interval: '30s' }],
      })
    })

    test('have probes on ports of their container, and say what it needs', () => {
      for (const workload of workloadsOf(manifests)) {
        for (const { ports, resources, ...container } of podOf(workload).spec.containers) {
          const names = ports?.map(({ name }) => name)
          for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
            expect(probe).toBeDefined()
            if (probe?.httpGet !== undefined) expect(names).toContain(probe.httpGet.port)
          }
          expect(resources).toEqual({
            requests: { cpu: expect.anything(), memory: expect.anything() },
            limits: { memory: expect.anything() },
          })
        }
      }
    })

    test('set the broker only by settings that it has', () => {
      const { container } = brokerOf(manifests)
      const files = ['CHANCERY_KEY_ENCRYPTION_KEY_FILE', 'CHANCERY_STORE_PASSWORD_FILE']
      const known = [...SERVE_SETTINGS.map(({ flag }) => variableOf(flag)), ...files]

      expect(container.args).toEqual(['serve'])
      expect(container.env?.map(({ name }) => name).filter((name) => !known.includes(name))).toEqual([])
    })

    test('let the broker be asked for tokens by everybody, for metrics by the monitoring, and let it ask by TLS', () => {
      const { spec } = findManifest(manifests, 'NetworkPolicy', 'chancery')
      const database = path.endsWith('many-replicas') ? [5432] : []

      expect(spec?.policyTypes).toEqual(['Ingress', 'Egress'])
      expect(spec?.ingress).toEqual([
        { ports: [{ port: 'http', protocol: 'TCP' }] },
        {
          from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
          ports: [{ port: 'metrics', protocol: 'TCP' }],
        },
      ])
      expect(spec?.egress?.flatMap(({ ports }) => ports?.map(({ port }) => port))).toEqual([53, 53, 443, ...database])
    })

    test('let the broker ask resolvers for names and nothing else: those of the cluster, of a node, and of GKE', () => {
      const { spec } = findManifest(manifests, 'NetworkPolicy', 'chancery')

      expect(spec?.egress?.filter(({ to }) => to !== undefined)).toEqual([
        {
          to: [
            { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } },
            { ipBlock: { cidr: '169.254.20.10/32' } },
            { ipBlock: { cidr: '169.254.169.254/32' } },
          ],
          ports: [
            { port: 53, protocol: 'UDP' },
            { port: 53, protocol: 'TCP' },
          ],
        },
      ])
    })

    test('keep the metrics apart from the Service that everybody asks', () => {
      const service = (name: string) => findManifest(manifests, 'Service', name).spec

      expect(service('chancery')?.ports?.map(({ targetPort }) => targetPort)).toEqual(['http'])
      expect(service('chancery-pods')).toMatchObject({ clusterIP: 'None', ports: [{ targetPort: 'metrics' }] })
    })
  })
})

describe('the check of fields', () => {
  test('tells a misspelt field, a wrong type and an unknown kind', () => {
    const service = { apiVersion: 'v1', kind: 'Service', spec: { selectors: {}, ports: [{ port: '80' }] } }

    expect(faultsOf(service)).toEqual([
      'Service/spec/selectors: is no field',
      'Service/spec/ports/0/port: is no number',
    ])
    expect(faultsOf({ apiVersion: 'example.com/v1', kind: 'Service' })).toBeUndefined()
  })
})

function volumeNamesOf(spec: object | undefined): readonly string[] {
  const { volumeClaimTemplates } = spec as { volumeClaimTemplates: { metadata: { name: string } }[] }
  return volumeClaimTemplates.map(({ metadata }) => metadata.name)
}
