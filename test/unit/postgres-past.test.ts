/** A database that is another than it was: a standby that took over, a backup that was put back, a copy. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { openPostgresStore } from '../../src/store/postgres.ts'
import { parsePostgresUrl } from '../../src/store/postgres-url.ts'
import type { SpentProofs, Store } from '../../src/store/store.ts'
import { makeStandby } from '../support/postgres-server.ts'
import { describePostgres } from '../support/postgres-suite.ts'
import { LONG_AGO, NOW, spendable } from '../support/spendable.ts'

interface Opened {
  readonly store: Store
  readonly list: SpentProofs
  /** What it was told of the database's being another. */
  readonly doubts: readonly number[]
}

async function openAt(url: string, now = LONG_AGO): Promise<Opened> {
  const doubts: number[] = []
  const store = await openPostgresStore(parsePostgresUrl(url), { onDoubt: (time) => void doubts.push(time) })
  onTestFinished(() => store.close())
  return { store, list: await store.openSpentProofs(now), doubts }
}

/** Spends as soon as the database answers again. */
async function spendLater(list: SpentProofs, name: string, now: number, issuedAt = NOW): Promise<string> {
  let spending: string | undefined
  const trySpend = async () => {
    spending = await list.spend(spendable(name, { issuedAt }), now)
    return spending
  }
  await expect.poll(trySpend, { timeout: 10_000, interval: 50 }).toBeTypeOf('string')
  return spending ?? ''
}

describePostgres('a database that is another than it was', (server) => {
  const query = (url: string, sql: string) => server().query(url, sql)

  describe('because a standby took over that had not got everything', () => {
    async function failOver() {
      const url = await server().createDatabase()
      const { store, list, doubts } = await openAt(url)
      await list.tend(NOW)
      const standby = await server().copyData()
      makeStandby(standby)
      await server().start()
      onTestFinished(() => server().start())
      expect(await spendLater(list, 'a', NOW)).toBe('spent')
      await server().kill()
      await server().start({}, standby)
      return { url, store, list, doubts, promote: () => query(server().urlOf('postgres'), 'SELECT pg_promote()') }
    }

    test('is not asked while it is a replica, and is doubted from when it answers as the primary', async () => {
      const { url, list, doubts, promote } = await failOver()

      await expect(list.spend(spendable('a'), NOW + 1)).rejects.toThrow()
      await expect
        .poll(() => list.spend(spendable('a'), NOW + 1).catch((error: Error) => error.message))
        .toContain('recovery')
      await promote()

      expect(await list.isSpent(spendable('a').digest)).toBe(false)
      expect(await list.spend(spendable('a'), NOW + 1)).toBe('predates')
      expect(doubts).toEqual([NOW + 61])
      expect(list.believedFrom).toBe(NOW + 61)
      expect(await list.spend(spendable('b', { issuedAt: NOW + 60 }), NOW + 60)).toBe('predates')
      expect(await list.spend(spendable('b', { issuedAt: NOW + 61 }), NOW + 61)).toBe('spent')
      expect((await openAt(url, NOW + 61)).list.believedFrom).toBe(NOW + 61)
      expect(doubts).toEqual([NOW + 61])
    })

    test('is doubted by a process that starts after that, and by one that only tends the list', async () => {
      const { url, list, doubts, promote } = await failOver()
      await promote()

      expect((await openAt(url, NOW + 1)).list.believedFrom).toBe(NOW + 61)
      await expect
        .poll(() =>
          list.tend(NOW + 2).then(
            () => 'tended',
            () => 'not',
          ),
        )
        .toBe('tended')

      expect(doubts).toEqual([NOW + 61])
      expect(await list.spend(spendable('a'), NOW + 2)).toBe('predates')
    })

    test('has keys that nobody takes for the newest while it is a replica', async () => {
      const { url, store, promote } = await failOver()
      const readKeys = () =>
        store.signingKeys().then(
          () => 'read',
          (error: Error) => error.message,
        )

      await expect(openPostgresStore(parsePostgresUrl(url))).rejects.toThrow('recovery')
      await expect.poll(readKeys).toContain('the database is a replica')
      await promote()

      expect(await readKeys()).toBe('read')
      expect((await openAt(url, NOW)).list.believedFrom).toBe(NOW + 60)
    })
  })

  test('is known by its cluster, its timeline, its number and that of its table', async () => {
    const url = await server().createDatabase()
    await openAt(url)

    const [known] = await query(
      url,
      `SELECT lineage, (SELECT system_identifier FROM pg_control_system()) || ' 00000001 ' ||
        (SELECT oid FROM pg_database WHERE datname = current_database()) || ' ' ||
        (SELECT oid FROM pg_class WHERE relname = 'spent_proofs') AS expected FROM chancery.spending`,
    )

    expect(known?.lineage).toBe(known?.expected)
  })

  test('because its server was killed and started again is the same', async () => {
    const url = await server().createDatabase()
    const { list, doubts } = await openAt(url)
    await list.spend(spendable('a'), NOW)
    await server().kill()
    await server().start()

    expect(await spendLater(list, 'a', NOW + 1)).toBe('replayed')
    expect(await list.spend(spendable('b'), NOW + 1)).toBe('spent')
    expect(doubts).toEqual([])
  })

  test('because an older state was put back into its tables is doubted by whoever has seen the newer one', async () => {
    const url = await server().createDatabase()
    const { list, doubts } = await openAt(url)
    const [before] = await query(url, 'SELECT * FROM chancery.spending')
    for (let beat = 0; beat < 3; beat++) await list.tend(NOW)
    await list.spend(spendable('a'), NOW)
    await query(url, `DELETE FROM chancery.spent_proofs; UPDATE chancery.spending SET beats = ${Number(before?.beats)}`)

    expect(await list.spend(spendable('a'), NOW + 1)).toBe('predates')
    expect(doubts).toEqual([NOW + 61])
    expect(await list.spend(spendable('b', { issuedAt: NOW + 61 }), NOW + 61)).toBe('spent')
  })

  test('because it was emptied while it was in use lets nobody through', async () => {
    const url = await server().createDatabase()
    const { list } = await openAt(url)
    await query(url, 'TRUNCATE chancery.spent_proofs, chancery.spending')

    await expect(list.spend(spendable('a'), NOW)).rejects.toThrow('past')
  })

  test.each([
    ['a copy of the database', 'CREATE DATABASE copy TEMPLATE original', 'copy'],
    [
      'a table of a dump',
      'CREATE TABLE chancery.other (LIKE chancery.spent_proofs INCLUDING ALL); DROP TABLE chancery.spent_proofs; ALTER TABLE chancery.other RENAME TO spent_proofs',
      'original',
    ],
  ])('because it is %s is doubted by whoever opens it', async (_what, sql, name) => {
    await query(server().urlOf('postgres'), 'DROP DATABASE IF EXISTS original')
    await query(server().urlOf('postgres'), 'CREATE DATABASE original')
    const url = server().urlOf('original')
    const store = await openPostgresStore(parsePostgresUrl(url))
    await store.openSpentProofs(LONG_AGO)
    await store.close()
    await query(name === 'copy' ? server().urlOf('postgres') : url, sql)

    expect((await openAt(server().urlOf(name), NOW)).list.believedFrom).toBe(NOW + 60)
  })
})
