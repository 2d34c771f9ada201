/** Keeps one token fresh for as long as somebody wants it. */

import { setTimeout } from 'node:timers/promises'
import { type ServiceToken, type TokenSource, TokenSourceError } from '../../client/client.ts'
import { renewalTime, waitAfter } from './back-off.ts'

/** What a token is asked for. */
export interface TokenWish {
  readonly audience?: string
  readonly scope?: string
}

/** Time and chance. */
export interface KeeperWorld {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** From 0 up to, but without, 1. */
  readonly random: () => number
  /** Resolves after a time, or at once when the signal says so. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

export interface Keeper {
  /** Hands over a token that is not the one before. When it rejects, the same token is handed over again later. */
  readonly deliver: (token: ServiceToken, renewalAt: number) => Promise<void>
  /** Hears what went wrong, and in how many milliseconds the next attempt is made. */
  readonly hear: (trouble: unknown, waitMs: number) => void
}

/** Longest sleep in one piece, in milliseconds: a machine that was suspended, or a clock that was put right, is noticed. */
const LONGEST_NAP_MS = 30_000

export const REAL_WORLD: KeeperWorld = {
  now: Date.now,
  random: Math.random,
  // Only the signal makes it reject, and whoever waits looks at the signal next.
  sleep: (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }).catch(() => undefined),
}

/** Asks, delivers, waits until the token is to be renewed, and begins again, until the signal ends it. Never rejects for trouble. */
export async function keepFresh(
  source: TokenSource,
  wish: TokenWish,
  keeper: Keeper,
  signal: AbortSignal,
  world: KeeperWorld = REAL_WORLD,
): Promise<void> {
  let failures = 0
  let fresh = false
  while (!signal.aborted) {
    try {
      const asked = source.token({ ...wish, fresh, signal })
      // Where there is none, it is for our own back-off to say when the broker is asked again.
      fresh = true
      const token = await asked
      fresh = false
      const renewalAt = renewalTime(world.now(), token.expiresAt * 1_000, world.random)
      await keeper.deliver(token, renewalAt)
      failures = 0
      await sleepUntil(renewalAt, signal, world)
      fresh = true
    } catch (trouble) {
      if (signal.aborted) return
      failures++
      const wait = waitAfter(failures, world.random, retryAfterOf(trouble))
      keeper.hear(trouble, wait)
      await sleepUntil(world.now() + wait, signal, world)
    }
  }
}

/** Until the clock says so, or until that much was slept: a clock that was set back must not make a token outstay its life. */
async function sleepUntil(time: number, signal: AbortSignal, world: KeeperWorld): Promise<void> {
  let rest = time - world.now()
  while (!signal.aborted) {
    const nap = Math.min(rest, time - world.now(), LONGEST_NAP_MS)
    if (nap <= 0) return
    await world.sleep(nap, signal)
    rest -= nap
  }
}

function retryAfterOf(trouble: unknown): number | undefined {
  return trouble instanceof TokenSourceError ? trouble.retryAfterSeconds : undefined
}
