/**
 * A real API server: it takes our manifests, its tokens are proofs, and our tokens are taken by it.
 *
 * Runs where `kube-apiserver`, `etcd` and `kubectl` are on the PATH, as `setup-envtest` brings them.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type ApiServer, startApiServer } from '../support/api-server.ts'
import { createAuthority } from '../support/certificates.ts'
import { snippetOf } from '../support/credential-page.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { hasTool } from '../support/found-tool.ts'
import { type Manifest, podOf, renderManifests, workloadsOf } from '../support/manifests.ts'
import { type Finished, findFreePort, type Running, runChancery, startChancery } from '../support/process.ts'
import { runWithInput } from '../support/run-with-input.ts'

const OVERLAYS = ['base', 'overlays/eks', 'overlays/gke', 'overlays/aks', 'overlays/many-replicas']

/** Kinds that an operator or a cloud's controller brings, and that a bare API server does not have. */
const SOMEBODY_ELSES = ['Gateway', 'GCPBackendPolicy', 'HealthCheckPolicy', 'HTTPRoute', 'ServiceMonitor']

const REVIEWER = ['system:serviceaccount:chancery:chancery', 'create', 'tokenreviews.authentication.k8s.io']

/** What the page of the provider tells an administrator to grant, so that the keys can be found. */
const DISCOVERY = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'issuer-discovery' },
  roleRef: {
    apiGroup: 'rbac.authorization.k8s.io',
    kind: 'ClusterRole',
    name: 'system:service-account-issuer-discovery',
  },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:unauthenticated' }],
}

const CONTAINER = {
  name: 'api',
  image: 'registry.corp.example/api:1',
  securityContext: { allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ['ALL'] } },
}

const tools = ['kube-apiserver', 'etcd', 'kubectl'].every((tool) => hasTool(tool, 'a real API server'))

describe.skipIf(!tools)('a real API server', () => {
  let directory: string
  let cluster: ApiServer
  let broker: Running
  let issuer: string
  const at = (name: string): string => join(directory, name)

  /** Gives a token of the pod's account, bound to the pod, for the broker: what the kubelet would put into the pod's volume. */
  const projectToken = async (pod: string): Promise<string> =>
    await cluster.kubectl([
      ...['create', 'token', 'api', '--namespace', 'payments', '--audience', issuer],
      ...['--bound-object-kind', 'Pod', '--bound-object-name', pod, '--duration', '1h'],
    ])
  const createPod = async (name: string): Promise<void> => {
    const metadata = { name, namespace: 'payments' }
    const spec = { serviceAccountName: 'api', containers: [CONTAINER] }
    await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata, spec })
  }
  const exchange = async (token: string, audience: string): Promise<Finished> => {
    writeFileSync(at('proof'), token)
    const args = ['token', '--broker', issuer, '--audience', audience, '--proof-file', at('proof')]
    return await runChancery(args, { NODE_EXTRA_CA_CERTS: at('broker-authority.pem') })
  }

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'chancery-cluster-'))
    const [port = 0, brokerPort = 0, client = 0, peer = 0] = await Promise.all([1, 2, 3, 4].map(findFreePort))
    issuer = `https://127.0.0.1:${brokerPort}`
    const authority = createAuthority('broker')
    const certificate = authority.issue({ hostnames: ['127.0.0.1'] })
    const jwt = {
      issuer: { url: issuer, audiences: ['prod'], certificateAuthority: authority.cert },
      claimMappings: { username: { claim: 'sub', prefix: '' } },
    }
    cluster = await startApiServer({
      directory,
      port,
      storePorts: [client, peer],
      authentication: {
        apiVersion: 'apiserver.config.k8s.io/v1',
        kind: 'AuthenticationConfiguration',
        jwt: [jwt],
        anonymous: { enabled: true },
      },
    })
    for (const name of ['chancery', 'payments']) await cluster.apply(namespace(name))
    // What the controller manager of a cluster makes in every namespace.
    await cluster.apply(account('chancery', 'default'))
    await cluster.apply(account('payments', 'api'))
    const base = renderManifests('base').filter(({ kind }) => /^(ServiceAccount|ClusterRole|Cluster)/.test(kind))
    for (const manifest of [DISCOVERY, ...base]) await cluster.apply(manifest)
    const review = ['create', 'token', 'chancery', '--namespace', 'chancery']
    const files = {
      'broker-authority.pem': authority.cert,
      'broker.pem': certificate.cert,
      'broker.key': certificate.key,
      'reviewer-token': await cluster.kubectl(review),
      'federation.json': JSON.stringify(documentOf(cluster, issuer)),
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text, { mode: 0o600 })
    broker = startChancery([
      ...['serve', '--issuer', issuer, '--listen', `127.0.0.1:${brokerPort}`, '--metrics-listen', '127.0.0.1:0'],
      ...['--tls-cert', at('broker.pem'), '--tls-key', at('broker.key'), '--federation', at('federation.json')],
      ...['--secrets-dir', directory, '--store', `sqlite:${at('store.db')}`, '--insecure-host', `127.0.0.1:${port}`],
    ])
    await vi.waitFor(() => expect(broker.err()).toContain('"msg":"ready"'), { timeout: 20_000 })
  }, 120_000)
  afterAll(async () => {
    broker?.child.kill('SIGKILL')
    await cluster?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  test.each(OVERLAYS)('takes every object of %s, and has nothing to warn of', async (path) => {
    for (const manifest of renderManifests(path)) {
      if (SOMEBODY_ELSES.includes(manifest.kind)) continue
      const dryRun = ['apply', '--dry-run=server', '--validate=strict', '-f', '-']
      const { code, err } = await cluster.tryKubectl(dryRun, JSON.stringify(manifest))

      expect({ code, err }, `${manifest.kind} ${manifest.metadata.name}`).toEqual({ code: 0, err: '' })
    }
  })

  test.each(OVERLAYS)('admits the pods of %s where only restricted ones are', async (path) => {
    for (const manifest of renderManifests(path)) if (manifest.kind === 'Namespace') await cluster.apply(manifest)

    for (const pod of podsOf(renderManifests(path))) {
      const { code, err } = await cluster.tryKubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(pod))
      expect({ code, err }).toEqual({ code: 0, err: '' })
    }
  })

  test('lets the broker’s account review tokens, and do nothing else', async () => {
    const [account = '', verb = '', resource = ''] = REVIEWER
    const can = async (...what: readonly string[]) =>
      (await cluster.tryKubectl(['auth', 'can-i', ...what, '--as', account])).out.trim()

    expect(await can(verb, resource)).toBe('yes')
    for (const what of ['get secrets', 'create serviceaccounts/token', 'create subjectaccessreviews', 'list pods']) {
      expect(await can(...what.split(' '), '--all-namespaces'), what).toBe('no')
    }
  })

  test('signs a pod’s proof, which the broker takes while the pod is there, and says that it asked', async () => {
    await createPod('api-1')
    const proof = await projectToken('api-1')
    const { code, out, err } = await exchange(proof, 'ledger')

    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(decodeJwt(out.trim())).toMatchObject({
      sub: 'spiffe://corp.example/payments/api',
      proof: { provider: 'kubernetes', subject: 'system:serviceaccount:payments:api', instance: 'api-1', live: true },
    })
    await cluster.kubectl(['delete', 'pod', 'api-1', '--namespace', 'payments', '--now'])
    // An answer is believed for ten seconds here, and about as long by the API server itself.
    await vi.waitFor(async () => expect(await exchange(proof, 'ledger')).toMatchObject({ code: 1, out: '' }), {
      timeout: 29_000,
      interval: 1_000,
    })
  }, 45_000)

  test('takes our token from kubectl’s plugin, for who it is and nobody else', async () => {
    await createPod('api-2')
    writeFileSync(at('proof'), await projectToken('api-2'))
    const kubeconfig = snippetOf('kubectl', 'yaml', {
      '--server=https://prod.kubernetes.corp.example:6443': `--server=${cluster.origin}`,
      'server: https://prod.kubernetes.corp.example:6443': `server: ${cluster.origin}`,
      'authority.pem': cluster.authorityFile,
      'https://broker.corp.example': issuer,
      'command: chancery': `command: ${new URL('../../src/launch.mjs', import.meta.url).pathname}`,
    })
    writeFileSync(at('kubeconfig'), kubeconfig)
    const env = {
      PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
      CHANCERY_PROOF_FILE: at('proof'),
      NODE_EXTRA_CA_CERTS: at('broker-authority.pem'),
    }
    const asWorkload = (...args: readonly string[]) =>
      runWithInput(['kubectl', '--kubeconfig', at('kubeconfig'), ...args], { env })
    // The API server looks for a new issuer's keys by itself, every few seconds.
    const whoami = await vi.waitFor(
      async () => {
        const said = await asWorkload('auth', 'whoami', '--output', 'jsonpath={.status.userInfo.username}')
        expect(said.code, said.err).toBe(0)
        return said.out
      },
      { timeout: 29_000, interval: 500 },
    )

    expect(whoami).toBe('spiffe://corp.example/payments/api')
    expect((await asWorkload('get', 'secrets')).err).toContain('Forbidden')
    expect(readFileSync(at('kubeconfig'), 'utf8')).not.toContain('eyJ')
  }, 45_000)
})

function namespace(name: string): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

function account(of: string, name: string): object {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: of } }
}

function documentOf(cluster: ApiServer, issuer: string): object {
  const host = new URL(cluster.origin).host
  const review = { api_server: cluster.origin, token_file: 'reviewer-token', ca_file: 'authority.pem' }
  return documentFor(cluster.origin, {
    proof_audiences: [issuer],
    trusted_issuers: {
      cluster: {
        provider: 'kubernetes',
        issuers: [cluster.origin],
        private_hosts: [host],
        ca_file: 'authority.pem',
        token_review: review,
      },
    },
    audiences: { ledger: {}, prod: {} },
    identities: { 'payments/api': { grants: { ledger: [], prod: [] } } },
    bindings: { 'payments-api': bindingFor('payments', 'api', 'payments/api') },
  })
}

/** Gives a pod of each workload, as its controller would make it. */
function podsOf(manifests: readonly Manifest[]): readonly object[] {
  return workloadsOf(manifests).map((workload) => {
    const { labels, spec } = podOf(workload)
    const claims = 'volumeClaimTemplates' in (workload.spec ?? {}) ? ['store', 'data'] : []
    const volumes = claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }))
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${workload.metadata?.name}-0`, namespace: 'chancery', labels },
      spec: Object.assign({}, spec, { volumes: [...(spec.volumes ?? []), ...volumes] }),
    }
  })
}
