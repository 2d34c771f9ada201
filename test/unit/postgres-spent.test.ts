/** Spent proofs in the PostgreSQL store: what concerns its transactions, its locks and its limit. */

import { expect, onTestFinished, test } from 'vitest'
import { openPostgresStore } from '../../src/store/postgres.ts'
import { parsePostgresUrl } from '../../src/store/postgres-url.ts'
import { MAX_SPENT_PROOFS } from '../../src/store/retention.ts'
import type { SpentProofs } from '../../src/store/store.ts'
import { holdOpen } from '../support/postgres-intruder.ts'
import { describePostgres } from '../support/postgres-suite.ts'
import { LONG_AGO, NOW, spendable } from '../support/spendable.ts'

async function openAt(url: string, now = LONG_AGO): Promise<SpentProofs> {
  const store = await openPostgresStore(parsePostgresUrl(url))
  onTestFinished(() => store.close())
  return await store.openSpentProofs(now)
}

/** Records, for each proof that is spent, the settings under which that is done. */
const WATCH_SETTINGS = `CREATE TABLE seen (settings TEXT);
  CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO public.seen VALUES (concat_ws(' ', current_setting('synchronous_commit'),
      current_setting('transaction_isolation'), current_setting('statement_timeout'),
      current_setting('idle_in_transaction_session_timeout')));
    RETURN new;
  END $$;
  CREATE TRIGGER watch BEFORE INSERT ON chancery.spent_proofs FOR EACH ROW EXECUTE FUNCTION watch()`

describePostgres('spent proofs in PostgreSQL', (server) => {
  const query = (url: string, sql: string) => server().query(url, sql)

  test('are neither what was signed nor whose it was, but a digest and a time', async () => {
    const url = await server().createDatabase()
    const list = await openAt(url)
    await list.spend(spendable('AKIAEXAMPLE'), NOW)

    const rows = await query(url, 'SELECT * FROM chancery.spent_proofs')

    const { digest } = spendable('AKIAEXAMPLE')
    expect(rows).toEqual([{ digest: Buffer.from(digest), remember_until: String(NOW + 1_800) }])
  })

  test('are on disk before it is told, whatever the server’s settings are', async () => {
    const url = await server().createDatabase()
    const list = await openAt(url)
    await query(url, WATCH_SETTINGS)
    const name = url.split('/').at(-1)
    const lax = { synchronous_commit: 'off', default_transaction_isolation: 'serializable', statement_timeout: '0' }
    for (const [setting, value] of Object.entries(lax)) {
      await query(url, `ALTER DATABASE ${name} SET ${setting} = '${value}'`)
    }
    const later = await openAt(url, NOW)

    await later.spend(spendable('a'), NOW)
    await list.spend(spendable('b'), NOW)

    const settings = 'on read committed 3s 5s'
    expect(await query(url, 'SELECT settings FROM seen')).toEqual([{ settings }, { settings }])
  })

  test('are not acknowledged where their synchronous standby has not got them', async () => {
    const url = await server().createDatabase()
    await query(url, `ALTER DATABASE ${url.split('/').at(-1)} SET client_min_messages = 'error'`)
    const list = await openAt(url)
    const setStandby = async (name: string) => {
      await query(url, `ALTER SYSTEM SET synchronous_standby_names = '${name}'`)
      await query(url, 'SELECT pg_reload_conf()')
      await expect
        .poll(() => query(url, 'SHOW synchronous_standby_names'))
        .toEqual([{ synchronous_standby_names: name }])
    }
    await setStandby('nobody')
    onTestFinished(() => setStandby(''))

    const spending = expect(list.spend(spendable('a'), NOW)).rejects.toThrow('may not have copied it')
    // Whoever gives up waiting for the standby is told that all went well, with a warning.
    const giveUp = "SELECT pg_cancel_backend(pid) AS done FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    await expect.poll(() => query(url, giveUp)).toEqual([{ done: true }])
    await spending
  })

  test('are spent without waiting for each other for ever, in whatever order they come to several processes', async () => {
    const url = await server().createDatabase()
    const lists = [await openAt(url), await openAt(url, NOW), await openAt(url, NOW)]

    for (let round = 0; round < 5; round++) {
      const names = Array.from({ length: 1_000 }, (_, index) => `${round} ${index}`)
      const told = await Promise.all(
        lists.map((list, number) => {
          const turned = number === 1 ? names.toReversed() : names
          return Promise.all(turned.map((name) => list.spend(spendable(name), NOW)))
        }),
      )
      expect(told.flat().filter((spending) => spending === 'spent')).toHaveLength(1_000)
    }
  })

  test('are not decided about while others are being forgotten', async () => {
    const url = await server().createDatabase()
    const list = await openAt(url)
    await list.spend(spendable('a'), NOW)
    const tending = await holdOpen(url, [
      'SELECT pg_advisory_xact_lock(1667788387, 3)',
      'DELETE FROM chancery.spent_proofs',
      `UPDATE chancery.spending SET forgotten_until = ${NOW + 86_400}`,
    ])

    const spending = list.spend(spendable('a'), NOW)
    await expect
      .poll(() => query(url, "SELECT 1 AS waits FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
      .toEqual([{ waits: 1 }])
    await tending.commit()

    expect(await spending).toBe('predates')
  })

  test('go on to be spent by one process while another spends', async () => {
    const url = await server().createDatabase()
    const list = await openAt(url)
    const other = await holdOpen(url, ['SELECT pg_advisory_xact_lock_shared(1667788387, 3)'])

    expect(await list.spend(spendable('a'), NOW)).toBe('spent')

    await other.commit()
  })

  test('wait three seconds for whoever holds the list, and then nobody is let through', async () => {
    const url = await server().createDatabase()
    const list = await openAt(url)
    const other = await holdOpen(url, ['SELECT pg_advisory_xact_lock(1667788387, 3)'])

    await expect(list.spend(spendable('a'), NOW)).rejects.toThrow('statement timeout')

    await other.commit()
    expect(await list.spend(spendable('a'), NOW)).toBe('spent')
  })

  test('are as many as there may be, and none is forgotten for another', async () => {
    const url = await server().createDatabase()
    const list = await openAt(url)
    await list.spend(spendable('a'), NOW)
    await query(url, `UPDATE chancery.spent_counts SET count = count + ${MAX_SPENT_PROOFS - 2} WHERE slot = 3`)

    const spendings = await Promise.all(['b', 'c', 'a', 'c', 'b'].map((name) => list.spend(spendable(name), NOW)))

    expect(spendings).toEqual(['spent', 'full', 'replayed', 'full', 'replayed'])
    expect(await list.isSpent(spendable('c').digest)).toBe(false)
    expect(await list.tend(NOW + 1_800)).toEqual({ count: MAX_SPENT_PROOFS - 2, hasMore: false })
    const later = spendable('d', { issuedAt: NOW + 1_800, expiresAt: NOW + 2_700 })
    expect(await list.spend(later, NOW + 1_800)).toBe('spent')
  })

  test('of which the list cannot tell are told to be spent where it knows that', async () => {
    const url = await server().createDatabase()
    const list = await openAt(url)
    await list.spend(spendable('a'), NOW)

    const old = { issuedAt: LONG_AGO }
    const spendings = await Promise.all(['a', 'b'].map((name) => list.spend(spendable(name, old), NOW)))

    expect(spendings).toEqual(['replayed', 'predates'])
  })

  test('of a list that has lost its past let nobody through', async () => {
    const url = await server().createDatabase()
    const list = await openAt(url)
    await query(url, 'DELETE FROM chancery.spending')

    await expect(list.spend(spendable('a'), NOW)).rejects.toThrow('past')
    await expect(list.tend(NOW)).rejects.toThrow('past')
  })

  test('have a digest, or are refused', async () => {
    const url = await server().createDatabase()
    const list = await openAt(url)

    await expect(list.spend(spendable('a', { digest: new Uint8Array(31) }), NOW)).rejects.toThrow()
    expect(await list.spend(spendable('a'), NOW)).toBe('spent')
  })
})
