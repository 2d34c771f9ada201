/** A flood of bad proofs: what it may cost an issuer and our disk, and whom it must not disturb. */

import { afterEach, beforeEach, expect, test } from 'vitest'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { FULL_RATE_PER_SECOND } from '../../src/audit/sampler.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { startTestBroker, type TestBroker } from '../support/broker.ts'
import { createTestClock, type TestClock } from '../support/clock.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { repeat, sendUnwatched, sumOf, unsigned } from '../support/flood.ts'
import { POD } from '../support/scene.ts'

/** Requests of one look for keys: discovery, and the set that it names. */
const FETCH = 2

const COOL_DOWN_SECONDS = 30

let clock: TestClock
let flooded: KubernetesStandIn
let neighbour: KubernetesStandIn
let broker: TestBroker
beforeEach(async () => {
  clock = createTestClock()
  flooded = await startCluster(clock)
  neighbour = await startCluster(clock)
  const document = documentFor('', {
    trusted_issuers: {
      flooded: { provider: 'kubernetes', issuers: [flooded.issuer] },
      neighbour: { provider: 'kubernetes', issuers: [neighbour.issuer] },
    },
    bindings: Object.fromEntries(
      ['flooded', 'neighbour'].map((name) => [
        name,
        { ...bindingFor('payments', 'api', 'payments/api'), trusted_issuer: name },
      ]),
    ),
  })
  broker = await startTestBroker({ clock, document, insecureHosts: [flooded.host, neighbour.host] })
})
afterEach(async () => {
  await broker.stop()
  await flooded.close()
  await neighbour.close()
})

async function startCluster({ now }: TestClock): Promise<KubernetesStandIn> {
  const cluster = await startKubernetesStandIn({ now, algorithm: 'ES256' })
  cluster.createServiceAccount('payments', 'api')
  cluster.createServiceAccount('payments', 'web')
  cluster.createPod('payments', 'api-1', 'api')
  return cluster
}

/** Bad proofs of the flooded cluster: keys that it has not, signatures that do not hold, and claims that it did not sign. */
function badProof(index: number): string {
  if (index % 3 === 0) return unsigned(flooded, {}, { kid: `key-${index}` })
  return unsigned(flooded, index % 3 === 1 ? {} : { sub: `system:serviceaccount:payments:x${index}` })
}

test('OPS-10 good proofs are answered amid thousands of bad ones, and the issuer is asked once', async () => {
  const statuses: number[] = []
  const bad = new Set<number>()

  await repeat(3_000, async (index) => {
    if (index % 50 === 0) {
      statuses.push(await sendUnwatched(broker, await flooded.requestToken(POD)))
      statuses.push(await sendUnwatched(broker, await neighbour.requestToken(POD)))
    }
    bad.add(await sendUnwatched(broker, badProof(index)))
  })

  expect([...bad]).toEqual([400])
  expect(new Set(statuses)).toEqual(new Set([200]))
  expect(statuses).toHaveLength(120)
  // Once for the first proof of all, and once more for a key that the first set did not hold.
  expect(flooded.requests.length).toBeLessThanOrEqual(2 * FETCH)
  expect(neighbour.requests).toHaveLength(FETCH)
})

test('OPS-10 what is not recorded is counted, and nothing is both', async () => {
  const total = 1_500
  await repeat(total, (index) => sendUnwatched(broker, badProof(index)))

  const recorded = broker.records().length
  const sampled = await sumOf(
    broker,
    'chancery_audit_refusals_sampled_total',
    /trusted_issuer="flooded",verified="false"/,
  )
  expect(recorded + sampled).toBe(total)
  expect(recorded).toBeGreaterThanOrEqual(FULL_RATE_PER_SECOND)
  expect(sampled).toBeGreaterThan(0)
  expect(await sumOf(broker, 'chancery_audit_refusals_sampled_total')).toBe(sampled)
  expect(await sumOf(broker, 'chancery_decisions_total', /outcome="refused"/)).toBe(total)
  expect(broker.logs().filter(({ msg }) => msg === 'refused')).toHaveLength(recorded)
})

test('OPS-10 a flood hides no refusal of a verified proof, of another issuer, or of none', async () => {
  const unmapped = await flooded.requestToken({ ...POD, serviceAccount: 'web', pod: undefined })
  const elsewhere = unsigned(neighbour, {}, { kid: 'nobody-knows' })
  await repeat(600, (index) => sendUnwatched(broker, badProof(index)))

  expectProofRefused(broker, await broker.exchange(unmapped), 'binding_missing')
  expectProofRefused(broker, await broker.exchange(elsewhere), 'key_unknown')
  expectProofRefused(broker, await broker.exchange('garbage'), 'proof_malformed')
  expectIssued(broker, await broker.exchange(await flooded.requestToken(POD)))
})

test('OPS-10 a flood of unknown keys costs one look every half minute, and does not keep out a new key', async () => {
  const flood = () => repeat(60, (index) => sendUnwatched(broker, unsigned(flooded, {}, { kid: `key-${index}` })))
  await flood()
  await flooded.rotateKeys()
  const rotated = await flooded.requestToken(POD)

  const before = flooded.requests.length
  for (let round = 0; round < 10; round++) {
    clock.advance(COOL_DOWN_SECONDS)
    await flood()
  }

  expect(flooded.requests.length - before).toBeLessThanOrEqual(10 * FETCH)
  expectIssued(broker, await broker.exchange(rotated))
})

test('OPS-10 a flood of a cluster that is down costs few looks, and its neighbour nothing', async () => {
  flooded.fail('*', 'down')

  await repeat(500, async (index) => {
    expect(await sendUnwatched(broker, badProof(index))).toBe(503)
    if (index % 50 === 0) expect(await sendUnwatched(broker, await neighbour.requestToken(POD))).toBe(200)
  })

  // Its own clock stands still: within the first two seconds nobody looks again.
  expect(flooded.requests.length).toBeLessThanOrEqual(2)
})
