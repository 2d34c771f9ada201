/** Tells whoever waits for a long input how far it is. */

import type { Terminal } from './exit.ts'

/** How often, in milliseconds: seldom enough for the log of a build, often enough to see that it goes on. */
const INTERVAL_MS = 5_000

/** Creates it. What ends within the first five seconds says nothing. */
export function createProgress(
  { err }: Pick<Terminal, 'err'>,
  clock: () => number = () => performance.now(),
): { tell(records: number): void } {
  const startedAt = clock()
  let toldAt = startedAt
  return {
    tell(records) {
      const now = clock()
      if (now - toldAt < INTERVAL_MS) return
      toldAt = now
      err(`${records.toLocaleString('en')} records read in ${Math.round((now - startedAt) / 1_000)} s\n`)
    },
  }
}
