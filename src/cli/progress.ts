/** Tells whoever waits for a long input how far it is. */

import type { Terminal } from './exit.ts'

/** How often, in milliseconds: seldom enough for the log of a build, often enough to see that it goes on. */
const INTERVAL_MS = 5_000

/** Creates it. What ends within the first interval says nothing. */
export function createProgress(
  { err }: Pick<Terminal, 'err'>,
  clock: () => number = () => performance.now(),
  intervalMs = INTERVAL_MS,
): { tell(done: string): void } {
  const startedAt = clock()
  let toldAt = startedAt
  return {
    tell(done) {
      const now = clock()
      if (now - toldAt < intervalMs) return
      toldAt = now
      err(`${done} in ${Math.round((now - startedAt) / 1_000)} s\n`)
    },
  }
}
