/** One run of somebody else's program, in our place: it has our terminal, our signals and our exit code. */

import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'

/** How a shell says that there is no such program, and that there is one that cannot be run. */
const NOT_FOUND = 127
const NOT_RUNNABLE = 126

/** A shell's exit code of a program that a signal ended is this and the signal's number. */
const SIGNAL_BASE = 128

export interface Child {
  /** Resolves with its exit code as a shell gives it: 128 and the signal's number where one ended it, 126 or 127 where it never ran. */
  readonly ended: Promise<number>
  /** Why it could not be run. Undefined where it ran. */
  readonly trouble: () => NodeJS.ErrnoException | undefined
  readonly hasEnded: () => boolean
  /** Sends a signal; one that has ended just now gets none, and that is no trouble. */
  kill(signal: NodeJS.Signals): void
}

/** Starts a program. It shares our standard streams and our process group, so that a terminal treats both as one. */
export function startChild(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Child {
  const child = trySpawn(command, args, env)
  if (child instanceof Error) return neverRan(child)
  let trouble: NodeJS.ErrnoException | undefined
  const ended = new Promise<number>((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return
      trouble = error
      resolve(error.code === 'ENOENT' ? NOT_FOUND : NOT_RUNNABLE)
    })
    child.once('exit', (code, signal) => resolve(exitCodeOf(code, signal)))
  })
  const hasEnded = (): boolean => trouble !== undefined || child.exitCode !== null || child.signalCode !== null
  return {
    ended,
    trouble: () => trouble,
    hasEnded,
    kill(signal) {
      if (!hasEnded()) child.kill(signal)
    },
  }
}

/** Most of what the system says against a program comes as an event, and some, such as that there are too many arguments, is thrown. */
function trySpawn(command: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess | Error {
  try {
    return spawn(command, args, { stdio: 'inherit', env })
  } catch (error) {
    return error instanceof Error ? error : new Error(typeof error)
  }
}

function neverRan(trouble: NodeJS.ErrnoException): Child {
  return {
    ended: Promise.resolve(NOT_RUNNABLE),
    trouble: () => trouble,
    hasEnded: () => true,
    kill: () => undefined,
  }
}

function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? SIGNAL_BASE + (signal === null ? 0 : constants.signals[signal])
}
