/** One token that an agent keeps, and the files that it is in. */

import type { ServiceToken, TokenSource } from '../../client/client.ts'
import { TokenSourceError } from '../../client/token-source-error.ts'
import { clearLeftovers, holds, writeAtomically } from '../delivery/atomic-file.ts'
import { type KeeperWorld, keepFresh, type TokenWish } from '../delivery/keep-fresh.ts'
import { formatToken } from '../delivery/token-format.ts'
import type { AgentLog } from './agent-log.ts'
import type { OutputConfig } from './config.ts'
import { tellOfChange } from './on-change.ts'

/** Files that want the same token. */
export interface OutputGroup {
  readonly wish: TokenWish & { readonly audience: string }
  readonly outputs: readonly OutputConfig[]
}

/** How a token is doing. */
export type TokenStatus =
  /** It is good, and its time for renewal has not come. */
  | 'fresh'
  /** It is good, and it could not be renewed. */
  | 'stale'
  /** There was none yet, or it has ended. */
  | 'missing'

/** What is told of a token, and of the last attempt. Times are in seconds since the epoch. */
export interface TokenHealth {
  readonly audience: string
  readonly scope?: string
  readonly status: TokenStatus
  readonly files: readonly string[]
  readonly expires_at?: number
  readonly renewal_at?: number
  readonly error?: string
  readonly next_attempt_at?: number
}

export interface KeptOutputs {
  readonly health: () => TokenHealth
  /** Stops keeping it, once what is under way is done. The files stay. */
  stop(): Promise<void>
}

/** Some of the files of a token cannot be written. The others are. */
class UndeliveredError extends Error {}

/** Puts outputs together that want the same token. */
export function groupOutputs(outputs: readonly OutputConfig[]): readonly OutputGroup[] {
  const groups = new Map<string, OutputConfig[]>()
  for (const output of outputs) {
    const key = JSON.stringify([output.audience, output.scope])
    groups.set(key, [...(groups.get(key) ?? []), output])
  }
  return [...groups.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return []
    const { audience, scope } = first
    return [{ wish: { audience, ...(scope === undefined ? {} : { scope }) }, outputs: [first, ...others] }]
  })
}

/** Keeps a token fresh in its files. */
export function keepOutputs(group: OutputGroup, source: TokenSource, log: AgentLog, world: KeeperWorld): KeptOutputs {
  const end = new AbortController()
  const { wish } = group
  let got: { readonly expiresAt: number; readonly renewalAt: number } | undefined
  let trouble: { readonly code: string; readonly nextAt: number } | undefined
  const kept = keepFresh(
    source,
    wish,
    {
      async deliver(token, renewalAt) {
        got = { expiresAt: token.expiresAt, renewalAt: Math.floor(renewalAt / 1_000) }
        await writeOutputs(group, token, log, world)
        trouble = undefined
      },
      hear(error, wait) {
        trouble = { code: codeOf(error), nextAt: Math.ceil((world.now() + wait) / 1_000) }
        tellTrouble(wish, error, wait, log)
      },
    },
    end.signal,
    world,
  )
  return {
    health: () => healthOf(group, got, trouble, world.now() / 1_000),
    async stop() {
      end.abort()
      await kept
    },
  }
}

/**
 * Writes a token to every file that does not have it, and then tells who uses them. A file that cannot be written keeps none of the
 * others from being: then it rejects in the end.
 */
export async function writeOutputs(
  { outputs }: OutputGroup,
  token: ServiceToken,
  log: AgentLog,
  { now }: Pick<KeeperWorld, 'now'>,
): Promise<void> {
  const undelivered: string[] = []
  const changed: OutputConfig[] = []
  for (const output of outputs) {
    const { audience, file, mode, format } = output
    const text = `${formatToken(token, format, Math.floor(now() / 1_000))}${format === 'raw' ? '' : '\n'}`
    try {
      if (await holds(file, text, mode)) continue
      await writeAtomically(file, text, mode)
      await clearLeftovers(file, now())
      log.info('token written', { audience, file, expires_at: token.expiresAt })
      changed.push(output)
    } catch (error) {
      undelivered.push(`${file}: ${reasonOf(error)}`)
    }
  }
  await Promise.all(changed.map((output) => tellUser(output, log)))
  if (undelivered.length > 0) throw new UndeliveredError(undelivered.join('; '))
}

async function tellUser({ onChange, file }: OutputConfig, log: AgentLog): Promise<void> {
  try {
    if (onChange !== undefined) await tellOfChange(onChange, file)
  } catch (error) {
    log.warn('nobody could be told of the new token', { file, reason: reasonOf(error) })
  }
}

function healthOf(
  { wish, outputs }: OutputGroup,
  got: { readonly expiresAt: number; readonly renewalAt: number } | undefined,
  trouble: { readonly code: string; readonly nextAt: number } | undefined,
  now: number,
): TokenHealth {
  const isGood = got !== undefined && got.expiresAt > now
  return {
    ...wish,
    status: isGood ? (trouble === undefined ? 'fresh' : 'stale') : 'missing',
    files: outputs.map(({ file }) => file),
    ...(got === undefined ? {} : { expires_at: got.expiresAt, renewal_at: got.renewalAt }),
    ...(trouble === undefined ? {} : { error: trouble.code, next_attempt_at: trouble.nextAt }),
  }
}

/** Says what went wrong, on a line of the log. */
export function tellTrouble(wish: TokenWish, error: unknown, waitMs: number | undefined, log: AgentLog): void {
  log.warn(error instanceof UndeliveredError ? 'token not written' : 'no new token', {
    ...wish,
    code: codeOf(error),
    reason: reasonOf(error),
    ...(waitMs === undefined ? {} : { next_attempt_in_seconds: Math.ceil(waitMs / 1_000) }),
  })
}

/** What is none of ours may quote anything, and is known by its kind alone. */
function codeOf(error: unknown): string {
  if (error instanceof TokenSourceError) return error.code
  return error instanceof UndeliveredError ? 'file_not_written' : 'unexpected'
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
