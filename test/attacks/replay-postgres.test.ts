/** A used proof against brokers that share a database: beside each other, after it fails over, and while it is down. */

import { expect, onTestFinished, test } from 'vitest'
import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import { encodeSignedRequest } from '../../providers/aws/stand-in/signed-request.ts'
import { startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { makeAgedStoreAt } from '../support/aged-store.ts'
import { expectIssued, expectProofRefused, expectRefusal } from '../support/answers.ts'
import { ACCOUNT, type AwsScene, bindRole, openAwsScene, ROLE, trustAccounts } from '../support/aws-scene.ts'
import { type Reply, startTestBroker, type TestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { documentFor } from '../support/document.ts'
import { makeStandby } from '../support/postgres-server.ts'
import { describePostgres } from '../support/postgres-suite.ts'
import { POD } from '../support/scene.ts'
import { startSilentProxy } from '../support/silent-proxy.ts'
import { tokenOf } from '../support/sts-tokens.ts'

/** As long as a gate rests, and a broker takes to find out that its database is back, in milliseconds. */
const BACK_WITHIN = { timeout: 5_000, interval: 50 }

interface Operation {
  readonly scene: AwsScene
  readonly brokers: readonly [TestBroker, TestBroker]
  /** A token of a pod: its platform hands the same one out again and again. */
  readonly podToken: string
}

/** Two brokers over one database, which trust an AWS account and a cluster. */
async function openOperation(url: string): Promise<Operation> {
  const clock = createTestClock()
  const scene = await openAwsScene({ broker: { clock } })
  const cluster = await startKubernetesStandIn({ now: clock.now, algorithm: 'ES256' })
  cluster.createServiceAccount('payments', 'api')
  cluster.createPod('payments', 'api-1', 'api')
  await makeAgedStoreAt(url, clock.now())
  const own = documentFor(cluster.issuer) as { trusted_issuers: object; bindings: object }
  const document = documentFor(cluster.issuer, {
    trusted_issuers: { ...own.trusted_issuers, 'aws-prod': trustAccounts(scene.aws) },
    bindings: { ...own.bindings, role: bindRole(ACCOUNT, ROLE, 'payments/api') },
  })
  const insecureHosts = [scene.aws.host, cluster.host]
  const start = () => startTestBroker({ clock, document, insecureHosts, flags: { store: url } })
  const brokers = [await start(), await start()] as const
  onTestFinished(async () => {
    for (const broker of brokers) await broker.stop()
    await cluster.close()
    await scene.close()
  })
  return { scene, brokers, podToken: await cluster.requestToken(POD) }
}

const sendRequest = (broker: TestBroker, text: string): Promise<Reply> =>
  broker.exchange(text, { subject_token_type: AWS4_REQUEST_TYPE })

describePostgres('brokers that share a database', (server) => {
  test('RPL-08 take a proof once among them, however many bring it at the same moment', async () => {
    const { scene, brokers } = await openOperation(await server().createDatabase())
    const texts = [encodeSignedRequest(scene.sign()), encodeSignedRequest(scene.sign())]
    const token = await tokenOf(scene, scene.assume())

    for (const send of [
      ...texts.map((text) => (broker: TestBroker) => sendRequest(broker, text)),
      (broker: TestBroker) => broker.exchange(token),
    ]) {
      const replies = await Promise.all(
        Array.from({ length: 20 }, (_, index) => send(brokers[index % 2 === 0 ? 0 : 1])),
      )
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
      expect(replies.filter(({ status }) => status === 400)).toHaveLength(19)
    }
  })

  test('RPL-08 refuse a proof that was used before a standby took over which knows nothing of it', async () => {
    const { scene, brokers } = await openOperation(await server().createDatabase())
    const older = await server().copyData()
    makeStandby(older)
    await server().start()
    onTestFinished(() => server().start())
    const used = encodeSignedRequest(scene.sign())
    await expect.poll(async () => (await sendRequest(brokers[0], used)).status, BACK_WITHIN).toBe(200)
    await server().kill()
    await server().start({}, older)
    await server().query(server().urlOf('postgres'), 'SELECT pg_promote()')

    scene.clock.advance(1)
    const replies: Reply[] = []
    const again = async () => {
      replies.push(await sendRequest(brokers[1], used))
      return replies.at(-1)?.status
    }
    await expect.poll(again, BACK_WITHIN).toBe(400)

    const last = replies.at(-1)
    if (last !== undefined) expectProofRefused(brokers[1], last, 'proof_predates_store')
    expectProofRefused(brokers[0], await sendRequest(brokers[0], used), 'proof_predates_store')
    expectProofRefused(
      brokers[0],
      await sendRequest(brokers[0], encodeSignedRequest(scene.sign())),
      'proof_predates_store',
    )
    scene.clock.advance(61)
    expectIssued(brokers[0], await sendRequest(brokers[0], encodeSignedRequest(scene.sign())))
    const doubts = brokers[1].logs().filter(({ msg }) => String(msg).includes('failed over'))
    expect(doubts).toMatchObject([{ level: 'warn', believed_from: scene.clock.now() - 1 }])
  })

  test('RPL-07 lets nobody through while the database is down, and keeps no reusable proof waiting', async () => {
    const { scene, brokers, podToken } = await openOperation(await server().createDatabase())
    const [broker] = brokers
    expectIssued(broker, await broker.exchange(podToken))
    await server().stop()
    onTestFinished(() =>
      server()
        .start()
        .catch(() => undefined),
    )

    for (let count = 0; count < 3; count++) {
      expectRefusal(broker, await sendRequest(broker, encodeSignedRequest(scene.sign())), 'TU', 'store_unavailable')
      expectIssued(broker, await broker.exchange(podToken))
    }
    expect((await broker.send('/readyz')).status).toBe(200)
    // The clock of the test is the broker's other one, too: ten minutes in which no key was confirmed.
    scene.clock.advance(601)
    const late = await broker.exchange(podToken)
    expect([late.status, late.json.error]).toEqual([503, 'temporarily_unavailable'])
    await server().start()

    await expect.poll(async () => (await broker.send('/readyz')).status, BACK_WITHIN).toBe(200)
    const fresh = () => sendRequest(broker, encodeSignedRequest(scene.sign()))
    await expect.poll(async () => (await fresh()).status, BACK_WITHIN).toBe(200)
  })

  test('RPL-07 keeps no reusable proof waiting while the database is silent and single-use ones wait for it', async () => {
    const proxy = await startSilentProxy(server().port)
    onTestFinished(() => proxy.close())
    const url = await server().createDatabase()
    const { scene, brokers, podToken } = await openOperation(url.replace(`:${server().port}/`, `:${proxy.port}/`))
    const [broker] = brokers
    expectIssued(broker, await broker.exchange(podToken))
    proxy.fallSilent()

    const waiting = Array.from({ length: 30 }, () => sendRequest(broker, encodeSignedRequest(scene.sign())))
    for (let count = 0; count < 20; count++) expectIssued(broker, await broker.exchange(podToken))

    expect(new Set((await Promise.all(waiting)).map(({ status }) => status))).toEqual(new Set([503]))
    proxy.speak()
  })

  test('RPL-07 tells nobody the password of the database, whatever becomes of it', async () => {
    const url = (await server().createDatabase()).replace('postgres@', 'postgres:0pen-sesame@')
    const { scene, brokers } = await openOperation(url)
    const [broker] = brokers
    await server().stop()
    const reply = await sendRequest(broker, encodeSignedRequest(scene.sign()))
    const metrics = await broker.metrics()
    await server().start()

    expect(reply.status).toBe(503)
    expect(JSON.stringify([reply.text, broker.logs(), broker.records(), metrics])).not.toContain('0pen-sesame')
  })
})
