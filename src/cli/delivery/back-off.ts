/** When to ask again, so that many who ask at once do not ask at once again. */

/** The first window, in milliseconds. It doubles with each failure in a row. */
const FIRST_WINDOW_MS = 1_000

/** The widest window, in milliseconds: how long a broker that has come back is found at the latest. */
export const WIDEST_WINDOW_MS = 60_000

/** The longest that a broker's word keeps us away, in seconds: whoever answers in its place must not do so for a week. */
const MAX_RETRY_AFTER_SECONDS = 60

/** The least wait, in milliseconds: a window may give none at all. */
const LEAST_WAIT_MS = 100

/**
 * Gives how long to wait after a number of failures in a row, in milliseconds: anywhere in a window that doubles ("full jitter"),
 * after the time for which the broker said to stay away, a minute at most. It says the same to everybody, so that the window comes
 * on top.
 *
 * @see {@link https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ Exponential backoff and jitter}
 */
export function waitAfter(failures: number, random: () => number, retryAfterSeconds = 0): number {
  const window = Math.min(WIDEST_WINDOW_MS, FIRST_WINDOW_MS * 2 ** Math.min(Math.max(failures - 1, 0), 16))
  return Math.min(retryAfterSeconds, MAX_RETRY_AFTER_SECONDS) * 1_000 + Math.max(LEAST_WAIT_MS, random() * window)
}

/** How much of a token's life passes before it is renewed: two thirds of it, and up to a tenth of that less or more. */
const RENEWED_AFTER = 2 / 3
const RENEWED_SPREAD = 0.1

/** The least time between two renewals, in milliseconds. */
const LEAST_RENEWAL_MS = 1_000

/** Gives when to renew a token that was received at `now` and ends at `expiresAt`, all in milliseconds since the epoch. */
export function renewalTime(now: number, expiresAt: number, random: () => number): number {
  const share = RENEWED_AFTER * (1 + RENEWED_SPREAD * (2 * random() - 1))
  return now + Math.max(LEAST_RENEWAL_MS, (expiresAt - now) * share)
}
