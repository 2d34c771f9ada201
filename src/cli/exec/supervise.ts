/** Runs a program with a token, and does what was chosen when the token is renewed. */

import { setTimeout } from 'node:timers/promises'
import type { ServiceToken } from '../../client/client.ts'
import { type Child, startChild } from './child.ts'
import { catchSignals } from './signals.ts'
import type { TokenPlace } from './token-place.ts'

/** What a renewed token means for the program. */
export type OnRenewal =
  /** Nothing: it keeps what it was started with. */
  | { readonly kind: 'nothing' }
  /** The file has the new one, and it looks by itself. */
  | { readonly kind: 'update' }
  /** The file has the new one, and a signal says so. */
  | { readonly kind: 'signal'; readonly signal: NodeJS.Signals }
  /** It is ended, and started anew. */
  | { readonly kind: 'restart' }

/** How long a program that is restarted gets to end by itself, in milliseconds. */
const RESTART_GRACE_MS = 10_000

export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly hasTerminal: boolean
}

export interface Supervised {
  /** Resolves with the program's exit code once it has ended, unless that was for a restart. */
  readonly ended: Promise<number>
  /** Why it could not be run. */
  readonly trouble: () => NodeJS.ErrnoException | undefined
  /** Hands a renewed token over. */
  renew(token: ServiceToken): Promise<void>
}

/** Starts a program whose token is in its place already. */
export function supervise(program: Program, place: TokenPlace, onRenewal: OnRenewal): Supervised {
  const start = (): Child => startChild(program.command, program.args, { ...program.environment, ...place.variables() })
  let isRestarting = false
  let isToEnd = false
  const { promise: ended, resolve } = Promise.withResolvers<number>()
  // Before there is a program: what it does first may be to tell somebody that it is there to be signalled.
  const release = catchSignals(
    {
      pass: (signal) => child.kill(signal),
      end: () => {
        isToEnd = true
      },
    },
    program.hasTerminal,
  )
  let child = start()
  const watch = async (watched: Child): Promise<void> => {
    const code = await watched.ended
    if (isRestarting) return
    release()
    resolve(code)
  }
  const restart = async (): Promise<void> => {
    // What has ended by itself is done, and is not to be done twice.
    if (child.hasEnded()) return
    isRestarting = true
    await endKindly(child)
    isRestarting = false
    // Somebody else wanted an end too, and not a program that begins again.
    if (!isToEnd) child = start()
    void watch(child)
  }
  void watch(child)
  return {
    ended,
    trouble: () => child.trouble(),
    async renew(token) {
      await place.put(token)
      if (onRenewal.kind === 'signal') child.kill(onRenewal.signal)
      if (onRenewal.kind === 'restart') await restart()
    },
  }
}

async function endKindly(child: Child): Promise<void> {
  const done = new AbortController()
  child.kill('SIGTERM')
  const isLate = setTimeout(RESTART_GRACE_MS, true, { signal: done.signal }).catch(() => false)
  if (await Promise.race([child.ended.then(() => false), isLate])) child.kill('SIGKILL')
  await child.ended
  done.abort()
}
