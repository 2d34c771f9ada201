/** `chancery credential kubectl`, started by kubectl and by Node's client library, before an API server over TLS. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KubeConfig, VersionApi } from '@kubernetes/client-node'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type AskingServer, bearerOf, startAskingServer } from '../support/asking-server.ts'
import { snippetOf } from '../support/credential-page.ts'
import { type CredentialScene, openCredentialScene } from '../support/credential-scene.ts'
import { hasTool } from '../support/found-tool.ts'

const V1 = 'client.authentication.k8s.io/v1'

let scene: CredentialScene
let server: AskingServer
beforeAll(async () => {
  scene = await openCredentialScene()
  server = await startAskingServer(scene.directory, () => ({ status: 200, body: { major: '1', minor: '34' } }))
})
afterAll(async () => {
  await server.close()
  await scene.close()
})

/** Writes the page's kubeconfig, for the server of this test unless the plugin is to know another. */
function writeKubeconfig({ apiVersion = V1, onlyServer = server.origin } = {}): string {
  const path = join(scene.directory, 'kubeconfig')
  const text = snippetOf('kubectl', 'yaml', {
    '--server=https://prod.kubernetes.corp.example:6443': `--server=${onlyServer}`,
    'server: https://prod.kubernetes.corp.example:6443': `server: ${server.origin}`,
    'https://broker.corp.example': scene.broker.origin,
    '--audience=prod': '--audience=ledger',
    [V1]: apiVersion,
  })
  writeFileSync(path, text)
  return path
}

const kubectl = hasTool('kubectl', 'credentials for kubectl')

test.skipIf(!kubectl)('kubectl brings a token of the audience to the API server', async () => {
  for (const apiVersion of [V1, `${V1}beta1`]) {
    const { code, out } = await scene.run([
      'kubectl',
      '--kubeconfig',
      writeKubeconfig({ apiVersion }),
      'get',
      '--raw',
      '/version',
    ])

    expect({ code, out: JSON.parse(out) as unknown }).toEqual({ code: 0, out: { major: '1', minor: '34' } })
    expect(decodeJwt(bearerOf(server.authorizations.at(-1)))).toMatchObject({
      aud: 'ledger',
      client_id: 'payments/api',
    })
  }
})

test.skipIf(!kubectl)('kubectl gets a token for the one API server that was named, and for no other', async () => {
  const before = server.requests.length
  const get = async (onlyServer: string) =>
    await scene.run(['kubectl', '--kubeconfig', writeKubeconfig({ onlyServer }), 'get', '--raw', '/version'])

  const other = await get('https://prod.kubernetes.corp.example')
  expect(other.code).not.toBe(0)
  expect(other.err).toContain(
    'only the API server https://prod.kubernetes.corp.example gets a token, and another one asks',
  )
  expect(server.requests.length).toBe(before)
  expect((await get(server.origin)).code).toBe(0)
})

test('Node’s client library gets a token by the same file, but for --server, which it cannot answer for', async () => {
  for (const [name, value] of Object.entries(scene.environment())) vi.stubEnv(name, value)
  const get = async () => {
    const config = new KubeConfig()
    config.loadFromFile(path)
    return (await config.makeApiClient(VersionApi).getCode()).minor
  }
  const path = writeKubeconfig()

  await expect(get()).rejects.toThrow('leave --server out')
  writeFileSync(path, readFileSync(path, 'utf8').replace(`, --server=${server.origin}`, ''))
  expect(await get()).toBe('34')
  expect(decodeJwt(bearerOf(server.authorizations.at(-1)))).toMatchObject({ aud: 'ledger' })
})

test('tells when the token ends, in the version that was asked for', async () => {
  const info = JSON.stringify({ apiVersion: `${V1}beta1`, kind: 'ExecCredential', spec: { interactive: false } })

  const { code, out } = await scene.run(['chancery', 'credential', 'kubectl', '--audience', 'ledger'], {
    env: { KUBERNETES_EXEC_INFO: info },
  })

  const answer = JSON.parse(out) as {
    apiVersion: string
    kind: string
    status: { token: string; expirationTimestamp: string }
  }
  expect({ code, ...answer }).toMatchObject({ code: 0, apiVersion: `${V1}beta1`, kind: 'ExecCredential' })
  expect(Object.keys(answer.status)).toEqual(['token', 'expirationTimestamp'])
  const { exp = 0 } = decodeJwt(answer.status.token)
  expect(Math.abs(Date.parse(answer.status.expirationTimestamp) / 1_000 - exp)).toBeLessThanOrEqual(5)
})
