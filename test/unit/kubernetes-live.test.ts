/** Clusters that are asked about each token: when they are, with what, and what becomes of a proof where they cannot be. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { KubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { createAuthority } from '../support/certificates.ts'
import { createClusterBench, pathsSince } from '../support/cluster-bench.ts'
import { POD } from '../support/scene.ts'

const REVIEW = '/apis/authentication.k8s.io/v1/tokenreviews'
const CA = createAuthority('cluster')

const bench = createClusterBench()
const { clock, startCluster, verifierOf } = bench

let one: KubernetesStandIn
let two: KubernetesStandIn
beforeAll(async () => {
  one = await startCluster()
  two = await startCluster()
})
afterEach(() => bench.recover())
afterAll(() => bench.close())

const inline = (cluster: KubernetesStandIn) => ({ from: 'inline', jwks: cluster.jwks })

describe('a cluster that is asked about each token', () => {
  const reviewed = (token_file = 'reviewer') => ({
    one: { issuers: [one.issuer], token_review: { api_server: `${one.origin}/`, token_file } },
    two: { issuers: [two.issuer] },
  })
  const options = () => ({ files: { reviewer: `${one.reviewerToken}\n`, stranger: 'x' } })

  test('stands by it, and the proof is live; the other cluster is not asked', async () => {
    const { verify } = verifierOf(reviewed(), options())
    const before = [one.requests.length, two.requests.length] as const

    expect((await verify(await one.requestToken(POD))).live).toBe(true)
    expect((await verify(await two.requestToken(POD))).live).toBe(false)
    expect(pathsSince(one, before[0])).toContain(REVIEW)
    expect(pathsSince(two, before[1])).not.toContain(REVIEW)
  })

  test('refuses it when its pod is gone', async () => {
    const { codeOf } = verifierOf(reviewed(), options())
    const proof = await one.requestToken(POD)
    one.deletePod('payments', 'api-1')

    expect(await codeOf(proof)).toBe('subject_not_live')
    one.createPod('payments', 'api-1', 'api')
  })

  test('is asked only about what would be taken otherwise', async () => {
    const { codeOf } = verifierOf(reviewed(), options())
    const forged = [{ aud: 'vault' }, { exp: clock.now() }, { sub: 'x' }, { 'kubernetes.io': { namespace: 'A' } }]
    const before = one.requests.length

    for (const claims of forged) await codeOf(await one.sign({ ...one.claimsFor(POD), ...claims }))
    await codeOf(await two.sign({ ...two.claimsFor(POD), iss: one.issuer }, { kid: one.key.keyId }))

    expect(pathsSince(one, before)).not.toContain(REVIEW)
  })

  test('is not asked again about a token because the document was loaded again', async () => {
    const first = verifierOf(reviewed(), options())
    const proof = await one.requestToken(POD)
    await first.verify(proof)
    const before = one.requests.length

    expect(
      (await verifierOf(reviewed(), { ...options(), ports: { memory: first.ports.memory } }).verify(proof)).live,
    ).toBe(true)
    expect(one.requests.length).toBe(before)
    const other = { ports: { memory: first.ports.memory }, files: { other: one.reviewerToken } }
    expect((await verifierOf(reviewed('other'), other).verify(proof)).live).toBe(true)
    expect(pathsSince(one, before)).toEqual([REVIEW])
  })

  test('gives no token where it cannot be asked', async () => {
    const proof = await one.requestToken(POD)

    expect(await verifierOf(reviewed('gone'), options()).codeOf(proof)).toBe('file_unreadable')
    expect(await verifierOf(reviewed('stranger'), options()).codeOf(proof)).toBe('upstream_status')
    one.fail(REVIEW, 'down')
    expect(await verifierOf(reviewed(), options()).codeOf(proof)).toBe('upstream_unreachable')
  })
})

describe('an API server on a private network', () => {
  const NAME = 'api.corp.example'
  let secured: KubernetesStandIn
  beforeAll(async () => {
    const tls = CA.issue({ hostnames: [NAME] })
    secured = await startCluster({ tls, hostname: NAME, issuer: 'https://issuer.example' })
  })

  const STRANGER = createAuthority('cluster').cert
  const outcomeOf = async (
    issuer: object,
    files: Readonly<Record<string, string>>,
    review: object,
  ): Promise<string> => {
    const token_review = { api_server: secured.origin, token_file: 'reviewer', ...review }
    const settings = { issuers: [secured.issuer], keys: inline(secured), token_review, ...issuer }
    const way = {
      insecureHosts: [],
      addresses: { [NAME]: ['127.0.0.1'] },
      files: { reviewer: secured.reviewerToken, ...files },
    }
    const { verify, codeOf } = verifierOf({ secured: settings }, way)
    const proof = await secured.requestToken(POD)
    return await verify(proof).then(
      ({ live }) => (live ? 'live' : 'not live'),
      () => codeOf(proof),
    )
  }

  test('is asked under the authority that comes with it, whatever the issuer’s own', async () => {
    const review = { ca_file: 'api.pem' }

    expect(await outcomeOf({}, { 'api.pem': CA.cert }, review)).toBe('live')
    expect(await outcomeOf({ ca_file: 'ca.pem' }, { 'api.pem': CA.cert, 'ca.pem': STRANGER }, review)).toBe('live')
    expect(await outcomeOf({ ca_file: 'ca.pem' }, { 'api.pem': STRANGER, 'ca.pem': CA.cert }, review)).toBe(
      'upstream_unreachable',
    )
  })

  test('is asked under the issuer’s authority where none comes with it', async () => {
    const issuer = { private_hosts: [secured.host], ca_file: 'ca.pem' }

    expect(await outcomeOf(issuer, { 'ca.pem': CA.cert }, {})).toBe('live')
    expect(await outcomeOf(issuer, { 'ca.pem': STRANGER }, {})).toBe('upstream_unreachable')
  })

  test('is not asked where nobody said that it is private', async () => {
    const review = { api_server: `https://${NAME}` }

    expect(await outcomeOf({ ca_file: 'ca.pem' }, { 'ca.pem': CA.cert }, review)).toBe('upstream_address_refused')
  })
})
