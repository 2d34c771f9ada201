/** Tries again what may be tried again, and no longer than anybody waits. */

import type { ClientPorts } from './settings.ts'
import { TokenSourceError } from './token-source-error.ts'

/** How often a broker is asked for one token, and for how long in all, in seconds. */
const MAX_ATTEMPTS = 4
export const PATIENCE_SECONDS = 20

/** The first wait, in seconds. Each further one is twice as long. */
const FIRST_WAIT_SECONDS = 0.25

/**
 * Does something, and again where the broker was not reached, or answered that it cannot now (503) or that there is too much (429).
 * Waits at least as long as `Retry-After` says, and never beyond its patience: then it fails at once with the broker's last answer.
 * Whatever else goes wrong is never tried again. Each attempt begins anew, so that a proof for one exchange is used in one.
 */
export async function withPatience<T>(
  attempt: (signal: AbortSignal) => Promise<T>,
  { elapsed, random, wait }: Pick<ClientPorts, 'elapsed' | 'random' | 'wait'>,
  signal: AbortSignal,
): Promise<T> {
  const giveUpAt = elapsed() + PATIENCE_SECONDS
  for (let count = 1; ; count++) {
    try {
      return await attempt(signal)
    } catch (error) {
      if (!isPassing(error) || count === MAX_ATTEMPTS) throw error
      const backOff = FIRST_WAIT_SECONDS * 2 ** (count - 1) * (0.5 + random() / 2)
      const pause = (error.retryAfterSeconds ?? 0) + backOff
      if (elapsed() + pause > giveUpAt) throw error
      await wait(pause, signal)
    }
  }
}

function isPassing(error: unknown): error is TokenSourceError {
  return (
    error instanceof TokenSourceError && (error.code === 'broker_unavailable' || error.code === 'broker_unreachable')
  )
}
