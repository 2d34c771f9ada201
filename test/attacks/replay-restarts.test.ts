/** A used proof against clocks that are set back, processes that start again, and stores that are new or old. */

import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import { encodeSignedRequest } from '../../providers/aws/stand-in/signed-request.ts'
import type { RefusalReason } from '../../src/audit/reasons.ts'
import { makeAgedStore } from '../support/aged-store.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { type AwsScene, awsDocumentFor, openAwsScene } from '../support/aws-scene.ts'
import { type Reply, startTestBroker, type TestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { BROKER } from '../support/document.ts'
import { openStore } from '../support/open-store.ts'
import { makeScratch } from '../support/scratch.ts'
import { tokenOf } from '../support/sts-tokens.ts'

const TEN_MINUTES = 600

/** An AWS, and brokers of one operator that come and go. */
interface Operation {
  readonly scene: AwsScene
  readonly store: string
  /** Starts another process with this store, or the same as before. */
  start(store?: string): Promise<TestBroker>
}

/** The broker of the scene has a store of its own: it only makes the proofs. */
async function openOperation(): Promise<Operation> {
  const clock = createTestClock()
  const scene = await openAwsScene({ broker: { clock } })
  onTestFinished(() => scene.close())
  const directory = makeScratch()
  const store = join(directory, 'store.db')
  await makeAgedStore(store, clock.now())
  return {
    scene,
    store,
    async start(path = store) {
      const options = { clock, document: awsDocumentFor(scene.aws), insecureHosts: [scene.aws.host] }
      return await startTestBroker({ ...options, flags: { store: `sqlite:${path}` } })
    },
  }
}

/** Opens the list of another process, and gives what every process does now and then: it tells how many proofs are left. */
async function openBeside(path: string, now: number): Promise<(later: number) => Promise<number>> {
  const store = await openStore(`sqlite:${path}`)
  onTestFinished(() => store.close())
  const list = await store.openSpentProofs(now)
  return async (later) => (await list.tend(later)).count
}

/** A proof of either kind, and how it is sent. */
interface Sent {
  readonly text: string
  readonly send: (broker: TestBroker) => Promise<Reply>
}

type Make = (scene: AwsScene) => Promise<Sent>

const signedRequest: Make = async (scene) => {
  const text = encodeSignedRequest(scene.sign())
  return { text, send: (broker) => broker.exchange(text, { subject_token_type: AWS4_REQUEST_TYPE }) }
}

/** As long as AWS gives one. */
const token: Make = async ({ aws, assume }) => {
  const text = await aws.webIdentityToken(assume(), { audiences: [BROKER], durationSeconds: 3_600 })
  return { text, send: (broker) => broker.exchange(text) }
}

/** What a test is called by, what makes the proof, and how long that lives, in seconds. */
const KINDS: readonly (readonly [string, Make, number])[] = [
  ['a signed request', signedRequest, 300],
  ['a token', token, 3_600],
]

describe.each(KINDS)('%s', (_, make, lifeSeconds) => {
  async function expectRefused(broker: TestBroker, { send }: Sent, reason: RefusalReason): Promise<void> {
    expectProofRefused(broker, await send(broker), reason)
  }

  async function expectTaken(broker: TestBroker, { send }: Sent): Promise<void> {
    expectIssued(broker, await send(broker))
  }

  test('RPL-08 stays used in the next process, and in one beside it', async () => {
    const { scene, start } = await openOperation()
    const [first, beside] = [await start(), await start()]
    const used = await make(scene)
    await expectTaken(first, used)

    await expectRefused(beside, used, 'proof_replayed')
    await first.stop()
    await expectRefused(beside, used, 'proof_replayed')
    await beside.stop()
    const next = await start()
    await expectRefused(next, used, 'proof_replayed')
    await expectTaken(next, await make(scene))
    await next.stop()
  })

  test('RPL-08 stays used when the clock is set back by ten minutes, and when it comes back', async () => {
    const { scene, start } = await openOperation()
    const broker = await start()
    const used = await make(scene)
    await expectTaken(broker, used)

    scene.clock.advance(-30)
    await expectRefused(broker, used, 'proof_replayed')
    scene.clock.advance(30 - TEN_MINUTES)
    await expectRefused(broker, used, 'proof_not_yet_valid')
    await expectTaken(broker, await make(scene))
    scene.clock.advance(TEN_MINUTES)
    await expectRefused(broker, used, 'proof_replayed')
    await broker.stop()
  })

  test('RPL-08 is still remembered ten minutes after its end, from where the clock is set back into its life', async () => {
    const { scene, store, start } = await openOperation()
    const broker = await start()
    const used = await make(scene)
    await expectTaken(broker, used)
    const forgetWhatIsOld = await openBeside(store, scene.clock.now())

    scene.clock.advance(lifeSeconds + TEN_MINUTES)
    expect(await forgetWhatIsOld(scene.clock.now())).toBe(1)
    scene.clock.advance(-TEN_MINUTES)
    await expectRefused(broker, used, 'proof_replayed')
    await broker.stop()
  })

  test('RPL-08 stays used in a process that starts with a clock that was set back', async () => {
    const { scene, start } = await openOperation()
    const first = await start()
    const used = await make(scene)
    await expectTaken(first, used)
    await first.stop()

    scene.clock.advance(-TEN_MINUTES)
    const early = await start()
    await expectRefused(early, used, 'proof_not_yet_valid')
    scene.clock.advance(TEN_MINUTES)
    await expectRefused(early, used, 'proof_replayed')
    await early.stop()
  })

  test('RPL-08 is refused where it has been forgotten, and the clock is set back after that', async () => {
    const { scene, store, start } = await openOperation()
    const broker = await start()
    const used = await make(scene)
    await expectTaken(broker, used)
    const forgetWhatIsOld = await openBeside(store, scene.clock.now())

    scene.clock.advance(2 * 3_600)
    expect(await forgetWhatIsOld(scene.clock.now())).toBe(0)
    scene.clock.advance(-2 * 3_600)

    await expectRefused(broker, used, 'proof_predates_store')
    await broker.stop()
  })

  test('RPL-08 is refused by a process with a new store, in the same second too, and so is every proof of until then', async () => {
    const { scene, start } = await openOperation()
    const broker = await start()
    const [used, unused] = [await make(scene), await make(scene)]
    await expectTaken(broker, used)
    await broker.stop()

    const fresh = await start(join(makeScratch(), 'new.db'))
    await expectRefused(fresh, used, 'proof_predates_store')
    await expectRefused(fresh, unused, 'proof_predates_store')
    scene.clock.advance(1)
    await expectRefused(fresh, used, 'proof_predates_store')
    await expectTaken(fresh, await make(scene))
    await fresh.stop()
  })

  test('RPL-08 is refused by a process with a new store and a clock that was set back', async () => {
    const { scene, start } = await openOperation()
    const broker = await start()
    const used = await make(scene)
    await expectTaken(broker, used)
    await broker.stop()

    scene.clock.advance(-TEN_MINUTES)
    const fresh = await start(join(makeScratch(), 'new.db'))
    await expectRefused(fresh, used, 'proof_not_yet_valid')
    await fresh.stop()
  })

  test('RPL-08 is refused by a process with an older state of the store', async () => {
    const { scene, store, start } = await openOperation()
    const backup = join(makeScratch(), 'backup.db')
    copyFileSync(store, backup)
    const broker = await start()
    const used = await make(scene)
    await expectTaken(broker, used)
    await broker.stop()

    scene.clock.advance(2)
    const restored = await start(backup)
    await expectRefused(restored, used, 'proof_predates_store')
    await expectRefused(restored, await make(scene), 'proof_predates_store')
    scene.clock.advance(61)
    await expectTaken(restored, await make(scene))
    await restored.stop()
  })
})

test('RPL-08 a proof of one kind does not use up one of the other', async () => {
  const { scene, start } = await openOperation()
  const broker = await start()
  const session = scene.assume()
  const request = encodeSignedRequest(scene.aws.signedRequest(session, { audience: BROKER }))

  expectIssued(broker, await broker.exchange(request, { subject_token_type: AWS4_REQUEST_TYPE }))
  expectIssued(broker, await broker.exchange(await tokenOf(scene, session)))
  await broker.stop()
})
