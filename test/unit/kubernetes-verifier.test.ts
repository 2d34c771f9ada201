/** The verifier of one cluster: what it makes of a genuine token, and why it refuses every other. */

import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ProofError } from '../../providers/contract/errors.ts'
import type { UnverifiedProof, VerifiedProof } from '../../providers/contract/proof.ts'
import type { ProofVerifier } from '../../providers/contract/provider.ts'
import { KUBERNETES_ATTRIBUTES } from '../../providers/kubernetes/attributes.ts'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import type { TokenWish } from '../../providers/kubernetes/stand-in/tokens.ts'
import { kubernetesVerifier } from '../../providers/kubernetes/verifier.ts'
import { createTestClock } from '../support/clock.ts'
import { BROKER } from '../support/document.ts'
import { createTestPorts, type TestPorts } from '../support/provider-ports.ts'
import { encodePart } from '../support/raw-jws.ts'
import { rejection } from '../support/rejection.ts'

const JWT = 'urn:ietf:params:oauth:token-type:jwt'
const NEVER = new AbortController().signal
const POD: TokenWish = { namespace: 'payments', serviceAccount: 'api', pod: 'api-1', audiences: [BROKER] }
const DAY = 86_400

const clock = createTestClock()
let cluster: KubernetesStandIn
let ports: TestPorts
let verifier: ProofVerifier

beforeAll(async () => {
  cluster = await startKubernetesStandIn({ now: clock.now, algorithm: 'ES256' })
  cluster.createServiceAccount('payments', 'api')
  cluster.createPod('payments', 'api-1', 'api')
  ports = createTestPorts({ clock, insecureHosts: [cluster.host] })
  const context = { insecureHosts: ports.egress.insecureHosts, proofAudiences: [BROKER] }
  const settings = kubernetesVerifier.parseSettings({ issuers: [cluster.issuer] }, context)
  verifier = kubernetesVerifier.createVerifier([{ name: 'cluster', proofAudiences: [BROKER], settings }], ports)
})
afterAll(() => cluster.close())

const verify = (proof: string): Promise<VerifiedProof> => verifier.verify(proof as UnverifiedProof, {}, NEVER)
const inspected = (proof: string) => verifier.inspect(proof as UnverifiedProof)
const recognises = (proof: string, type = JWT): boolean => verifier.recognises(proof as UnverifiedProof, type)
const forge = (claims: object, header?: Readonly<Record<string, unknown>>): Promise<string> =>
  cluster.sign(JSON.parse(JSON.stringify({ ...cluster.claimsFor(POD), ...claims })) as Record<string, unknown>, header)
const refusalOf = async (claims: object, header?: Readonly<Record<string, unknown>>): Promise<ProofError> =>
  rejection(verify(await forge(claims, header)))

describe('a genuine token', () => {
  test('is verified for all that it says', async () => {
    const proof = await cluster.requestToken(POD)
    const { pod, account } = {
      pod: cluster.pod('payments', 'api-1'),
      account: cluster.serviceAccount('payments', 'api'),
    }
    const { jti } = JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString()) as { jti: string }

    const verified = await verify(proof)

    expect({ ...verified, attributes: Object.fromEntries(verified.attributes) }).toEqual({
      provider: 'kubernetes',
      trustedIssuer: 'cluster',
      issuer: cluster.issuer,
      subject: 'system:serviceaccount:payments:api',
      instance: 'api-1',
      audience: BROKER,
      issuedAt: clock.now(),
      expiresAt: clock.now() + 3_600,
      replay: { key: JSON.stringify(['kubernetes', cluster.issuer, jti]), singleUse: false },
      live: false,
      attributes: {
        'kubernetes.namespace': 'payments',
        'kubernetes.service_account': 'api',
        'kubernetes.service_account_uid': account?.uid,
        'kubernetes.pod_name': 'api-1',
        'kubernetes.pod_uid': pod?.uid,
        'kubernetes.node_name': pod?.node.name,
        'kubernetes.node_uid': pod?.node.uid,
      },
    })
  })

  test('of no pod has no instance', async () => {
    const verified = await verify(await cluster.requestToken({ ...POD, pod: undefined }))

    expect(verified.instance).toBeUndefined()
    expect(verified.attributes.has('kubernetes.pod_name')).toBe(false)
  })

  test('without an id goes by what was signed, not by how its signature is spelled', async () => {
    const proof = await forge({ jti: undefined })
    const input = proof.slice(0, proof.lastIndexOf('.'))
    const twin = `${input}.${otherSignature(proof.slice(input.length + 1))}`

    const { key } = (await verify(proof)).replay

    expect(twin).not.toBe(proof)
    expect((await verify(twin)).replay.key).toBe(key)
    expect(key).toBe(
      JSON.stringify(['kubernetes', cluster.issuer, createHash('sha256').update(input).digest('base64url')]),
    )
  })

  /** The other signature of the same text: s and n - s both hold. */
  function otherSignature(signature: string): string {
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
    const bytes = Buffer.from(signature, 'base64url')
    const s = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`)
    return Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]).toString(
      'base64url',
    )
  }

  test('may live for a day, and not a second longer', async () => {
    const [iat, exp] = [clock.now(), clock.now() + DAY]

    expect((await verify(await forge({ iat, exp }))).expiresAt).toBe(exp)
    expect((await refusalOf({ iat, exp: exp + 1 })).code).toBe('proof_lifetime_too_long')
  })

  test('ends when it ends, as it may come again', async () => {
    expect((await verify(await forge({ iat: clock.now() - 600, exp: clock.now() + 1 }))).issuedAt).toBe(
      clock.now() - 600,
    )
    expect((await refusalOf({ iat: clock.now() - 600, exp: clock.now() })).code).toBe('proof_expired')
  })

  test('has its unknown claims counted, and not its known ones', async () => {
    ports.events.length = 0
    await verify(await cluster.requestToken(POD))
    expect(ports.events.filter(({ kind }) => kind === 'unknown_claims')).toEqual([])

    await verify(await forge({ one: 1 }))
    expect(ports.events).toContainEqual({ kind: 'unknown_claims', trustedIssuer: 'cluster', count: 1 })
    await verify(await forge({ one: 1, two: 2 }))

    expect(ports.events).toContainEqual({ kind: 'unknown_claims', trustedIssuer: 'cluster', count: 2 })
  })
})

describe('a token that is not', () => {
  test.each([
    ['for another audience', { aud: ['vault'] }, 'audience_mismatch'],
    ['for two audiences', { aud: [BROKER, 'vault'] }, 'audience_not_single'],
    ['of this kind, but a browser’s', { nonce: 'x' }, 'claim_forbidden'],
    ['bound to the API', { 'kubernetes.io': { namespace: 'payments', warnafter: 1 } }, 'claim_forbidden'],
    ['about an account', { 'kubernetes.io': undefined }, 'claim_missing'],
    ['about the account of its subject', { sub: 'system:serviceaccount:other:api' }, 'claims_inconsistent'],
    ['identified', { jti: '' }, 'claim_invalid'],
  ])('%s is refused, and its issuer told', async (_, claims, code) => {
    expect(await refusalOf(claims)).toMatchObject({
      code,
      origin: { trustedIssuer: 'cluster', issuer: cluster.issuer },
    })
  })

  test('signed by a key of this cluster is refused, and its issuer told', async () => {
    const proof = await cluster.requestToken(POD)
    const other = await forge({ jti: 'other' })
    const mixed = [...proof.split('.').slice(0, 2), other.split('.')[2]].join('.')

    const origin = { trustedIssuer: 'cluster', issuer: cluster.issuer }
    expect(await rejection(verify(mixed))).toMatchObject({ code: 'signature_invalid', origin })
    expect(await refusalOf({}, { kid: 'unknown' })).toMatchObject({ code: 'key_unknown', origin })
    expect(await refusalOf({}, { kid: undefined })).toMatchObject({ code: 'key_id_missing', origin })
  })

  test('of this issuer, to the letter, is refused, and nobody’s told', async () => {
    const { issuer } = cluster
    const near = [
      `${issuer}/`,
      issuer.slice(0, -1),
      issuer.toUpperCase(),
      ` ${issuer}`,
      `${issuer}?`,
      issuer.replace('http', 'https'),
      '',
    ]

    for (const iss of near) {
      const error = await refusalOf({ iss })
      expect([error.code, error.origin]).toEqual(['issuer_not_trusted', undefined])
    }
  })

  test('readable at all is refused, and nobody’s told', async () => {
    for (const text of ['', 'x', '..', await forge({}, { jku: 'https://attacker.example' })]) {
      expect((await rejection(verify(text))).origin).toBeUndefined()
    }
  })

  test('to be taken tells nothing of itself in its error', async () => {
    const proof = await forge({ aud: 'vault', secret: 'hunter2-hunter2' })

    const shown = inspect(await rejection(verify(proof)), { depth: null, showHidden: true })

    for (const part of [...proof.split('.'), 'hunter2']) expect(shown).not.toContain(part)
  })
})

describe('recognising', () => {
  test('takes a proof by its exact issuer and the type of a JWT', async () => {
    const proof = await cluster.requestToken(POD)
    const types = ['jwt', 'id_token', 'access_token', 'saml2', 'refresh_token', 'JWT', ''].map(
      (type) => `urn:ietf:params:oauth:token-type:${type}`,
    )

    expect(types.map((type) => recognises(proof, type))).toEqual([true, true, true, false, false, false, false])
    expect(recognises(await forge({ iss: `${cluster.issuer}/` }))).toBe(false)
    expect(recognises(await forge({ iss: undefined }))).toBe(false)
    expect(recognises('x')).toBe(false)
    expect(kubernetesVerifier.subjectTokenTypes).toEqual(types.slice(0, 3))
  })
})

describe('inspecting', () => {
  test('tells what a proof says, without its signature and without asking anybody', async () => {
    const proof = await cluster.requestToken(POD)
    const before = cluster.requests.length

    const result = inspected(`${proof.slice(0, proof.lastIndexOf('.'))}.AAAA`)

    expect(result).toMatchObject({ trustedIssuer: 'cluster', trouble: undefined })
    expect(result.facts).toEqual({ issuer: cluster.issuer, subject: 'system:serviceaccount:payments:api' })
    expect(result.attributes).toEqual((await verify(proof)).attributes)
    expect(cluster.requests.length).toBe(before)
  })

  test('tells what would stop it, with as much as could be read before', async () => {
    const expired = inspected(await forge({ iat: clock.now() - 600, exp: clock.now() - 100 }))
    const foreign = inspected(await forge({ aud: 'vault' }))
    const nameless = inspected(await forge({ 'kubernetes.io': undefined }))
    const stranger = inspected(await forge({ iss: 'https://stranger.example' }))

    expect(expired).toMatchObject({
      trustedIssuer: 'cluster',
      trouble: { code: 'proof_expired' },
      facts: { expired_seconds_ago: 100 },
    })
    expect(expired.attributes.get('kubernetes.namespace')).toBe('payments')
    expect(foreign).toMatchObject({
      trouble: { code: 'audience_mismatch' },
      facts: { audience: 'vault', issuer: cluster.issuer },
    })
    expect(nameless).toMatchObject({ trustedIssuer: 'cluster', trouble: { code: 'claim_missing' } })
    expect(nameless.attributes.size).toBe(0)
    expect(stranger).toMatchObject({ trustedIssuer: undefined, trouble: { code: 'issuer_not_trusted' } })
  })

  test('never throws', () => {
    const property = fc.property(
      fc.oneof(
        fc.string(),
        fc.jsonValue().map((value) => `e30.${encodePart(JSON.stringify(value))}.AA`),
      ),
      (text) => {
        expect(inspected(text).trouble).toBeInstanceOf(ProofError)
      },
    )

    fc.assert(property, { numRuns: 300 })
  })
})

test('whatever a cluster signs, what is verified is within the catalogue, and what is not is refused', async () => {
  const value = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('payments', 'api', 'a-1') },
    { weight: 1, arbitrary: fc.oneof(fc.constantFrom('a.b', 'A_', '', ':'), fc.jsonValue({ maxDepth: 1 })) },
  )
  const reference = fc.record({ name: value, uid: value })
  const workload = fc.record(
    { namespace: value, serviceaccount: reference, pod: reference, node: reference },
    { requiredKeys: ['namespace', 'serviceaccount'] },
  )
  const codes = new Set<string>()
  const property = fc.asyncProperty(workload, async (kubernetes) => {
    const { namespace, serviceaccount } = kubernetes
    const names = [namespace, serviceaccount.name].map((name) => (typeof name === 'string' ? name : ''))
    const proof = await forge({ sub: `system:serviceaccount:${names.join(':')}`, 'kubernetes.io': kubernetes })

    const outcome = await verify(proof).catch((error: unknown) => error)

    codes.add(outcome instanceof ProofError ? outcome.code : 'verified')
    if (outcome instanceof ProofError) return
    for (const [name, text] of (outcome as VerifiedProof).attributes) {
      expect(KUBERNETES_ATTRIBUTES.get(name)?.isValue(text)).toBe(true)
    }
  })

  await fc.assert(property, { numRuns: 300 })
  expect(codes).toContain('verified')
  expect(codes).toContain('claim_invalid')
})
