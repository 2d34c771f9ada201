/** Spent proofs in the embedded store. */

import { DatabaseSync } from 'node:sqlite'
import type { NumericDate } from '../../providers/contract/proof.ts'
import {
  believeAnew,
  believeNew,
  canTell,
  MAX_SPENT_PROOFS,
  rememberUntil,
  type StorePast,
  wasAway,
} from './retention.ts'
import { guardFile, identify } from './sqlite-file.ts'
import { inTransaction, whenFree } from './sqlite-transaction.ts'
import type { SpendableProof, Spending, SpentCount, SpentProofs } from './store.ts'

/** Most proofs that are forgotten in one transaction: two milliseconds, in which nothing else is served. */
const FORGET_AT_ONCE = 100

/** Whoever waits to be told what became of a proof. */
interface Caller {
  readonly proof: SpendableProof
  readonly now: NumericDate
  readonly resolve: (spending: Spending) => void
  readonly reject: (error: unknown) => void
}

/**
 * Opens the list of spent proofs of a file that is migrated.
 *
 * A new list is believed from the next second. Where the file is another than last time, or nobody gave a sign of life for minutes, an older
 * state may have been put back, and the list is believed from a minute on.
 */
export async function openSpentProofs(file: string, now: NumericDate): Promise<SpentProofs & { close(): void }> {
  // A connection of its own that waits for nobody: the other's waiting would hold up all that is served.
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec('PRAGMA synchronous = FULL')
    const refuseReplaced = guardFile(file)
    const opened = identify(file)
    const believedFrom = await whenFree(() => inTransaction(database, () => noteOpening(database, opened, now)))
    return { believedFrom, ...createSpentProofs(database, refuseReplaced) }
  } catch (error) {
    database.close()
    throw error
  }
}

function noteOpening(database: DatabaseSync, file: string, now: NumericDate): NumericDate {
  const row = database.prepare('SELECT believed_from, alive_at, file FROM spending WHERE id = 1').get()
  const isSame = row !== undefined && row.file === file && !wasAway(Number(row.alive_at), now)
  const believedFrom = isSame ? Number(row.believed_from) : row === undefined ? believeNew(now) : believeAnew(now)
  database
    .prepare(
      'INSERT INTO spending (id, believed_from, alive_at, file, forgotten_until, count) VALUES (1, ?, ?, ?, 0, (SELECT count(*) FROM spent_proofs)) ON CONFLICT (id) DO UPDATE SET believed_from = excluded.believed_from, alive_at = excluded.alive_at, file = excluded.file, count = excluded.count',
    )
    .run(believedFrom, now, file)
  return believedFrom
}

function createSpentProofs(
  database: DatabaseSync,
  refuseReplaced: () => void,
): Omit<SpentProofs, 'believedFrom'> & { close(): void } {
  const statements = prepare(database)
  let waiting: Caller[] = []

  /** Takes the lock, and makes sure that what is locked is what every process uses. */
  const write = <T>(work: () => T): Promise<T> =>
    whenFree(() =>
      inTransaction(database, () => {
        refuseReplaced()
        return work()
      }),
    )
  /** All that came in one turn of the event loop share a transaction, and so one wait for the disk. */
  const settle = async (): Promise<void> => {
    const callers = waiting
    waiting = []
    try {
      const settled = await write(() => spendAll(callers, statements))
      for (const { caller, spending } of settled) caller.resolve(spending)
    } catch (error) {
      for (const { reject } of callers) reject(error)
    }
  }
  return {
    isSpent: (digest) => whenFree(() => statements.find.get(digest) !== undefined),
    spend: (proof, now) =>
      new Promise((resolve, reject) => {
        if (waiting.length === 0) setImmediate(() => void settle())
        waiting.push({ proof, now, resolve, reject })
      }),
    tend: (now) => write(() => tend(statements, now)),
    close: () => database.close(),
  }
}

type Statements = ReturnType<typeof prepare>

function prepare(database: DatabaseSync) {
  return {
    find: database.prepare('SELECT 1 FROM spent_proofs WHERE digest = ?'),
    add: database.prepare('INSERT INTO spent_proofs (digest, remember_until) VALUES (?, ?)'),
    past: database.prepare('SELECT believed_from, forgotten_until, count FROM spending WHERE id = 1'),
    setCount: database.prepare('UPDATE spending SET count = ? WHERE id = 1'),
    forget: database.prepare(
      'DELETE FROM spent_proofs WHERE digest IN (SELECT digest FROM spent_proofs WHERE remember_until <= ? ORDER BY remember_until LIMIT ?) RETURNING remember_until',
    ),
    noteTending: database.prepare(
      'UPDATE spending SET alive_at = ?, forgotten_until = max(forgotten_until, ?), count = count - ? WHERE id = 1 RETURNING count',
    ),
  }
}

function spendAll(callers: readonly Caller[], statements: Statements) {
  const row = known(statements.past.get())
  const past = { believedFrom: Number(row.believed_from), forgottenUntil: Number(row.forgotten_until) }
  let count = Number(row.count)
  const settled = callers.map((caller) => {
    const spending = spendOne(caller, past, count, statements)
    if (spending === 'spent') count++
    return { caller, spending }
  })
  statements.setCount.run(count)
  return settled
}

function spendOne({ proof, now }: Caller, past: StorePast, count: number, statements: Statements): Spending {
  if (statements.find.get(proof.digest) !== undefined) return 'replayed'
  if (!canTell(past, proof)) return 'predates'
  if (count >= MAX_SPENT_PROOFS) return 'full'
  statements.add.run(proof.digest, rememberUntil(proof, now))
  return 'spent'
}

function tend(statements: Statements, now: NumericDate): SpentCount {
  const forgotten = statements.forget.all(now, FORGET_AT_ONCE).map((row) => Number(row.remember_until))
  const row = known(statements.noteTending.get(now, Math.max(0, ...forgotten), forgotten.length))
  return { count: Number(row.count), hasMore: forgotten.length === FORGET_AT_ONCE }
}

/** A store that has lost its past cannot tell about any proof. */
function known<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new Error('the store does not know its own past')
  return row
}
