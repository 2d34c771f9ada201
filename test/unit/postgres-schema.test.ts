/** The tables of the PostgreSQL store: who makes them, who may use them, and what no broker takes for a store. */

import { readFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SettingsError } from '../../providers/contract/errors.ts'
import { openExistingPostgresStore, openPostgresStore, type PostgresStore } from '../../src/store/postgres.ts'
import { refuseUnfit } from '../../src/store/postgres-schema.ts'
import { parsePostgresUrl } from '../../src/store/postgres-url.ts'
import { makeStandby } from '../support/postgres-server.ts'
import { describePostgres } from '../support/postgres-suite.ts'
import { LONG_AGO, NOW, spendable } from '../support/spendable.ts'
import { ringOfPair } from '../support/stored-keys.ts'

async function openAt(url: string): Promise<PostgresStore> {
  const store = await openPostgresStore(parsePostgresUrl(url))
  onTestFinished(() => store.close())
  return store
}

/** Gives what is told of a database that cannot be used. */
async function troubleAt(url: string): Promise<string> {
  const error = await openPostgresStore(parsePostgresUrl(url)).then(
    (store) => store.close(),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof SettingsError)) throw new Error('it can be used')
  const [problem] = error.problems
  expect(problem).toMatchObject({ path: ['--store'], code: 'store_unusable' })
  return problem?.message ?? ''
}

const as = (role: string, url: string): string => url.replace('postgres@', `${role}@`)

const GRANTS = readFileSync(new URL('../../infra/postgres/grants.sql', import.meta.url), 'utf8')
const README = readFileSync(new URL('../../infra/postgres/README.md', import.meta.url), 'utf8')

describePostgres('the schema of a PostgreSQL store', (server) => {
  const query = (url: string, sql: string) => server().query(url, sql)

  test('is made once, however many processes find none', async () => {
    const url = await server().createDatabase()

    await Promise.all(Array.from({ length: 4 }, () => openAt(url)))

    const steps = await query(url, 'SELECT number FROM chancery.migrations ORDER BY number')
    expect(steps).toEqual([{ number: 1 }, { number: 2 }])
  })

  test('of a newer version is refused, and nothing of it is touched', async () => {
    const url = await server().createDatabase()
    await (await openAt(url)).replaceSigningKeys(ringOfPair('a'))
    await query(url, "INSERT INTO chancery.migrations (number, checksum) VALUES (3, 'of tomorrow')")

    expect(await troubleAt(url)).toContain('a newer version')
    expect(await query(url, 'SELECT count(*)::int FROM chancery.signing_keys')).toEqual([{ count: 2 }])
  })

  test('that another program made is refused', async () => {
    const url = await server().createDatabase()
    await openAt(url)
    await query(url, "UPDATE chancery.migrations SET checksum = 'other' WHERE number = 1")

    expect(await troubleAt(url)).toContain('step 1 of its schema is not this version')
  })

  test('is not made by who only looks after the keys', async () => {
    const url = await server().createDatabase()

    expect(await openExistingPostgresStore(parsePostgresUrl(url))).toBeUndefined()

    expect(await query(url, "SELECT to_regnamespace('chancery') AS schema")).toEqual([{ schema: null }])
    await openAt(url)
    const store = await openExistingPostgresStore(parsePostgresUrl(url))
    expect((await store?.signingKeys())?.keys).toEqual([])
    await store?.close()
  })

  describe('and roles', () => {
    test('one that may do nothing in the database is told what it needs', async () => {
      const url = await server().createDatabase()
      await query(url, 'CREATE ROLE stranger LOGIN')

      expect(await troubleAt(as('stranger', url))).toContain('the role must own the schema chancery')
    })

    test('one that owns the schema, and may make no other, makes the tables', async () => {
      const url = await server().createDatabase()
      await query(url, 'CREATE ROLE owner LOGIN; CREATE SCHEMA chancery AUTHORIZATION owner')

      const store = await openAt(as('owner', url))

      expect(await store.replaceSigningKeys(ringOfPair('a'))).toBe(true)
    })

    test('one that has the published grants does all that a broker does, and changes no record', async () => {
      const url = await server().createDatabase()
      await openAt(url)
      await query(url, `CREATE ROLE broker LOGIN; ${GRANTS.replaceAll(':"broker"', 'broker')}`)

      const store = await openAt(as('broker', url))

      expect(await store.replaceSigningKeys(ringOfPair('a'))).toBe(true)
      const kept = { delegation: '', file: 'f', digest: 'd', packed: new Uint8Array([1]), code: 'c' }
      await store.keepDocuments([kept], [''])
      await store.recodeDocument(kept, 'e')
      expect(await store.keptDocuments()).toHaveLength(1)
      const list = await store.openSpentProofs(LONG_AGO)
      expect(await list.spend(spendable('a'), NOW)).toBe('spent')
      expect(await list.isSpent(spendable('a').digest)).toBe(true)
      expect(await list.tend(NOW + 86_400)).toEqual({ count: 0, hasMore: false })
      await store.appendRecords(['{}'])
      for (const act of ['SELECT * FROM', 'DELETE FROM', 'TRUNCATE']) {
        await expect(query(as('broker', url), `${act} chancery.audit_records`)).rejects.toThrow('permission denied')
      }
    })
  })

  test('keeps audit records that not even their owner changes by the way', async () => {
    const url = await server().createDatabase()
    const store = await openAt(url)
    await store.appendRecords(['{"a":"é\\u0000"}', '{"b":2}'])

    for (const act of [
      "UPDATE chancery.audit_records SET record = ''",
      'DELETE FROM chancery.audit_records',
      'TRUNCATE chancery.audit_records',
    ]) {
      await expect(query(url, act)).rejects.toThrow('only ever added')
    }

    const records = await query(url, 'SELECT record FROM chancery.audit_records ORDER BY id')
    expect(records).toEqual([{ record: '{"a":"é\\u0000"}' }, { record: '{"b":2}' }])
  })

  test('lets its owner remove old audit records as the README says, and no younger ones', async () => {
    const url = await server().createDatabase()
    const store = await openAt(url)
    await store.appendRecords(['{"old":1}', '{"young":1}'])
    const age =
      "UPDATE chancery.audit_records SET recorded_at = now() - interval '401 days' WHERE record = '{\"old\":1}'"
    await query(url, `SET session_replication_role = replica; ${age}`)

    const [, block = ''] = /```sql\n([\s\S]*?)```/.exec(README) ?? []
    await query(url, block)

    expect(await query(url, 'SELECT record FROM chancery.audit_records')).toEqual([{ record: '{"young":1}' }])
    await expect(query(url, 'DELETE FROM chancery.audit_records')).rejects.toThrow('only ever added')
  })

  test('is not made in a database that cannot hold every text', async () => {
    await query(server().urlOf('postgres'), "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")

    expect(await troubleAt(server().urlOf('latin'))).toContain('UTF8')
  })

  test('is used on no server that may forget what it acknowledged', async () => {
    const url = await server().createDatabase()
    await server().start({ fsync: 'off' })
    onTestFinished(() => server().start())

    expect(await troubleAt(url)).toContain('fsync')
  })

  test('is not used on a replica', async () => {
    const url = await server().createDatabase()
    const store = await openPostgresStore(parsePostgresUrl(url))
    await store.close()
    const copy = await server().copyData()
    makeStandby(copy)
    await server().start({}, copy)
    onTestFinished(() => server().start())

    expect(await troubleAt(url)).toContain('read-write mode during recovery')
  })
})

test('is used on servers from PostgreSQL 15 on', () => {
  const server = { fsync: 'on', encoding: 'UTF8' }

  expect(() => refuseUnfit({ ...server, version: 149_999 })).toThrow('older than PostgreSQL 15')
  expect(() => refuseUnfit({ ...server, version: 150_000 })).not.toThrow()
})

describe('a database that is not there', () => {
  test('is told by its name, without the password', async () => {
    const message = await troubleAt('postgres://chancery:s3cret@127.0.0.1:1/chancery')

    expect(message).toContain('--store: chancery@127.0.0.1:1/chancery: ')
    expect(message).toContain('ECONNREFUSED')
    expect(message).not.toContain('s3cret')
  })
})
