/** Several clusters behind one verifier: each has its own keys and its own trouble. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { KubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { createAuthority } from '../support/certificates.ts'
import { createClusterBench, pathsSince } from '../support/cluster-bench.ts'
import { POD } from '../support/scene.ts'

const IN_CLUSTER = 'https://kubernetes.default.svc.cluster.local'
const CA = createAuthority('cluster')

const bench = createClusterBench()
const { startCluster, verifierOf } = bench

let one: KubernetesStandIn
let two: KubernetesStandIn
beforeAll(async () => {
  one = await startCluster()
  two = await startCluster()
})
afterEach(() => bench.recover())
afterAll(() => bench.close())

const inline = (cluster: KubernetesStandIn) => ({ from: 'inline', jwks: cluster.jwks })

describe('two clusters', () => {
  test('are told apart by their issuers, and neither’s key signs for the other', async () => {
    const { verify, codeOf } = verifierOf({ one: { issuers: [one.issuer] }, two: { issuers: [two.issuer] } })
    const forOther = await two.sign({ ...two.claimsFor(POD), iss: one.issuer })

    expect((await verify(await one.requestToken(POD))).trustedIssuer).toBe('one')
    expect((await verify(await two.requestToken(POD))).trustedIssuer).toBe('two')
    expect(await codeOf(forOther)).toBe('key_unknown')
  })

  test('with the same kid have different keys all the same', async () => {
    const { verify, codeOf } = verifierOf({ one: { issuers: [one.issuer] }, two: { issuers: [two.issuer] } })
    const kid = one.key.keyId
    two.fail('/openid/v1/jwks', { status: 200, body: { keys: [{ ...two.key.jwk, kid }] } })

    expect((await verify(await two.sign(two.claimsFor(POD), { kid }))).trustedIssuer).toBe('two')
    expect(await codeOf(await two.sign({ ...two.claimsFor(POD), iss: one.issuer }, { kid }))).toBe('signature_invalid')
    expect(await codeOf(await one.sign({ ...one.claimsFor(POD), iss: two.issuer }, { kid }))).toBe('signature_invalid')
  })

  test('do not share an outage', async () => {
    const { verify, codeOf } = verifierOf({ one: { issuers: [one.issuer] }, two: { issuers: [two.issuer] } })
    one.fail('*', 'down')

    expect(await codeOf(await one.requestToken(POD))).toBe('upstream_unreachable')
    expect((await verify(await two.requestToken(POD))).trustedIssuer).toBe('two')
  })

  test('under one name are two issuers of it, each asked for its own keys', async () => {
    const { verify, codeOf } = verifierOf({ both: { issuers: [one.issuer, two.issuer] } })

    expect(await verify(await one.requestToken(POD))).toMatchObject({ trustedIssuer: 'both', issuer: one.issuer })
    expect(await verify(await two.requestToken(POD))).toMatchObject({ trustedIssuer: 'both', issuer: two.issuer })
    expect(await codeOf(await two.sign({ ...two.claimsFor(POD), iss: one.issuer }))).toBe('key_unknown')
  })
})

describe('clusters that share one issuer', () => {
  let east: KubernetesStandIn
  let west: KubernetesStandIn
  beforeAll(async () => {
    east = await startCluster({ issuer: IN_CLUSTER })
    west = await startCluster({ issuer: IN_CLUSTER })
  })

  const both = () =>
    verifierOf({
      east: { issuers: [IN_CLUSTER], keys: inline(east) },
      west: { issuers: [IN_CLUSTER], keys: inline(west) },
    })

  test('are told apart by the key that a proof names, and nobody is asked', async () => {
    const { verify, inspect } = both()
    const before = [east.requests.length, west.requests.length]

    expect((await verify(await east.requestToken(POD))).trustedIssuer).toBe('east')
    expect((await verify(await west.requestToken(POD))).trustedIssuer).toBe('west')
    expect(inspect(await west.requestToken(POD)).trustedIssuer).toBe('west')
    expect([east.requests.length, west.requests.length]).toEqual(before)
  })

  test('refuse a proof that names the key of the other, an unknown one, or none', async () => {
    const { codeOf } = both()
    const signed = (kid: string | undefined): Promise<string> => west.sign(west.claimsFor(POD), { kid })

    expect(await codeOf(await signed(east.key.keyId))).toBe('signature_invalid')
    expect(await codeOf(await signed('unknown'))).toBe('key_unknown')
    expect(await codeOf(await signed(undefined))).toBe('key_unknown')
  })
})

describe('the algorithm of a cluster', () => {
  test.each(['RS256', 'ES256', 'ES384', 'ES512'] as const)('may be %s', async (algorithm) => {
    const cluster = await startCluster({ algorithm })
    const { verify } = verifierOf({ cluster: { issuers: [cluster.issuer] } })

    expect((await verify(await cluster.requestToken(POD))).trustedIssuer).toBe('cluster')
  })
})

describe('where keys come from', () => {
  test('the document: nobody is asked', async () => {
    const { verify } = verifierOf({ one: { issuers: [one.issuer], keys: inline(one) } })
    const before = one.requests.length

    expect((await verify(await one.requestToken(POD))).trustedIssuer).toBe('one')
    expect(one.requests.length).toBe(before)
  })

  test('a URL: nothing else is asked for', async () => {
    const keys = { from: 'url', url: `${one.origin}/openid/v1/jwks` }
    const { verify } = verifierOf({ one: { issuers: [one.issuer], keys } })
    const before = one.requests.length

    expect((await verify(await one.requestToken(POD))).trustedIssuer).toBe('one')
    expect(pathsSince(one, before)).toEqual(['/openid/v1/jwks'])
  })

  test('discovery: the issuer alone is asked', async () => {
    const { verify } = verifierOf({ one: { issuers: [one.issuer] } })
    const before = one.requests.length

    expect((await verify(await one.requestToken(POD))).trustedIssuer).toBe('one')
    expect(pathsSince(one, before)).toEqual(['/.well-known/openid-configuration', '/openid/v1/jwks'])
  })

  test('a private host, with the authority that the document names', async () => {
    const addresses = { 'cluster.example': ['127.0.0.1'] }
    const tls = CA.issue({ hostnames: ['cluster.example'] })
    const secured = await startCluster({ tls, hostname: 'cluster.example' })
    const issuer = { issuers: [secured.issuer], private_hosts: [secured.host], ca_file: 'ca.pem' }
    const options = { addresses, insecureHosts: [], files: { 'ca.pem': CA.cert } }
    const proof = await secured.requestToken(POD)

    expect((await verifierOf({ secured: issuer }, options).verify(proof)).trustedIssuer).toBe('secured')
    expect(await verifierOf({ secured: issuer }, { ...options, files: {} }).codeOf(proof)).toBe('file_unreadable')
    const wrong = { 'ca.pem': createAuthority('cluster').cert }
    expect(await verifierOf({ secured: issuer }, { ...options, files: wrong }).codeOf(proof)).toBe(
      'upstream_unreachable',
    )
  })
})

describe('a document that is loaded again', () => {
  test('costs its issuers no request, unless it changes where keys come from', async () => {
    const first = verifierOf({ one: { issuers: [one.issuer] } })
    await first.verify(await one.requestToken(POD))
    const ports = { memory: first.ports.memory }
    const requestsOf = async (issuers: Readonly<Record<string, object>>): Promise<number> => {
      const before = one.requests.length
      await verifierOf(issuers, { ports, files: { 'ca.pem': CA.cert } }).verify(await one.requestToken(POD))
      return one.requests.length - before
    }

    expect(await requestsOf({ one: { issuers: [one.issuer] } })).toBe(0)
    expect(await requestsOf({ one: { issuers: [two.issuer, one.issuer] } })).toBe(0)
    expect(await requestsOf({ renamed: { issuers: [one.issuer] } })).toBe(2)
    const url = `${one.origin}/openid/v1/jwks`
    expect(await requestsOf({ one: { issuers: [one.issuer], keys: { from: 'url', url } } })).toBe(1)
    expect(await requestsOf({ one: { issuers: [one.issuer], private_hosts: ['a.example'] } })).toBe(2)
    expect(await requestsOf({ one: { issuers: [one.issuer], ca_file: 'ca.pem' } })).toBe(2)
  })
})

describe('a bug on our side', () => {
  const bug = new Error('a bug')
  const broken = () => {
    throw bug
  }

  test('is passed on as it is, so that it is not taken for a refusal', async () => {
    const issuers = { one: { issuers: [one.issuer] } }
    const proof = await one.sign({ ...one.claimsFor(POD), unknown: 1 })

    await expect(verifierOf(issuers, { ports: { now: broken } }).verify(proof)).rejects.toBe(bug)
    expect(() => verifierOf(issuers, { ports: { now: broken } }).inspect(proof)).toThrow(bug)
  })
})
