/** No token without its record: what happens when records, or the store, can no longer be written. */

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AuditRecord } from '../../src/audit/record.ts'
import { DESCRIPTIONS } from '../../src/oauth/errors.ts'
import { expectErrorShape, expectIssued, REFUSED_BODY } from '../support/answers.ts'
import type { Reply } from '../support/broker.ts'
import { openScene, type Scene } from '../support/scene.ts'

/** A device that takes no byte. */
const FULL = '/dev/full'

let directory: string
let scene: Scene
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'chancery-audit-'))
})
afterEach(async () => {
  await scene.close()
  rmSync(directory, { recursive: true })
})

/** Asserts that a request came to nothing: an error, no token, and nothing in the log that could become one. */
function expectUnavailable(reply: Reply): void {
  expect([reply.status, reply.json.error]).toEqual([503, 'temporarily_unavailable'])
  expect(reply.json.error_description).toBe(DESCRIPTIONS.broker_unavailable)
  expectErrorShape(reply)
  expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(JSON.stringify(scene.broker.logs())).not.toContain('eyJ')
}

function recordsIn(file: string): readonly AuditRecord[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AuditRecord)
}

/** Exchanges until that gives a token again: a file is looked up anew once a second. */
async function recover(proof: string): Promise<Reply> {
  const replies: Reply[] = []
  await expect
    .poll(
      async () => {
        replies.push(await scene.broker.exchange(proof))
        return replies.at(-1)?.status
      },
      { timeout: 5_000 },
    )
    .toBe(200)
  const last = replies.at(-1)
  if (last === undefined) throw new Error('nothing was answered')
  return last
}

describe.skipIf(!existsSync(FULL))('a full disk', () => {
  let link: string
  let proof: string
  beforeEach(async () => {
    link = join(directory, 'audit.jsonl')
    symlinkSync(FULL, link)
    scene = await openScene({ broker: { flags: { audit: `file:${link}` } } })
    proof = await scene.proof()
  })

  test('OAU-25 no record, no token: one at a time or many at once', async () => {
    expectUnavailable(await scene.broker.exchange(proof))

    const replies = await Promise.all(Array.from({ length: 20 }, () => scene.broker.exchange(proof)))

    for (const reply of replies) expectUnavailable(reply)
  })

  test('OAU-25 a refusal stands without its record', async () => {
    const reply = await scene.broker.exchange('garbage')

    expect([reply.status, reply.text]).toEqual([400, REFUSED_BODY])
  })

  test('OAU-25 it is counted, logged, and no reason to stop answering', async () => {
    await scene.broker.exchange(proof)

    expect(await scene.broker.metrics()).toMatch(/^chancery_audit_failures_total [1-9]/m)
    expect(scene.broker.logs().filter(({ level }) => level === 'error')).not.toEqual([])
    expect((await scene.broker.send('/healthz')).status).toBe(200)
    expect((await scene.broker.send('/.well-known/jwks.json')).status).toBe(200)
  })

  test('OAU-25 when there is room again tokens come with their records, and none from before', async () => {
    const lost = await Promise.all(Array.from({ length: 5 }, () => scene.broker.exchange(proof)))
    for (const reply of lost) expectUnavailable(reply)

    rmSync(link)
    symlinkSync(join(scene.broker.directory, 'audit.jsonl'), link)
    const reply = await recover(proof)

    const { token } = expectIssued(scene.broker, reply)
    expect(token.split('.')).toHaveLength(3)
    const issued = scene.broker.records().filter(({ decision }) => decision === 'issued')
    expect(issued.map(({ request_id: id }) => id)).toEqual([reply.requestId])
    const ids = new Set(scene.broker.records().map(({ request_id: id }) => id))
    expect(lost.filter(({ requestId }) => ids.has(requestId))).toEqual([])
  })
})

describe('a file that cannot be opened again', () => {
  let file: string
  let proof: string
  beforeEach(async () => {
    file = join(directory, 'audit.jsonl')
    scene = await openScene({ broker: { flags: { audit: `file:${file}` } } })
    proof = await scene.proof()
  })

  test('OAU-25 gives no token until it can, however often it is asked', async () => {
    await scene.broker.exchange(proof)
    expect(recordsIn(file).map(({ decision }) => decision)).toEqual(['issued'])

    rmSync(file)
    mkdirSync(file)
    await expect.poll(async () => (await scene.broker.exchange(proof)).status, { timeout: 5_000 }).toBe(503)
    for (let count = 0; count < 20; count++) expectUnavailable(await scene.broker.exchange(proof))

    rmdirSync(file)
    const reply = await recover(proof)
    expect(recordsIn(file)).toMatchObject([{ decision: 'issued', request_id: reply.requestId }])
  })

  test('OAU-25 a record of every token is in the file that was put in place of another', async () => {
    await scene.broker.exchange(proof)
    rmSync(file)

    await expect
      .poll(
        async () => {
          const { requestId } = await scene.broker.exchange(proof)
          return existsSync(file) && recordsIn(file).some(({ request_id: id }) => id === requestId)
        },
        { timeout: 5_000 },
      )
      .toBe(true)
    const replies = await Promise.all(Array.from({ length: 20 }, () => scene.broker.exchange(proof)))

    const ids = new Set(recordsIn(file).map(({ request_id: id }) => id))
    expect(replies.filter(({ status, requestId }) => status === 200 && !ids.has(requestId))).toEqual([])
  })
})

describe('the store', () => {
  const STORE_FILES = ['store.db', 'store.db-wal', 'store.db-shm']

  test('OAU-25 a proof that may be used again does not wait for a store that is gone', async () => {
    scene = await openScene()
    const keys = (await scene.broker.send('/.well-known/jwks.json')).text

    for (const name of STORE_FILES) rmSync(join(scene.broker.directory, name), { force: true })

    expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
    expect((await scene.broker.send('/.well-known/jwks.json')).text).toBe(keys)
    expect((await scene.broker.send('/readyz')).status).toBe(200)
  })

  test('OAU-25 nor for one that holds nothing but garbage', async () => {
    scene = await openScene()

    for (const name of STORE_FILES) writeFileSync(join(scene.broker.directory, name), 'garbage')

    expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  })
})
