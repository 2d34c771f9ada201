/** Transactions on a file that other processes write, too. */

import type { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'

/** How long a process waits for another's write, in milliseconds. */
export const BUSY_TIMEOUT_MS = 5_000

/** How often it looks whether another process is done, in milliseconds. */
const BUSY_RETRY_MS = 5

/** @see {@link https://sqlite.org/rescode.html#busy SQLite's result codes} */
const SQLITE_BUSY = 5

/** Takes the write lock first, so that what is read inside cannot be outdated by another process. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // SQLite has rolled back by itself where the disk failed, and then has nothing to roll back.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/**
 * Repeats work that another process's lock stands against, until that is gone. SQLite's own waiting holds up the whole process,
 * and where the journal's mode changes it does not wait at all.
 */
export async function whenFree<T>(work: () => T): Promise<T> {
  const deadline = performance.now() + BUSY_TIMEOUT_MS
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
      await setTimeout(BUSY_RETRY_MS)
    }
  }
}

/** The lower byte says what kind of error it is, the rest why. */
function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode
  return code !== undefined && (code & 0xff) === SQLITE_BUSY
}
