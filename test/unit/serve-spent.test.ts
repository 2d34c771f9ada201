/** What a running broker does for the list of spent proofs, before any proof is spent. */

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import { startTestBroker } from '../support/broker.ts'
import { createTestClock, type TestClock } from '../support/clock.ts'
import { documentFor } from '../support/document.ts'
import { CLUSTER } from '../support/federation-parts.ts'
import { makeScratch } from '../support/scratch.ts'
import { spendable } from '../support/spendable.ts'

/** Starts a broker over a store, stops it, and gives since when it has believed what is in there. */
async function beliefOf(path: string, clock: TestClock): Promise<unknown> {
  const broker = await startTestBroker({ clock, document: documentFor(CLUSTER), flags: { store: `sqlite:${path}` } })
  const told = broker.logs().find((line) => line.believed_from !== undefined)
  await broker.stop()
  return told?.believed_from
}

test('a broker that is started again soon believes its store as before, and one that was long away only from a minute on', async () => {
  const [path, clock] = [join(makeScratch(), 'store.db'), createTestClock()]
  const start = clock.now()
  expect(await beliefOf(path, clock)).toBe(start + 1)

  clock.advance(300)
  expect(await beliefOf(path, clock)).toBe(start + 1)

  // The second one’s sign of life, and not the first one’s, is what counts.
  clock.advance(300)
  expect(await beliefOf(path, clock)).toBe(start + 1)

  clock.advance(301)
  expect(await beliefOf(path, clock)).toBe(clock.now() + 60)
})

test('a broker leaves a sign of life when it stops', async () => {
  const [path, clock] = [join(makeScratch(), 'store.db'), createTestClock()]
  const start = clock.now()
  const document = documentFor(CLUSTER)
  const broker = await startTestBroker({ clock, document, flags: { store: `sqlite:${path}` } })
  clock.advance(86_400)
  await broker.stop()

  expect(await beliefOf(path, clock)).toBe(start + 1)
})

test('how many spent proofs are remembered is measured from the start', async () => {
  const [path, clock] = [join(makeScratch(), 'store.db'), createTestClock()]
  const store = await openSqliteStore(path)
  const list = await store.openSpentProofs(clock.now() - 200)
  await list.spend(spendable('a', { issuedAt: clock.now(), expiresAt: clock.now() + 900 }), clock.now())
  await store.close()

  const broker = await startTestBroker({ clock, document: documentFor(CLUSTER), flags: { store: `sqlite:${path}` } })

  expect(await broker.metrics()).toContain('\nchancery_spent_proofs 1\n')
  await broker.stop()
})
