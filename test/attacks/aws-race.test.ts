/** Attacks that bring one proof to many: AWS-46 of the catalogue, with processes that share nothing but a file. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import type { Role } from '../../providers/aws/stand-in/aws-state.ts'
import { type AwsStandIn, startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { makeAgedStore } from '../support/aged-store.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { expectRefusedUnasked, expectTaken } from '../support/aws-answers.ts'
import { ACCOUNT, awsDocumentFor, openAwsScene, ROLE } from '../support/aws-scene.ts'
import { formOf, startTestBroker } from '../support/broker.ts'
import { BROKER } from '../support/document.ts'
import { findFreePort, type Running, startChancery, waitUntilReady } from '../support/process.ts'

const PROOFS = 12

interface Replica extends Running {
  readonly origin: string
}

describe('processes', () => {
  let aws: AwsStandIn
  let role: Role
  let directory: string
  const replicas: Replica[] = []

  beforeEach(async () => {
    aws = await startAwsStandIn()
    aws.createAccount(ACCOUNT)
    role = aws.createRole(ACCOUNT, ROLE)
    directory = mkdtempSync(join(tmpdir(), 'chancery-race-'))
    writeFileSync(join(directory, 'federation.json'), JSON.stringify(awsDocumentFor(aws)))
    await makeAgedStore(join(directory, 'shared.db'), Math.floor(Date.now() / 1_000))
  })
  afterEach(async () => {
    await stopAll('SIGKILL')
    await aws.close()
    rmSync(directory, { recursive: true })
  })

  async function stopAll(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const all = replicas.splice(0)
    for (const { child } of all) child.kill(signal)
    await Promise.all(all.map(({ finished }) => finished))
  }

  /** Starts a process over a store in the test's directory. All write one audit file. */
  async function serve(store = 'shared.db'): Promise<Replica> {
    const port = await findFreePort()
    const settings = {
      issuer: BROKER,
      listen: `127.0.0.1:${port}`,
      'metrics-listen': '127.0.0.1:0',
      federation: join(directory, 'federation.json'),
      store: `sqlite:${join(directory, store)}`,
      audit: `file:${join(directory, 'audit.jsonl')}`,
      'insecure-host': aws.host,
    }
    const running = startChancery([
      'serve',
      ...Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, value]),
    ])
    const replica = { ...running, origin: `http://127.0.0.1:${port}` }
    replicas.push(replica)
    await waitUntilReady(replica.origin, running)
    return replica
  }

  const sign = (): string => aws.signGetCallerIdentity(aws.assumeRole(role, 'one'), { audience: BROKER })

  async function post({ origin }: Replica, proof: string): Promise<number> {
    const body = formOf(proof, { subject_token_type: AWS4_REQUEST_TYPE })
    const reply = await fetch(`${origin}/token`, { method: 'POST', body })
    await reply.arrayBuffer()
    return reply.status
  }

  function reasons(): readonly string[] {
    const lines = readFileSync(join(directory, 'audit.jsonl'), 'utf8').trimEnd().split('\n')
    return lines.map((line) => String((JSON.parse(line) as { readonly reason: unknown }).reason))
  }

  test('AWS-46 of two processes that get one proof at the same moment, exactly one gives a token', async () => {
    const [one, other] = await Promise.all([serve(), serve()])

    for (let round = 0; round < PROOFS; round++) {
      const proof = sign()
      const statuses = await Promise.all([post(one, proof), post(other, proof)])
      expect(
        statuses.toSorted((a, b) => a - b),
        `round ${round}`,
      ).toEqual([200, 400])
    }

    expect(reasons().toSorted()).toEqual([...Array(PROOFS).fill('null'), ...Array(PROOFS).fill('proof_replayed')])
  })

  test('AWS-46 of many posts of many proofs to both, one for each proof is answered with a token', async () => {
    const [one, other] = await Promise.all([serve(), serve()])
    const proofs = Array.from({ length: PROOFS }, sign)

    const statuses = await Promise.all(
      proofs.map((proof) => Promise.all([one, other, one, other].map((replica) => post(replica, proof)))),
    )

    expect(statuses.map((ofOne) => ofOne.toSorted((a, b) => a - b))).toEqual(Array(PROOFS).fill([200, 400, 400, 400]))
  })

  test('AWS-46 a proof stays spent in another process and after a restart of all, and STS is not asked again', async () => {
    const first = await serve()
    const proof = sign()
    expect(await post(first, proof)).toBe(200)
    const asked = aws.requests.length

    expect(await post(first, proof)).toBe(400)
    expect(await post(await serve(), proof)).toBe(400)
    await stopAll('SIGTERM')
    const restarted = await serve()
    expect(await post(restarted, proof)).toBe(400)
    await stopAll('SIGKILL')
    const killed = await serve()
    expect(await post(killed, proof)).toBe(400)

    expect(aws.requests.length).toBe(asked)
    expect(reasons()).toEqual(['null', ...Array(4).fill('proof_replayed')])
    expect(await post(killed, sign())).toBe(200)
  })

  test('AWS-46 a store that is new takes no proof of before its making, which another one may have spent', async () => {
    const first = await serve()
    const proof = sign()
    expect(await post(first, proof)).toBe(200)

    const anew = await serve('new.db')
    expect(await post(anew, proof)).toBe(400)
    expect(await post(anew, sign())).toBe(200)

    expect(reasons()).toEqual(['null', 'proof_predates_store', 'null'])
  })
})

describe('clocks', () => {
  test('AWS-46 a proof stays spent where the clock is set back', async () => {
    const scene = await openAwsScene()
    onTestFinished(() => scene.close())
    const proof = scene.sign({ date: scene.clock.now() - 200 })
    await expectTaken(scene, proof)

    for (const seconds of [-1, -59, -100]) {
      scene.clock.advance(seconds)
      await expectRefusedUnasked(scene, proof, 'proof_replayed')
    }
    await expectTaken(scene, scene.sign())
  })

  test('AWS-46 a proof that was forgotten is not good again where the clock is set back', async () => {
    const scene = await openAwsScene()
    onTestFinished(() => scene.close())
    const { aws, broker, clock } = scene
    const document = awsDocumentFor(aws)
    const flags = { store: `sqlite:${join(broker.directory, 'store.db')}` }
    const restarted = async () => await startTestBroker({ clock, document, insecureHosts: [aws.host], flags })
    const proof = aws.signGetCallerIdentity(scene.session, { audience: BROKER, date: clock.now() + 60 })
    expectIssued(broker, await scene.exchange(proof))

    clock.advance(1_801)
    const later = await restarted()
    await later.stop()
    clock.advance(-1_700)
    const setBack = await restarted()
    onTestFinished(() => setBack.stop())
    const reply = await setBack.exchange(proof, { subject_token_type: AWS4_REQUEST_TYPE })

    expectProofRefused(setBack, reply, 'proof_predates_store')
  })
})
