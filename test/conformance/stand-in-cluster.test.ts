/** The stand-in cluster, driven by the official clients: they take it for a real one. */

import { AuthenticationV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { createAuthority } from '../support/certificates.ts'

const AUDIENCE = 'https://broker.example'
/** The official clients send no credential without TLS. */
const authority = createAuthority('stand-in')
let cluster: KubernetesStandIn
let admin: KubeConfig
let reviewer: KubeConfig

beforeAll(async () => {
  cluster = await startKubernetesStandIn({ hostname: 'localhost', tls: authority.issue({ hostnames: ['localhost'] }) })
  cluster.createServiceAccount('payments', 'api')
  cluster.createPod('payments', 'api-1', 'api')
  admin = configFor(cluster.adminToken)
  reviewer = configFor(cluster.reviewerToken)
})
afterAll(() => cluster.close())

function configFor(token: string): KubeConfig {
  const config = new KubeConfig()
  const caData = Buffer.from(authority.cert).toString('base64')
  config.loadFromClusterAndUser(
    { name: 'stand-in', server: cluster.origin, caData, skipTLSVerify: false },
    { name: 'user', token },
  )
  return config
}

async function requestToken(spec: { audiences: string[]; expirationSeconds?: number; pod?: string }): Promise<string> {
  const { pod, ...rest } = spec
  const boundObjectRef = pod === undefined ? {} : { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: pod } }
  const { status } = await admin.makeApiClient(CoreV1Api).createNamespacedServiceAccountToken({
    name: 'api',
    namespace: 'payments',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { ...rest, ...boundObjectRef } },
  })
  return status?.token ?? ''
}

async function review(token: string, audiences: string[] = [AUDIENCE]) {
  const { status } = await reviewer.makeApiClient(AuthenticationV1Api).createTokenReview({
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences } },
  })
  return status
}

describe('TokenRequest', () => {
  test('gives a bound token with the claims of a current cluster', async () => {
    const token = await requestToken({ audiences: [AUDIENCE], expirationSeconds: 600, pod: 'api-1' })

    expect(decodeProtectedHeader(token)).toEqual({ alg: 'RS256', kid: cluster.key.keyId })
    expect(decodeJwt(token)).toEqual({
      aud: [AUDIENCE],
      exp: expect.any(Number),
      iat: expect.any(Number),
      nbf: expect.any(Number),
      iss: cluster.issuer,
      jti: expect.any(String),
      sub: 'system:serviceaccount:payments:api',
      'kubernetes.io': {
        namespace: 'payments',
        node: { name: 'node-1', uid: expect.any(String) },
        pod: { name: 'api-1', uid: expect.any(String) },
        serviceaccount: { name: 'api', uid: expect.any(String) },
      },
    })
  })

  test('stretches the token that every pod is given for the API, and marks it', async () => {
    const mounted = decodeJwt(
      await requestToken({ audiences: [cluster.issuer], expirationSeconds: 3_607, pod: 'api-1' }),
    )

    expect(Number(mounted.exp) - Number(mounted.iat)).toBe(31_536_000)
    expect(mounted['kubernetes.io']).toHaveProperty('warnafter')
  })

  test('signs with published keys, before and after they are rotated', async () => {
    const keys = () => createLocalJWKSet({ keys: [...cluster.jwks.keys] })
    const before = await requestToken({ audiences: [AUDIENCE] })
    await cluster.rotateKeys()
    const after = await requestToken({ audiences: [AUDIENCE] })

    expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid)
    for (const token of [before, after]) await expect(jwtVerify(token, keys())).resolves.toBeDefined()
  })
})

describe('TokenReview', () => {
  test('stands by a token whose account and pod are there', async () => {
    const status = await review(await requestToken({ audiences: [AUDIENCE], pod: 'api-1' }))

    expect(status).toMatchObject({
      authenticated: true,
      audiences: [AUDIENCE],
      user: { username: 'system:serviceaccount:payments:api' },
    })
    expect(status?.user?.extra?.['authentication.kubernetes.io/pod-name']).toEqual(['api-1'])
  })

  test('says why not, and leaves "authenticated" out', async () => {
    cluster.createPod('payments', 'gone', 'api')
    const ofGonePod = await requestToken({ audiences: [AUDIENCE], pod: 'gone' })
    cluster.deletePod('payments', 'gone')

    const status = await review(ofGonePod)

    expect(status?.error).toBe('service account token has been invalidated')
    expect(status?.authenticated).toBeUndefined()
    expect((await review('garbage'))?.error).toBe('invalid bearer token')
  })

  test('is for those who may ask', async () => {
    const plain = await startKubernetesStandIn()
    const ask = (headers: Record<string, string>) =>
      fetch(`${plain.origin}/apis/authentication.k8s.io/v1/tokenreviews`, { method: 'POST', body: '{}', headers })

    expect((await ask({})).status).toBe(403)
    expect((await ask({ authorization: 'Bearer stolen' })).status).toBe(401)
    expect((await ask({ 'content-type': 'application/vnd.kubernetes.protobuf' })).status).toBe(415)
    await plain.close()
  })
})

test('the key set is given to whoever accepts what it is, as a real API server gives it', async () => {
  const plain = await startKubernetesStandIn()
  const ask = async (accept?: string) =>
    (await fetch(`${plain.origin}/openid/v1/jwks`, accept === undefined ? {} : { headers: { accept } })).status

  expect(await ask('application/json')).toBe(406)
  expect(await ask('application/json, application/jwk-set+json')).toBe(200)
  expect(await ask('application/json;q=0.9, */*;q=0.1')).toBe(200)
  expect(await ask()).toBe(200)
  await plain.close()
})
