/** The least wait before a worker that ended is replaced, in milliseconds, and the longest. */
const LEAST_MS = 250
const MOST_MS = 30_000

/** Time without an end after which the next wait is the least again, in milliseconds. */
const CALM_MS = 60_000

/**
 * Says how long to wait before the next worker is started: each time twice as long, until it has been calm for a minute since the last
 * one was due. A worker that does not last must not cost those that do. `now` is in milliseconds, by a clock that never goes back.
 */
export function createPatience(now: () => number): { readonly next: () => number } {
  let wait = LEAST_MS
  let lastDue = Number.NEGATIVE_INFINITY
  return {
    next() {
      wait = now() - lastDue > CALM_MS ? LEAST_MS : Math.min(wait * 2, MOST_MS)
      lastDue = now() + wait
      return wait
    },
  }
}
