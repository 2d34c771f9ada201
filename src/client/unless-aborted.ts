/** Longest that a timer can be set for, in milliseconds. */
const LONGEST_MS = 2 ** 31 - 1

/**
 * Waits for work that others may be waiting for too: an aborted signal ends the waiting, and not the work. Keeps the process alive
 * meanwhile, as the work's own timers do not.
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const giveUp = (): void => aborted.reject(signal?.reason)
  const hold = setInterval(() => undefined, LONGEST_MS)
  signal?.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([aborted.promise, work])
  } finally {
    clearInterval(hold)
    signal?.removeEventListener('abort', giveUp)
  }
}
