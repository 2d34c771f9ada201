/** `chancery exec`: runs a program with a token. */

import { stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { isatty } from 'node:tty'
import type { ServiceToken, TokenSource } from '../client/client.ts'
import { processEnvironment } from '../client/environment.ts'
import { TokenSourceError } from '../client/token-source-error.ts'
import { keepFresh } from './delivery/keep-fresh.ts'
import { type OnRenewal, type Program, type Supervised, supervise } from './exec/supervise.ts'
import { placeInFile, placeInVariable, type TokenPlace } from './exec/token-place.ts'
import { type Terminal, UsageError } from './exit.ts'
import { sentenceOf, useTokenSource } from './use-token-source.ts'
import type { WorkloadOptions } from './workload-options.ts'

export interface ExecOptions extends WorkloadOptions {
  readonly env?: string
  /** A path, or true for one in a private directory. */
  readonly file?: string | true
  /** `restart`, `update` or `signal:NAME`. */
  readonly onRenewal?: string
  /** How long to wait for the first token while that may help, in seconds. */
  readonly wait: number
}

/**
 * Waits until there is a token, runs the program with it, and gives the program's exit code.
 *
 * Gives our own exit code where there is no token: at once where waiting does not help.
 */
export async function runExec(options: ExecOptions, words: readonly string[], terminal: Terminal): Promise<number> {
  const [command = '', ...args] = words
  const hasTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor))
  const program = { command, args, environment: processEnvironment(), hasTerminal }
  const place = placeOf(options)
  const onRenewal = onRenewalOf(options)
  await refuseProgram(options)
  try {
    return await useTokenSource(options, terminal, (source) =>
      runWithToken(source, { program, place, onRenewal, waitMs: options.wait * 1_000 }, terminal),
    )
  } finally {
    await place.clear()
  }
}

interface Run {
  readonly program: Program
  readonly place: TokenPlace
  readonly onRenewal: OnRenewal
  readonly waitMs: number
}

/** Keeps a token fresh from before the program starts until it has ended. */
async function runWithToken(source: TokenSource, run: Run, terminal: Terminal): Promise<number> {
  const { program, place, onRenewal, waitMs } = run
  const end = new AbortController()
  const { promise: outcome, resolve, reject } = Promise.withResolvers<number>()
  const patientUntil = Date.now() + waitMs
  let supervised: Supervised | undefined
  const kept = keepFresh(
    source,
    {},
    {
      async deliver(token) {
        if (supervised !== undefined) return await supervised.renew(token)
        await putFirst(place, token)
        supervised = supervise(program, place, onRenewal)
        supervised.ended.then(resolve, reject)
        if (onRenewal.kind === 'nothing') end.abort()
      },
      hear(trouble, wait) {
        if (supervised === undefined && (isLasting(trouble) || Date.now() + wait > patientUntil)) return reject(trouble)
        const what = supervised === undefined ? 'no token yet' : 'the token is not renewed'
        terminal.err(`chancery: ${what}: ${tell(trouble)}; trying again in ${Math.ceil(wait / 1_000)} s\n`)
      },
    },
    end.signal,
  )
  try {
    const code = await outcome
    const trouble = supervised?.trouble()
    if (trouble !== undefined) terminal.err(`chancery: ${program.command} cannot be run: ${reasonOf(trouble)}\n`)
    return code
  } finally {
    end.abort()
    await kept
  }
}

/** Whoever names a place that cannot be written to is told before anything runs. */
async function putFirst(place: TokenPlace, token: ServiceToken): Promise<void> {
  try {
    await place.put(token)
  } catch (error) {
    throw new UsageError(`the token’s file cannot be written: ${reasonOf(error)}`)
  }
}

function isLasting(trouble: unknown): boolean {
  return !(trouble instanceof TokenSourceError && trouble.kind === 'later')
}

function placeOf({ env, file }: ExecOptions): TokenPlace {
  if (file === undefined) return placeInVariable(env ?? 'CHANCERY_TOKEN')
  return placeInFile(env ?? 'CHANCERY_TOKEN_FILE', file === true ? undefined : file)
}

/** "--file" takes the next word for a path: whoever leaves "--" out would have their program written over. */
async function refuseProgram({ file }: ExecOptions): Promise<void> {
  const found = typeof file === 'string' ? await stat(file).catch(() => undefined) : undefined
  if (found?.isFile() === true && (found.mode & EXECUTABLE) !== 0) {
    throw new UsageError(`--file: ${file} is a program, and would be written over; put "--" in front of the command`)
  }
}

/** Whoever may run it: a token's file is for nobody to run. */
const EXECUTABLE = 0o111

/** A variable cannot be changed once the program runs, so that only another start gives it another token. */
function onRenewalOf({ file, onRenewal: text }: ExecOptions): OnRenewal {
  const onRenewal = text === undefined ? undefined : parseOnRenewal(text)
  if (file !== undefined) return onRenewal ?? { kind: 'update' }
  if (onRenewal === undefined || onRenewal.kind === 'restart') return onRenewal ?? { kind: 'nothing' }
  throw new UsageError('--on-renewal: a running program’s variable cannot be changed; choose restart, or give a --file')
}

function parseOnRenewal(text: string): OnRenewal {
  if (text === 'restart' || text === 'update') return { kind: text }
  const name = text.startsWith('signal:') ? text.slice('signal:'.length) : ''
  if (!isSignal(name))
    throw new UsageError(`--on-renewal: "${text}" is not restart, update, or a signal as signal:SIGHUP`)
  return { kind: 'signal', signal: name }
}

function isSignal(name: string): name is NodeJS.Signals {
  return Object.hasOwn(constants.signals, name)
}

function tell(trouble: unknown): string {
  return trouble instanceof TokenSourceError ? sentenceOf(trouble) : reasonOf(trouble)
}

function reasonOf(trouble: unknown): string {
  return trouble instanceof Error ? trouble.message : 'for no reason that is known'
}
