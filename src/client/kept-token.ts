/** One target's token: kept while it is good, replaced in time. */

import type { IssuedToken } from './exchange-proof.ts'
import type { ClientPorts } from './settings.ts'
import { TokenSourceError } from './token-source-error.ts'
import { unlessAborted } from './unless-aborted.ts'

/** A token is replaced when this part of its life is left, and up to the jitter more, so that no two workloads are in step. */
const REFRESH_BELOW = 1 / 3
const REFRESH_JITTER = 1 / 15

/** The last of a token's life, in which it is not given out: a request takes time. In seconds, and at most a tenth of the life. */
const MARGIN_SECONDS = 10

/** How long a refusal stands before the broker is asked again, in seconds. */
const REFUSAL_SECONDS = 5

/**
 * How long an outage stands, in seconds: the first, and the longest. It doubles, less up to half by chance, so that loops around
 * `token()` do not keep a broker down that tries to come back.
 */
const OUTAGE_SECONDS = 1
const MAX_OUTAGE_SECONDS = 10

/** The longest that a broker's `Retry-After` keeps others from asking, in seconds. */
const MAX_QUIET_SECONDS = 60

/** Between two refreshes that fail while the old token is still good, in seconds: the first, and the longest. */
const REFRESH_BACK_OFF_SECONDS = 5
const MAX_REFRESH_BACK_OFF_SECONDS = 60

/** Between two replacements of tokens that a service refused, in seconds: one that refuses all of them is not worth more. */
const REPLACEMENT_SECONDS = 10

/** The token of one target. */
export interface KeptToken {
  /**
   * Gives the token that is kept while it is good, else a new one. When a third of its life is left, the kept one is given once
   * more and replaced meanwhile. Everybody who waits for a new one waits for the same exchange.
   */
  get(fresh: boolean, signal: AbortSignal | undefined): Promise<IssuedToken>
  /** Gives another token in place of one that a service refused. Undefined where that was done a moment ago. */
  replace(refused: string, signal: AbortSignal | undefined): Promise<IssuedToken | undefined>
}

/** What it sees of the world. */
export type KeptTokenPorts = Pick<ClientPorts, 'now' | 'elapsed' | 'random'>

/** Creates it, empty. `exchange` gets a new token. */
export function createKeptToken(exchange: () => Promise<IssuedToken>, ports: KeptTokenPorts): KeptToken {
  const { now, elapsed, random } = ports
  let token: { readonly issued: IssuedToken; readonly refreshBelowSeconds: number } | undefined
  let flight: Promise<IssuedToken> | undefined
  const trouble = createTrouble(ports)
  let replaceNotBefore = 0

  /** By the clock that says less: one may have been set, the other does not count while a machine sleeps. */
  const secondsLeft = ({ expiresAt, endsAtElapsed }: IssuedToken): number =>
    Math.min(expiresAt - now(), endsAtElapsed - elapsed())

  const launch = async (): Promise<IssuedToken> => {
    try {
      const issued = await exchange()
      token = { issued, refreshBelowSeconds: issued.lifeSeconds * (REFRESH_BELOW + random() * REFRESH_JITTER) }
      trouble.end()
      return issued
    } catch (error) {
      trouble.note(error)
      throw error
    } finally {
      flight = undefined
    }
  }
  const join = (): Promise<IssuedToken> => {
    flight ??= launch()
    return flight
  }
  const get: KeptToken['get'] = async (fresh, signal) => {
    if (fresh) return await unlessAborted(join(), signal)
    if (token !== undefined) {
      const { issued, refreshBelowSeconds } = token
      const left = secondsLeft(issued)
      // A refresh that nobody waits for fails in silence, and is tried again.
      if (left <= refreshBelowSeconds && trouble.mayRefresh()) join().catch(() => undefined)
      if (left > Math.min(MARGIN_SECONDS, issued.lifeSeconds / 10)) return issued
    }
    if (flight === undefined) trouble.rethrow()
    return await unlessAborted(join(), signal)
  }
  return {
    get,
    async replace(refused, signal) {
      if (token !== undefined && token.issued.accessToken !== refused) return await get(false, signal)
      if (flight !== undefined) return await unlessAborted(flight, signal)
      if (elapsed() < replaceNotBefore) return undefined
      replaceNotBefore = elapsed() + REPLACEMENT_SECONDS
      token = undefined
      return await get(true, signal)
    },
  }
}

/** What is remembered of exchanges that failed. */
interface Trouble {
  note(error: unknown): void
  end(): void
  mayRefresh(): boolean
  /** Throws the last error while it is answer enough. */
  rethrow(): void
}

function createTrouble({ elapsed, random }: KeptTokenPorts): Trouble {
  let last: { readonly error: unknown; readonly until: number } | undefined
  let count = 0
  let refreshNotBefore = 0
  return {
    note(error) {
      const step = 2 ** count++
      const share = 0.5 + random() / 2
      const quiet = quietSeconds(error, Math.min(MAX_OUTAGE_SECONDS, OUTAGE_SECONDS * step) * share)
      last = { error, until: elapsed() + quiet }
      const backOff = Math.min(MAX_REFRESH_BACK_OFF_SECONDS, REFRESH_BACK_OFF_SECONDS * step)
      refreshNotBefore = elapsed() + Math.max(quiet, backOff * share)
    },
    end() {
      last = undefined
      count = 0
      refreshNotBefore = 0
    },
    mayRefresh: () => elapsed() >= refreshNotBefore,
    rethrow() {
      if (last !== undefined && elapsed() < last.until) throw last.error
    },
  }
}

/** How long an error is answer enough for whoever asks next, in seconds. */
function quietSeconds(error: unknown, outageSeconds: number): number {
  if (!(error instanceof TokenSourceError) || error.kind === 'setup') return 0
  if (error.kind === 'refused') return REFUSAL_SECONDS
  return Math.min(Math.max(error.retryAfterSeconds ?? 0, outageSeconds), MAX_QUIET_SECONDS)
}
