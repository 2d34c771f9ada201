/** Keeps the token of each target, and replaces it in time. */

import type { IssuedToken } from './exchange-proof.ts'
import type { ClientPorts, TokenTarget } from './settings.ts'
import { TokenSourceError } from './token-source-error.ts'
import { unlessAborted } from './unless-aborted.ts'

/** A token is replaced when this part of its life is left, and up to the jitter more, so that no two workloads are in step. */
const REFRESH_BELOW = 1 / 3
const REFRESH_JITTER = 1 / 15

/** The last of a token's life, in which it is not given out: a request takes time. In seconds, and at most a tenth of the life. */
const MARGIN_SECONDS = 10

/** How long a refusal stands before the broker is asked again, in seconds. */
const REFUSAL_SECONDS = 5

/** The longest that a broker's `Retry-After` keeps others from asking, in seconds. */
const MAX_QUIET_SECONDS = 60

/** Between two refreshes that fail while the old token is still good, in seconds: the first, and the longest. */
const REFRESH_BACK_OFF_SECONDS = 5
const MAX_REFRESH_BACK_OFF_SECONDS = 60

/** Between two replacements of tokens that a service refused, in seconds: one that refuses all of them is not worth more. */
const REPLACEMENT_SECONDS = 10

/** Targets that are kept. A workload has a handful; whoever makes them up as he goes keeps the latest. */
const MAX_TARGETS = 256

export interface TokenCache {
  /**
   * Gives the token of a target: the one that is kept while it is good, else a new one. When a third of its life is left, the kept
   * one is given once more and replaced meanwhile. Everybody who waits for one target's token waits for the same exchange.
   */
  get(target: TokenTarget, fresh: boolean, signal: AbortSignal | undefined): Promise<IssuedToken>
  /** Gives another token in place of one that a service refused. Undefined where that was done a moment ago. */
  replace(target: TokenTarget, refused: string, signal: AbortSignal | undefined): Promise<IssuedToken | undefined>
  close(): void
}

interface Entry {
  token: { readonly issued: IssuedToken; readonly refreshBelowSeconds: number } | undefined
  flight: Promise<IssuedToken> | undefined
  /** Why the last exchange failed, and until when that is answer enough, in elapsed seconds. */
  failure: { readonly error: unknown; readonly until: number } | undefined
  failedRefreshes: number
  refreshNotBefore: number
  replaceNotBefore: number
}

export function createTokenCache(
  exchange: (target: TokenTarget, signal: AbortSignal) => Promise<IssuedToken>,
  { now, elapsed, random }: Pick<ClientPorts, 'now' | 'elapsed' | 'random'>,
): TokenCache {
  const entries = new Map<string, Entry>()
  const closing = new AbortController()

  /** By the clock that says less: one may have been set, the other does not count while a machine sleeps. */
  const secondsLeft = ({ expiresAt, endsAtElapsed }: IssuedToken): number =>
    Math.min(expiresAt - now(), endsAtElapsed - elapsed())

  const isGood = (issued: IssuedToken): boolean =>
    secondsLeft(issued) > Math.min(MARGIN_SECONDS, issued.lifeSeconds / 10)

  const keep = (entry: Entry, issued: IssuedToken): void => {
    const refreshBelowSeconds = issued.lifeSeconds * (REFRESH_BELOW + random() * REFRESH_JITTER)
    Object.assign(entry, { token: { issued, refreshBelowSeconds }, failure: undefined, failedRefreshes: 0 })
  }

  const noteFailure = (entry: Entry, error: unknown): void => {
    const quiet = quietSeconds(error)
    entry.failure = quiet === 0 ? undefined : { error, until: elapsed() + quiet }
    const backOff = Math.min(MAX_REFRESH_BACK_OFF_SECONDS, REFRESH_BACK_OFF_SECONDS * 2 ** entry.failedRefreshes++)
    entry.refreshNotBefore = elapsed() + Math.max(quiet, backOff * (0.5 + random() / 2))
  }

  const launch = (entry: Entry, target: TokenTarget): Promise<IssuedToken> => {
    const flight = exchange(target, closing.signal)
      .then(
        (issued) => {
          keep(entry, issued)
          return issued
        },
        (error: unknown) => {
          noteFailure(entry, error)
          throw error
        },
      )
      .finally(() => {
        entry.flight = undefined
      })
    entry.flight = flight
    // Whoever waits is told; a refresh that nobody waits for fails in silence, and is tried again.
    flight.catch(() => undefined)
    return flight
  }

  const get: TokenCache['get'] = async (target, fresh, signal) => {
    signal?.throwIfAborted()
    if (closing.signal.aborted) throw new TokenSourceError('source_closed', 'this token source is closed')
    const entry = entryOf(entries, target)
    const { token, failure } = entry
    if (!fresh && token !== undefined && isGood(token.issued)) {
      const isDue = secondsLeft(token.issued) <= token.refreshBelowSeconds && elapsed() >= entry.refreshNotBefore
      if (isDue && entry.flight === undefined) launch(entry, target).catch(() => undefined)
      return token.issued
    }
    if (!fresh && failure !== undefined && elapsed() < failure.until) throw failure.error
    return await unlessAborted(entry.flight ?? launch(entry, target), signal)
  }

  return {
    get,
    async replace(target, refused, signal) {
      const entry = entryOf(entries, target)
      const kept = entry.token?.issued
      if (kept !== undefined && kept.accessToken !== refused) return await get(target, false, signal)
      if (elapsed() < entry.replaceNotBefore) return undefined
      entry.replaceNotBefore = elapsed() + REPLACEMENT_SECONDS
      entry.token = undefined
      return await get(target, true, signal)
    },
    close() {
      entries.clear()
      closing.abort(new TokenSourceError('source_closed', 'this token source is closed'))
    },
  }
}

/** How long an error is answer enough for whoever asks next, in seconds. */
function quietSeconds(error: unknown): number {
  if (!(error instanceof TokenSourceError)) return 0
  if (error.kind === 'refused') return REFUSAL_SECONDS
  return Math.min(error.retryAfterSeconds ?? 0, MAX_QUIET_SECONDS)
}

/** Finds or makes a target's entry, and makes it the latest. The earliest goes when there are too many. */
function entryOf(entries: Map<string, Entry>, { audience, scope }: TokenTarget): Entry {
  const key = JSON.stringify([audience, scope])
  const entry = entries.get(key) ?? {
    token: undefined,
    flight: undefined,
    failure: undefined,
    failedRefreshes: 0,
    refreshNotBefore: 0,
    replaceNotBefore: 0,
  }
  entries.delete(key)
  entries.set(key, entry)
  const [earliest] = entries.keys()
  if (entries.size > MAX_TARGETS && earliest !== undefined) entries.delete(earliest)
  return entry
}
