/** Single use, in the pipeline and over a real store: what is spent, when, and what its bearer is told. */

import { hash } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { VerifiedProof } from '../../providers/contract/proof.ts'
import { Refusal, toWireError } from '../../src/exchange/refusal.ts'
import { createSpentLookup, spendOnce } from '../../src/exchange/replay.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Spending, SpentProofs } from '../../src/store/store.ts'
import { makeAgedStore } from '../support/aged-store.ts'
import { type BenchOptions, createBench, NOW, verifierSaying } from '../support/exchange-bench.ts'
import { proofOf } from '../support/federation-parts.ts'
import { makeScratch } from '../support/scratch.ts'

const REFUSED = { status: 400, error: 'invalid_request', description: 'subject_token_refused' }
const UNAVAILABLE = { status: 503, error: 'temporarily_unavailable', description: 'broker_unavailable' }

/** A proof that may be used once. */
function onceOf(key: string, parts: Partial<VerifiedProof> = {}): VerifiedProof {
  return proofOf(NOW, { replay: { key, singleUse: true }, ...parts })
}

async function openList(): Promise<{ readonly list: SpentProofs; readonly close: () => Promise<void> }> {
  const path = join(makeScratch(), 'store.db')
  await makeAgedStore(path, NOW)
  const store = await openSqliteStore(path)
  onTestFinished(() => store.close().catch(() => undefined))
  return { list: await store.openSpentProofs(NOW), close: store.close }
}

/** An exchange of this proof, with what of it may be spent kept in a list. */
function benchOf(proof: VerifiedProof, spentProofs: SpentProofs, options: BenchOptions = {}) {
  return createBench({ verifier: verifierSaying(proof), ...options, ports: { spentProofs, ...options.ports } })
}

async function refusalOf(promise: Promise<unknown>): Promise<Refusal> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof Refusal)) throw new Error('not refused', { cause: error })
  return error
}

describe('an exchange', () => {
  test('takes a single-use proof once, and records who brought it again', async () => {
    const { list } = await openList()
    const bench = benchOf(onceOf('k'), list)
    await bench.exchange()

    const refusal = await refusalOf(bench.exchange())

    expect(refusal.reason).toBe('proof_replayed')
    expect(toWireError(refusal)).toEqual(REFUSED)
    expect(bench.records()).toMatchObject([
      { decision: 'issued' },
      { decision: 'refused', reason: 'proof_replayed', subject: 'system:serviceaccount:payments:api', binding: null },
    ])
  })

  test('of two at once gives one token', async () => {
    const { list } = await openList()
    const benches = [benchOf(onceOf('k'), list), benchOf(onceOf('k'), list)]

    const settled = await Promise.allSettled(benches.map((bench) => bench.exchange()))

    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('goes by what was signed, not by what else a proof says', async () => {
    const { list } = await openList()
    await benchOf(onceOf('k'), list).exchange()

    const again = onceOf('k', { issuedAt: NOW - 1, expiresAt: NOW + 1_800, trustedIssuer: 'renamed' })
    expect((await refusalOf(benchOf(again, list).exchange())).reason).toBe('proof_replayed')
    await expect(benchOf(onceOf('K'), list).exchange()).resolves.toBeDefined()
  })

  test('takes a reusable proof again and again, and never asks the store about it', async () => {
    const bench = createBench()

    await bench.exchange()
    await bench.exchange()

    expect(bench.records()).toMatchObject([{ decision: 'issued' }, { decision: 'issued' }])
  })

  test('spends the proof whatever becomes of it after that', async () => {
    const { list } = await openList()
    const unbound = benchOf(onceOf('k'), list, { document: { bindings: {} } })
    expect((await refusalOf(unbound.exchange())).reason).toBe('binding_missing')

    expect((await refusalOf(benchOf(onceOf('k'), list).exchange())).reason).toBe('proof_replayed')
  })

  test('spends nothing of a proof that is not verified', async () => {
    const { list } = await openList()
    await refusalOf(
      createBench({ verifier: verifierSaying(new Error('bug')), ports: { spentProofs: list } }).exchange(),
    )

    expect((await list.tend(NOW)).count).toBe(0)
  })

  test('refuses a proof that an older store may have seen', async () => {
    const { list } = await openList()

    const refusal = await refusalOf(benchOf(onceOf('k', { issuedAt: NOW - 86_400 }), list).exchange())

    expect(refusal.reason).toBe('proof_predates_store')
    expect(toWireError(refusal)).toEqual(REFUSED)
  })

  test('gives no token for a single-use proof while the store cannot be reached, and others as ever', async () => {
    const { list, close } = await openList()
    await close()

    const refusal = await refusalOf(benchOf(onceOf('k'), list).exchange())

    expect(refusal).toMatchObject({ reason: 'store_unavailable', cause: expect.any(Error) })
    expect(toWireError(refusal)).toMatchObject(UNAVAILABLE)
    await expect(benchOf(proofOf(NOW), list).exchange()).resolves.toBeDefined()
  })
})

describe('spending', () => {
  const told = (spending: Spending) =>
    spendOnce(onceOf('k'), { spend: async () => spending }, NOW).then(
      () => 'goes on',
      (error: Refusal) => error.reason,
    )

  test.each([
    ['spent', 'goes on'],
    ['replayed', 'proof_replayed'],
    ['predates', 'proof_predates_store'],
    ['full', 'store_full'],
  ] as const)('that ends as %s: %s', async (spending, expected) => {
    expect(await told(spending)).toBe(expected)
  })

  test('tells the store a digest and two times, and nothing else', async () => {
    const seen: unknown[] = []
    const spend: SpentProofs['spend'] = async (...given) => {
      seen.push(...given)
      return 'spent'
    }

    await spendOnce(onceOf('k'), { spend }, NOW)

    expect(seen).toEqual([{ digest: hash('sha256', 'k', 'buffer'), issuedAt: NOW - 60, expiresAt: NOW + 3_600 }, NOW])
  })
})

describe('what verifiers ask', () => {
  test('is answered by what exchanges have spent, and spends nothing', async () => {
    const { list } = await openList()
    const isSpent = createSpentLookup(list)
    expect(await isSpent('k')).toBe(false)
    await benchOf(onceOf('k'), list).exchange()

    expect(await isSpent('k')).toBe(true)
    expect(await isSpent('K')).toBe(false)
  })

  test('is not answered while the store cannot be reached, and the exchange is refused for that', async () => {
    const { list, close } = await openList()
    const isSpent = createSpentLookup(list)
    await close()
    const verifier = verifierSaying(onceOf('k'), {
      verify: async () => ((await isSpent('k')) ? onceOf('k') : onceOf('k')),
    })

    const refusal = await refusalOf(createBench({ verifier, ports: { spentProofs: list } }).exchange())

    expect(refusal).toMatchObject({ reason: 'store_unavailable', cause: expect.any(Error) })
    expect(toWireError(refusal)).toMatchObject(UNAVAILABLE)
  })
})
