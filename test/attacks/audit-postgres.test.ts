/** No token without its record, where the records are kept in the database of the store. */

import { afterEach, expect, onTestFinished, test } from 'vitest'
import { type AuditRecord, auditRecordSchema } from '../../src/audit/record.ts'
import { DESCRIPTIONS } from '../../src/oauth/errors.ts'
import { expectErrorShape, REFUSED_BODY } from '../support/answers.ts'
import type { Reply } from '../support/broker.ts'
import { holdOpen } from '../support/postgres-intruder.ts'
import { describePostgres } from '../support/postgres-suite.ts'
import { openScene, type Scene } from '../support/scene.ts'

let scene: Scene
afterEach(() => scene.close())

function expectUnavailable(reply: Reply): void {
  expect([reply.status, reply.json.error]).toEqual([503, 'temporarily_unavailable'])
  expect(reply.json.error_description).toBe(DESCRIPTIONS.broker_unavailable)
  expectErrorShape(reply)
  expect(JSON.stringify(scene.broker.logs())).not.toContain('eyJ')
}

describePostgres('audit records in PostgreSQL', (server) => {
  const open = async (): Promise<string> => {
    const url = await server().createDatabase()
    scene = await openScene({ cluster: { algorithm: 'ES256' }, broker: { flags: { store: url, audit: 'postgres' } } })
    return url
  }
  const recordsAt = async (url: string): Promise<readonly AuditRecord[]> => {
    const rows = await server().query(url, 'SELECT record FROM chancery.audit_records ORDER BY id')
    return rows.map(({ record }) => auditRecordSchema.parse(JSON.parse(String(record))))
  }

  test('OAU-25 are there when the token is, one for each request, tokens and refusals alike', async () => {
    const url = await open()
    const proof = await scene.proof()

    const replies = await Promise.all(Array.from({ length: 30 }, () => scene.broker.exchange(proof)))
    const refused = await scene.broker.exchange('garbage')

    expect(refused.text).toBe(REFUSED_BODY)
    const records = await recordsAt(url)
    const issued = records.filter(({ decision }) => decision === 'issued').map((record) => record.request_id)
    expect([...issued].sort()).toEqual(replies.map(({ requestId }) => requestId).sort())
    expect(records.filter(({ decision }) => decision === 'refused')).toMatchObject([{ request_id: refused.requestId }])
    expect(scene.broker.records()).toEqual([])
    expect(JSON.stringify(records)).not.toContain(proof)
  })

  test('OAU-25 are committed before the token leaves, and as durably as the server can', async () => {
    const url = await open()
    const proof = await scene.proof()
    const other = await holdOpen(url, ['LOCK TABLE chancery.audit_records IN EXCLUSIVE MODE'])

    let reply: Reply | undefined
    const exchange = scene.broker.exchange(proof).then((answered) => {
      reply = answered
    })
    const waiting = "SELECT count(*)::int FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    await expect.poll(() => server().query(url, waiting)).toEqual([{ count: 1 }])
    expect(reply).toBeUndefined()
    await other.commit()
    await exchange

    expect(reply?.status).toBe(200)
    expect(await recordsAt(url)).toMatchObject([{ decision: 'issued', request_id: reply?.requestId }])
  })

  test('OAU-25 are no tokens’ while the database is down, and a refusal stands without its record', async () => {
    const url = await open()
    const proof = await scene.proof()
    expect((await scene.broker.exchange(proof)).status).toBe(200)
    await server().kill()
    onTestFinished(() => server().start())

    for (let count = 0; count < 3; count++) expectUnavailable(await scene.broker.exchange(proof))
    const refused = await scene.broker.exchange('garbage')
    expect([refused.status, refused.text]).toEqual([400, REFUSED_BODY])
    expect(await scene.broker.metrics()).toMatch(/^chancery_audit_failures_total [1-9]/m)

    await server().start()
    const replies: Reply[] = []
    const again = async () => {
      replies.push(await scene.broker.exchange(proof))
      return replies.at(-1)?.status
    }
    await expect.poll(again, { timeout: 5_000 }).toBe(200)
    const issued = (await recordsAt(url)).filter(({ decision }) => decision === 'issued')
    expect(issued).toHaveLength(2)
    expect(issued[1]?.request_id).toBe(replies.at(-1)?.requestId)
  })

  test('OAU-25 are written whole or not at all where the role may not write them', async () => {
    const url = await open()
    await server().query(url, 'ALTER TABLE chancery.audit_records ADD CHECK (false) NOT VALID')

    expectUnavailable(await scene.broker.exchange(await scene.proof()))

    expect(await recordsAt(url)).toEqual([])
  })
})
