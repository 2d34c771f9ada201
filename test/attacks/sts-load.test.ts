/** An STS that fails, and callers who are many: what the one costs the others, and what is counted. */

import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { SignedRequest } from '../../providers/aws/stand-in/signed-request.ts'
import { expectIssued, expectProofRefused, expectRefusal } from '../support/answers.ts'
import { type AwsScene, awsDocumentFor, openAwsScene } from '../support/aws-scene.ts'
import type { Reply } from '../support/broker.ts'
import { sumOf } from '../support/flood.ts'
import { askOnce, failWith, identify, spoil } from '../support/sts-answers.ts'
import { type GatedScene, openGatedScene } from '../support/sts-gate.ts'

const EAST = 'sts.us-east-1.amazonaws.com'
const WEST = 'sts.eu-west-1.amazonaws.com'

const TOLERATED = 5
const REST_SECONDS = 5

describe('a host of STS that keeps failing', () => {
  let scene: AwsScene
  beforeEach(async () => {
    scene = await openAwsScene()
  })
  afterEach(() => scene.close())

  /** Makes the host fail until it is left alone, and keeps it failing. */
  async function tire(failure: Parameters<typeof askOnce>[1] = 'down'): Promise<void> {
    for (let failures = 0; failures < TOLERATED; failures++) await askOnce(scene, failure)
    scene.aws.fail('/', failure)
  }

  test('STS-15 is left alone for five seconds, and the callers told when to come again', async () => {
    await tire()
    for (const seconds of [5, 4, 3, 2, 1]) {
      const asked = await scene.upstreamRequests(async () => {
        const reply = await scene.exchange(scene.sign())
        expectRefusal(scene.broker, reply, 'TU', 'upstream_unreachable')
        expect(reply.headers.get('retry-after')).toBe(String(seconds))
      })
      expect(asked).toBe(0)
      scene.clock.advance(1)
    }

    expectRefusal(scene.broker, await askOnce(scene, 'down'), 'TU', 'upstream_unreachable')
  })

  test('STS-15 is left alone whatever the failure is', async () => {
    for (const [failure, reason] of [
      [failWith(500, ''), 'upstream_status'],
      [identify({ Account: 1 }), 'upstream_malformed'],
      [{ status: 302 }, 'upstream_redirected'],
    ] as const) {
      await tire(failure)
      const asked = await scene.upstreamRequests(async () => {
        expectRefusal(scene.broker, await scene.exchange(scene.sign()), 'TU', reason)
      })
      expect(asked).toBe(0)
      scene.aws.recover()
      scene.clock.advance(REST_SECONDS)
      expectIssued(scene.broker, await scene.exchange(scene.sign()))
    }
  })

  test('STS-15 is tried by one caller after its rest, and by all once that has gone well', async () => {
    await tire()
    scene.clock.advance(REST_SECONDS)
    const asked = await scene.upstreamRequests(async () => {
      const replies = await Promise.all(Array.from({ length: 8 }, () => scene.exchange(scene.sign())))
      expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 503))
    })
    expect(asked).toBe(1)

    scene.aws.recover()
    scene.clock.advance(REST_SECONDS)
    expectIssued(scene.broker, await scene.exchange(scene.sign()))
    const replies = await Promise.all(Array.from({ length: 8 }, () => scene.exchange(scene.sign())))
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200))
  })

  test('STS-15 does not take the other hosts with it', async () => {
    await tire()
    scene.aws.recover()

    expectIssued(scene.broker, await scene.exchange(scene.sign({ host: WEST })))
    expectRefusal(scene.broker, await scene.exchange(scene.sign()), 'TU', 'upstream_unreachable')
  })

  test('STS-15 still refuses what was refused or used before', async () => {
    const [refused, used] = [scene.sign(), scene.sign()]
    expectProofRefused(scene.broker, await askOnce(scene, failWith(403, 'ExpiredToken'), refused), 'proof_expired')
    expectIssued(scene.broker, await scene.exchange(used))
    await tire()

    expectProofRefused(scene.broker, await scene.exchange(refused), 'proof_expired')
    expectProofRefused(scene.broker, await scene.exchange(used), 'proof_replayed')
  })

  test('STS-15 stays alone when the document is replaced', async () => {
    await tire()
    await scene.broker.replaceDocument(awsDocumentFor(scene.aws, { regions: ['us-east-1'] }))

    expect(await scene.upstreamRequests(() => scene.exchange(scene.sign()))).toBe(0)
  })

  test('STS-15 is not one that refuses: nobody can stop it for others with bad signatures', async () => {
    for (let times = 0; times < 2 * TOLERATED; times++) {
      expectProofRefused(scene.broker, await scene.exchange(spoil(scene.sign())), 'signature_invalid')
    }
    expectIssued(scene.broker, await scene.exchange(scene.sign()))

    // A refusal is a sign of life: four failures on either side of it are not eight in a row.
    for (let failures = 0; failures < TOLERATED - 1; failures++) await askOnce(scene, 'down')
    expectProofRefused(scene.broker, await scene.exchange(spoil(scene.sign())), 'signature_invalid')
    for (let failures = 0; failures < TOLERATED - 1; failures++) await askOnce(scene, 'down')
    expectIssued(scene.broker, await scene.exchange(scene.sign()))
  })
})

describe('many callers', () => {
  const AT_ONCE = 64
  const WAITING_OF_ONE = 256
  const BEYOND = 20
  const FLOODER = '203.0.113.66'
  const REFUSED = failWith(403, 'SignatureDoesNotMatch')

  async function open(flags?: Parameters<typeof openGatedScene>[0]): Promise<GatedScene> {
    const gated = await openGatedScene(flags)
    onTestFinished(() => gated.close())
    return gated
  }

  const manyBad = (scene: AwsScene, count: number): readonly SignedRequest[] =>
    Array.from({ length: count }, () => spoil(scene.sign()))

  const isAbout = ({ request }: GatedScene['questions'][number], { headers }: SignedRequest): boolean =>
    headers.some(({ key, value }) => key === 'authorization' && value === request.headers.authorization)

  /** Answers every question, and those that come meanwhile, until all replies are there. */
  async function answerAll({ questions }: GatedScene, replies: readonly Promise<Reply>[]): Promise<readonly Reply[]> {
    let answered = 0
    const timer = setInterval(() => {
      for (; answered < questions.length; answered++) questions[answered]?.answer(REFUSED)
    }, 1)
    const all = await Promise.all(replies)
    clearInterval(timer)
    return all
  }

  test('STS-18 a flood from one address does not keep out a good caller from another', async () => {
    const gated = await open()
    const { scene, questions, sendFrom } = gated
    const bad = manyBad(scene, AT_ONCE + WAITING_OF_ONE + BEYOND)
    const good = scene.sign()
    const flood = bad.map((request) => sendFrom(FLOODER, request))
    const turnedAway: Reply[] = []
    for (const reply of flood) void reply.then((early) => turnedAway.push(early))
    await vi.waitUntil(() => questions.length === AT_ONCE && turnedAway.length === BEYOND, { timeout: 4_000 })
    for (const early of [...turnedAway]) expectRefusal(scene.broker, early, 'TU', 'upstream_busy')

    const reply = sendFrom('198.51.100.7', good)
    // Whatever is sent after it and answered without STS shows that it waits by now.
    expect((await scene.exchange('garbage')).status).toBe(400)
    let answered = 0
    while (!questions.some((question) => isAbout(question, good)) && answered < AT_ONCE) {
      questions[answered++]?.answer(REFUSED)
      await vi.waitUntil(() => questions.length === AT_ONCE + answered)
    }
    questions.find((question) => isAbout(question, good))?.answer(identify())

    expectIssued(scene.broker, await reply)
    expect(answered).toBeLessThanOrEqual(2)
    const statuses = (await answerAll(gated, flood)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 400)).toHaveLength(AT_ONCE + WAITING_OF_ONE)
  })

  test('STS-18 nobody is many by writing many addresses, where no proxy is trusted', async () => {
    const gated = await open({})
    const { scene, questions, sendFrom } = gated
    const known = spoil(scene.sign())
    const first = sendFrom('198.51.100.7', known)
    await vi.waitUntil(() => questions.length === 1)
    questions[0]?.answer(REFUSED)
    expectProofRefused(scene.broker, await first, 'signature_invalid')

    const flood = manyBad(scene, AT_ONCE + WAITING_OF_ONE + BEYOND).map((request, index) =>
      sendFrom(`198.51.100.${index % 256}`, request),
    )
    const turnedAway: Reply[] = []
    for (const reply of flood) void reply.then((early) => turnedAway.push(early))
    await vi.waitUntil(() => questions.length === 1 + AT_ONCE && turnedAway.length === BEYOND, { timeout: 4_000 })

    for (const early of [...turnedAway]) expectRefusal(scene.broker, early, 'TU', 'upstream_busy')
    // What is known needs no turn.
    expectProofRefused(scene.broker, await sendFrom('198.51.100.7', known), 'signature_invalid')
    await answerAll(gated, flood)
  })

  test('STS-18 the same bad request, sent by many at once, is asked about once or by those before the answer', async () => {
    const gated = await open()
    const { scene, questions, sendFrom } = gated
    const bad = spoil(scene.sign())
    const flood = Array.from({ length: AT_ONCE + 40 }, (_, index) => sendFrom(`198.51.100.${index}`, bad))
    await vi.waitUntil(() => questions.length === AT_ONCE, { timeout: 4_000 })
    expect((await scene.exchange('garbage')).status).toBe(400)

    const replies = await answerAll(gated, flood)

    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([400]))
    // Those who waited had their answer from memory.
    expect(questions).toHaveLength(AT_ONCE)
  })

  test('STS-15 callers who hang up do not make STS a failing host', async () => {
    const { scene, questions, sendFrom, sendAndLeave } = await open()
    const leavings = Array.from({ length: 2 * TOLERATED }, () => sendAndLeave(scene.sign()))
    await vi.waitUntil(() => questions.length === leavings.length)
    for (const leave of leavings) leave()

    const reply = sendFrom('198.51.100.7', scene.sign())
    await vi.waitUntil(() => questions.length === leavings.length + 1)
    for (const { answer } of questions) answer(identify())

    expectIssued(scene.broker, await reply)
  })
})

describe('what is counted', () => {
  test('STS-15 STS-18 is every question, by the host that was asked and how it ended', async () => {
    const scene = await openAwsScene()
    onTestFinished(() => scene.close())
    const count = (host: string, outcome: string) =>
      sumOf(
        scene.broker,
        'chancery_upstream_requests_total',
        new RegExp(`trusted_issuer="aws",purpose="sts ${host.replaceAll('.', '\\.')}",outcome="${outcome}"`),
      )
    for (let times = 0; times < 3; times++) expectIssued(scene.broker, await scene.exchange(scene.sign()))
    expect(await sumOf(scene.broker, 'chancery_upstream_clock_offset_seconds', /trusted_issuer="aws"/)).toBe(0)
    await scene.exchange(spoil(scene.sign()))
    await scene.exchange(scene.sign({ host: WEST }))
    await askOnce(scene, 'down', scene.sign({ host: WEST }))
    await askOnce(scene, failWith(503, ''), scene.sign({ host: WEST }))
    await askOnce(scene, { status: 302 }, scene.sign({ host: WEST }))
    // Refused here: it costs no question, and makes no series.
    await scene.exchange(scene.sign({ host: 'sts.evil.example', region: 'us-east-1' }))
    await scene.exchange(scene.sign({ host: 'sts.us-west-2.amazonaws.com', without: ['x-chancery-audience'] }))

    const outcomes = ['2xx', '4xx', '5xx', 'upstream_unreachable', 'upstream_redirected']
    expect(await Promise.all(outcomes.map((outcome) => count(EAST, outcome)))).toEqual([3, 1, 0, 0, 0])
    expect(await Promise.all(outcomes.map((outcome) => count(WEST, outcome)))).toEqual([1, 0, 1, 1, 1])
    expect(await sumOf(scene.broker, 'chancery_upstream_requests_total')).toBe(8)
  })
})
