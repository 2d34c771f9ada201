/** What of a team's document outlives the broker, and what does not. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, onTestFinished, test } from 'vitest'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { startTestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { BROKER } from '../support/document.ts'
import { delegationOf, type Files, platformFor, teamFor, textOf } from '../support/team-documents.ts'

const KEY = Buffer.alloc(32, 7).toString('base64')
const BROKEN = '{'

interface Place {
  readonly directory: string
  readonly cluster: KubernetesStandIn
  write(files: Files): void
  /** Edits the store by hand. */
  edit(sql: string): void
  /** Runs a broker for a moment, and gives the delegations whose workload it served. */
  served(): Promise<readonly string[]>
}

async function openPlace(): Promise<Place> {
  const clock = createTestClock()
  const cluster = await startKubernetesStandIn({ now: clock.now })
  const directory = mkdtempSync(join(tmpdir(), 'chancery-restart-'))
  const store = join(mkdtempSync(join(tmpdir(), 'chancery-store-')), 'store.db')
  onTestFinished(async () => {
    await cluster.close()
    rmSync(directory, { recursive: true })
    rmSync(join(store, '..'), { recursive: true })
  })
  const options = {
    clock,
    document: {},
    insecureHosts: [cluster.host],
    flags: { federation: directory, store: `sqlite:${store}` },
    env: { CHANCERY_KEY_ENCRYPTION_KEY: KEY },
  }
  for (const team of ['payments', 'orders']) {
    cluster.createServiceAccount(team, 'api')
    cluster.createPod(team, `${team}-api`, 'api')
  }
  return {
    directory,
    cluster,
    write(files) {
      for (const [name, document] of Object.entries(files)) writeFileSync(join(directory, name), textOf(document))
    },
    edit(sql) {
      const database = new DatabaseSync(store)
      database.exec(sql)
      database.close()
    },
    async served() {
      const broker = await startTestBroker(options)
      const found: string[] = []
      for (const namespace of ['payments', 'orders']) {
        const wish = { namespace, serviceAccount: 'api', pod: `${namespace}-api`, audiences: [BROKER] }
        const reply = await broker.exchange(await cluster.requestToken(wish))
        if (reply.status === 200) expectIssued(broker, reply)
        else expectProofRefused(broker, reply, 'binding_missing')
        if (reply.status === 200) found.push(namespace)
      }
      await broker.stop()
      return found
    },
  }
}

async function openTeams(): Promise<Place> {
  const place = await openPlace()
  const { issuer } = place.cluster
  place.write({
    'platform.json': platformFor(issuer),
    'payments.json': teamFor('payments'),
    'orders.json': teamFor('orders'),
  })
  expect(await place.served()).toEqual(['payments', 'orders'])
  return place
}

test('MAP-11 a team’s document that broke while the broker was away is served as it was, twice', async () => {
  const place = await openTeams()
  place.write({ 'payments.json': BROKEN, 'orders.json': teamFor('orders', { surprise: true }) })

  expect(await place.served()).toEqual(['payments', 'orders'])
  expect(await place.served()).toEqual(['payments', 'orders'])
})

test('MAP-11 a team’s document that was removed while the broker was away is gone', async () => {
  const place = await openTeams()
  rmSync(join(place.directory, 'payments.json'))

  expect(await place.served()).toEqual(['orders'])

  place.write({ 'payments.json': BROKEN })
  expect(await place.served()).toEqual(['orders'])
})

test('MAP-11 a team’s document that does not fit any more is not served, though it was good', async () => {
  const place = await openTeams()
  const delegations = {
    payments: delegationOf('other', { identity_prefix: 'payments/' }),
    orders: delegationOf('orders'),
  }
  place.write({ 'platform.json': platformFor(place.cluster.issuer, { delegations }), 'payments.json': BROKEN })

  expect(await place.served()).toEqual(['orders'])
})

test('MAP-11 all documents are served as they were where the platform’s broke', async () => {
  const place = await openTeams()
  place.write({ 'platform.json': BROKEN, 'payments.json': teamFor('payments', { bindings: {} }) })
  rmSync(join(place.directory, 'orders.json'))

  expect(await place.served()).toEqual(['payments', 'orders'])
})

test.each([
  [
    'with another’s text',
    `UPDATE kept_documents SET packed = (SELECT packed FROM kept_documents WHERE delegation = 'orders') WHERE delegation = 'payments'`,
  ],
  [
    'under another’s name',
    `DELETE FROM kept_documents WHERE delegation = 'payments'; UPDATE kept_documents SET delegation = 'payments' WHERE delegation = 'orders'`,
  ],
  ['without a code', `UPDATE kept_documents SET code = '' WHERE delegation = 'payments'`],
])('MAP-11 nothing is served of what somebody else wrote into the store: %s', async (_what, sql) => {
  const place = await openTeams()
  place.write({ 'payments.json': BROKEN })
  place.edit(sql)

  expect(await place.served()).toEqual(['orders'])
})
