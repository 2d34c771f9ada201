/** Keys of one issuer and tokens of another, under one key id. */

import { expect, onTestFinished, test } from 'vitest'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { startTestBroker, type TestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { POD } from '../support/scene.ts'

/** What AWS calls its first key in every account. */
const SHARED_KEY_ID = 'RSA_0'

/** Two clusters with the same pod in each, and keys of their own. */
interface Pair {
  readonly one: KubernetesStandIn
  readonly other: KubernetesStandIn
  start(trustedIssuers: Readonly<Record<string, object>>): Promise<TestBroker>
}

async function openPair(issuer?: string): Promise<Pair> {
  const clock = createTestClock()
  const startCluster = async (): Promise<KubernetesStandIn> => {
    const cluster = await startKubernetesStandIn({
      now: clock.now,
      algorithm: 'ES256',
      ...(issuer === undefined ? {} : { issuer }),
    })
    onTestFinished(() => cluster.close())
    cluster.createServiceAccount('payments', 'api')
    cluster.createPod('payments', 'api-1', 'api')
    return cluster
  }
  const [one, other] = await Promise.all([startCluster(), startCluster()])
  return {
    one,
    other,
    async start(trustedIssuers) {
      const document = documentOf(trustedIssuers)
      const broker = await startTestBroker({ clock, document, insecureHosts: [one.host, other.host] })
      onTestFinished(() => broker.stop())
      return broker
    },
  }
}

/** Each trusted issuer's `payments/api` is the identity `NAME/api`. */
function documentOf(trustedIssuers: Readonly<Record<string, object>>): object {
  const names = Object.keys(trustedIssuers)
  return documentFor('', {
    trusted_issuers: trustedIssuers,
    identities: Object.fromEntries(names.map((name) => [`${name}/api`, { grants: { ledger: ['entries:read'] } }])),
    bindings: Object.fromEntries(
      names.map((name) => [name, { ...bindingFor('payments', 'api', `${name}/api`), trusted_issuer: name }]),
    ),
  })
}

function discovered(...issuers: readonly string[]): object {
  return { provider: 'kubernetes', issuers }
}

function inline(issuer: string, ...keys: readonly object[]): object {
  return { provider: 'kubernetes', issuers: [issuer], keys: { from: 'inline', jwks: { keys } } }
}

function publishUnder(cluster: KubernetesStandIn, keyId: string): void {
  const body = { keys: [{ ...cluster.key.jwk, kid: keyId }] }
  cluster.fail('/openid/v1/jwks', { status: 200, body })
}

/** A token that says it is of one cluster, signed by another. */
function signedBy(signer: KubernetesStandIn, claimant: KubernetesStandIn, keyId: string): Promise<string> {
  return signer.sign(claimant.claimsFor(POD), { kid: keyId })
}

async function expectIdentity(broker: TestBroker, proof: string, identity: string): Promise<void> {
  const { record } = expectIssued(broker, await broker.exchange(proof))
  expect(record?.identity).toBe(identity)
}

test.each([
  ['before either key was fetched', false],
  ['after both were', true],
])('JWK-05 keeps the keys of two trusted issuers apart that have one key id, %s', async (_, isWarm) => {
  const { one, other, start } = await openPair()
  publishUnder(one, SHARED_KEY_ID)
  publishUnder(other, SHARED_KEY_ID)
  const broker = await start({ one: discovered(one.issuer), other: discovered(other.issuer) })
  const useBoth = async (): Promise<void> => {
    await expectIdentity(broker, await signedBy(one, one, SHARED_KEY_ID), 'one/api')
    await expectIdentity(broker, await signedBy(other, other, SHARED_KEY_ID), 'other/api')
  }
  if (isWarm) await useBoth()

  for (const [claimant, signer] of [
    [one, other],
    [other, one],
  ] as const) {
    const reply = await broker.exchange(await signedBy(signer, claimant, SHARED_KEY_ID))
    expectProofRefused(broker, reply, 'signature_invalid')
    expect(broker.records().at(-1)?.trusted_issuer).toBe(claimant === one ? 'one' : 'other')
  }
  await useBoth()
})

test('JWK-05 keeps the keys of two clusters of one trusted issuer apart', async () => {
  const { one, other, start } = await openPair()
  publishUnder(one, SHARED_KEY_ID)
  publishUnder(other, SHARED_KEY_ID)
  const broker = await start({ both: discovered(one.issuer, other.issuer) })
  await expectIdentity(broker, await signedBy(one, one, SHARED_KEY_ID), 'both/api')
  await expectIdentity(broker, await signedBy(other, other, SHARED_KEY_ID), 'both/api')

  const forged = await broker.exchange(await signedBy(other, one, SHARED_KEY_ID))

  expectProofRefused(broker, forged, 'signature_invalid')
})

test('JWK-05 looks for a key only at the issuer that the token names', async () => {
  const { one, other, start } = await openPair()
  const broker = await start({ both: discovered(one.issuer, other.issuer) })
  await expectIdentity(broker, await signedBy(other, other, other.key.keyId), 'both/api')

  const forged = await broker.exchange(await signedBy(other, one, other.key.keyId))

  expectProofRefused(broker, forged, 'key_unknown')
})

test('JWK-05 keeps inline keys apart that have one key id', async () => {
  const { one, other, start } = await openPair()
  const keyOf = (cluster: KubernetesStandIn): object => ({ ...cluster.key.jwk, kid: SHARED_KEY_ID })
  const broker = await start({ one: inline(one.issuer, keyOf(one)), other: inline(other.issuer, keyOf(other)) })
  await expectIdentity(broker, await signedBy(one, one, SHARED_KEY_ID), 'one/api')

  const forged = await broker.exchange(await signedBy(other, one, SHARED_KEY_ID))

  expectProofRefused(broker, forged, 'signature_invalid')
})

test('JWK-05 tells clusters of one issuer string apart by their keys, and believes neither about the other', async () => {
  const { one, other, start } = await openPair('https://kubernetes.default.svc.cluster.local')
  const broker = await start({ one: inline(one.issuer, one.key.jwk), other: inline(other.issuer, other.key.jwk) })

  await expectIdentity(broker, await signedBy(one, one, one.key.keyId), 'one/api')
  await expectIdentity(broker, await signedBy(other, one, other.key.keyId), 'other/api')
  expectProofRefused(broker, await broker.exchange(await signedBy(other, one, one.key.keyId)), 'signature_invalid')
  expectProofRefused(broker, await broker.exchange(await signedBy(other, one, 'neither')), 'key_unknown')
})

test('JWK-05 forgets the keys of an issuer that a document gives to another key set', async () => {
  const { one, other, start } = await openPair()
  const broker = await start({ one: discovered(one.issuer) })
  const keySets = [
    { from: 'url', url: `${other.origin}/openid/v1/jwks` },
    { from: 'inline', jwks: other.jwks },
  ]
  for (const keys of keySets) {
    await broker.replaceDocument(documentOf({ one: discovered(one.issuer) }))
    await expectIdentity(broker, await signedBy(one, one, one.key.keyId), 'one/api')

    await broker.replaceDocument(documentOf({ one: { provider: 'kubernetes', issuers: [one.issuer], keys } }))

    expectProofRefused(broker, await broker.exchange(await signedBy(one, one, one.key.keyId)), 'key_unknown')
    await expectIdentity(broker, await signedBy(other, one, other.key.keyId), 'one/api')
  }
})
