/** `chancery serve --workers 2`: what one worker does counts for all, and what becomes of one is nobody else's trouble. */

import { readFileSync, writeFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { AWS4_REQUEST_TYPE } from '../../providers/aws/signed-request.ts'
import { encodeSignedRequest } from '../../providers/aws/stand-in/signed-request.ts'
import { ACCOUNT, ROLE } from '../support/aws-scene.ts'
import { formOf } from '../support/broker.ts'
import { BROKER } from '../support/document.ts'
import { makeScratch } from '../support/scratch.ts'
import { type Connection, openWorkersScene, pause, readRecords, type WorkersScene } from '../support/workers-scene.ts'

const KEY = Buffer.alloc(32, 7).toString('base64')
const OTHER_KEY = Buffer.alloc(32, 8).toString('base64')

let scene: WorkersScene

async function connectToEach(): Promise<readonly Connection[]> {
  const connections: Connection[] = []
  for (const pid of scene.pids) connections.push(await scene.connectTo(pid))
  return connections
}

describe('two workers', () => {
  beforeAll(async () => {
    scene = await openWorkersScene()
  })
  afterAll(() => scene.close())

  test('both take requests at one address, and sign with the same keys', async () => {
    const keys = createRemoteJWKSet(new URL(`${scene.origin}/.well-known/jwks.json`))
    const garbage: unknown[] = []
    for (const pid of scene.pids) {
      const connection = await scene.connectTo(pid)
      const issued = await connection.exchange(await scene.proof())
      const { requestId } = await connection.exchange('garbage')
      connection.close()
      await jwtVerify(String(issued.json.access_token), keys, { issuer: BROKER, audience: 'ledger' })
      const refused = await vi.waitFor(
        () => scene.logs().find((line) => line.request_id === requestId) ?? expect.fail(),
      )
      garbage.push(refused.pid)
    }

    expect(new Set(scene.pids).size).toBe(2)
    expect(scene.pids).not.toContain(scene.child.pid)
    expect(garbage).toEqual(scene.pids)
  })

  test('take a proof that is good once only once between them', async () => {
    const role = scene.aws.createRole(ACCOUNT, ROLE)
    const proof = encodeSignedRequest(scene.aws.signedRequest(scene.aws.assumeRole(role, 'one'), { audience: BROKER }))
    const [one, other] = await connectToEach()
    const first = await one?.exchange(proof, { subject_token_type: AWS4_REQUEST_TYPE })
    const second = await other?.exchange(proof, { subject_token_type: AWS4_REQUEST_TYPE })

    expect([first?.status, second?.status]).toEqual([200, 400])
    expect(readRecords(join(scene.directory, 'audit.jsonl')).at(-1)).toMatchObject({
      request_id: second?.requestId,
      reason: 'proof_replayed',
    })
    one?.close()
    other?.close()
  })

  test('leave signals to the supervisor, which signals of a terminal reach too', async () => {
    const connections = await connectToEach()
    for (const pid of scene.pids) for (const signal of ['SIGTERM', 'SIGINT'] as const) process.kill(pid, signal)

    for (const connection of connections) {
      expect((await connection.exchange(await scene.proof())).status).toBe(200)
      connection.close()
    }
  })
})

describe('a worker', () => {
  afterEach(() => scene.close())

  test('that dies loses no request but those that it held, and is replaced; what it counted is not forgotten', async () => {
    scene = await openWorkersScene()
    const [one = 0, other = 0] = scene.pids
    const issued = async () => /^chancery_decisions_total{.*"issued".*} (\d+)$/m.exec(await scene.metrics())?.[1]
    const connections = [await scene.connectTo(one), await scene.connectTo(other)]
    for (const connection of connections) {
      for (let count = 0; count < 2; count++) await connection.exchange(await scene.proof())
      connection.close()
    }
    expect(await issued()).toBe('4')

    // Nobody accepts now: these wait for whichever worker comes next.
    await Promise.all([pause(one), pause(other)])
    const proof = await scene.proof()
    const late = Array.from({ length: 8 }, () => scene.connect())
    const answers = Promise.all(late.map((connection) => connection.exchange(proof)))
    process.kill(one, 'SIGKILL')
    process.kill(other, 'SIGCONT')

    expect((await answers).map(({ status }) => status)).toEqual(Array(8).fill(200))
    const { worker } = await scene.logged('a worker takes the place of one that ended')
    expect(scene.pids).not.toContain(worker)
    expect(await scene.metrics()).toMatch(/^chancery_workers 2$/m)
    expect(await scene.metrics()).toMatch(/^chancery_worker_deaths_total 1$/m)
    expect(await issued()).toBe('12')
    for (const connection of late) connection.close()
    await pause(other)
    expect((await scene.connect().exchange(proof)).status).toBe(200)
  })

  test('that cannot be replaced leaves the others serving; without others the command ends, and says why', async () => {
    const file = join(makeScratch(), 'keys')
    writeFileSync(file, KEY)
    scene = await openWorkersScene({ env: { CHANCERY_KEY_ENCRYPTION_KEY_FILE: file } })
    const [one = 0, other = 0] = scene.pids
    writeFileSync(file, OTHER_KEY)
    process.kill(one, 'SIGKILL')

    const { problems } = await scene.logged('a worker could not be started: another try follows')
    expect(problems).toEqual([expect.stringContaining('CHANCERY_KEY_ENCRYPTION_KEY')])
    expect((await scene.connect().exchange(await scene.proof())).status).toBe(200)
    process.kill(other, 'SIGKILL')

    const { code, err } = await scene.finished
    expect({ code, told: err.match(/^chancery: .*CHANCERY_KEY_ENCRYPTION_KEY/gm)?.length }).toEqual({
      code: 2,
      told: 1,
    })
  })

  test('ends with its supervisor, however that ended', async () => {
    scene = await openWorkersScene()
    scene.child.kill('SIGKILL')
    await scene.finished

    // The listener is theirs: it is gone when both are.
    await vi.waitFor(() => expect(scene.connect().exchange('anything')).rejects.toThrow('ECONNREFUSED'))
  })

  test('finishes what it has begun when the command is told to stop', async () => {
    scene = await openWorkersScene()
    const body = formOf(await scene.proof()).toString()
    const head = `POST /token HTTP/1.1\r\nhost: broker\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: ${body.length}\r\n\r\n`
    const sockets: Socket[] = []
    for (const pid of scene.pids) {
      // What the worker answers on another connection, it does after it has read the beginning of this one's request.
      await scene.alone(pid, async () => {
        sockets.push(createConnection(Number(new URL(scene.origin).port), '127.0.0.1'))
        sockets.at(-1)?.write(head + body.slice(0, 10))
        const connection = scene.connect()
        await connection.exchange('anything')
        connection.close()
      })
    }
    scene.child.kill('SIGTERM')
    await scene.logged('finishing what is under way')
    const answers = sockets.map((socket) => text(socket))
    for (const socket of sockets) socket.write(body.slice(10))

    for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1.1 200/)
    const { code, out } = await scene.finished
    expect({ code, out }).toEqual({ code: 0, out: '' })
    expect(scene.logs().at(-1)).toMatchObject({ level: 'info', msg: 'stopped' })
    expect(readFileSync(join(scene.directory, 'audit.jsonl'), 'utf8').match(/"issued"/g)).toHaveLength(2)
  })
})
