/** What the commands of a workload have in common: a token source while they need it, and one way to say that there is no token. */

import { createTokenSource, type TokenSource } from '../client/client.ts'
import { TokenSourceError } from '../client/token-source-error.ts'
import { EXIT, type Terminal } from './exit.ts'
import { toTokenSourceSettings, type WorkloadOptions } from './workload-options.ts'

/**
 * Runs something with a token source and gives its exit code. Where the source has no token, says so on standard error, with what
 * to do, and gives 1 when the broker refused, 2 when something is set up wrong, and 3 when it may work later.
 */
export async function useTokenSource(
  options: WorkloadOptions,
  terminal: Terminal,
  use: (source: TokenSource) => Promise<number>,
): Promise<number> {
  let source: TokenSource | undefined
  try {
    source = createTokenSource(toTokenSourceSettings(options))
    return await use(source)
  } catch (error) {
    if (!(error instanceof TokenSourceError)) throw error
    terminal.err(`chancery: ${sentenceOf(error)}\n`)
    return exitCodeOf(error)
  } finally {
    source?.close()
  }
}

/** Gives the exit code that says who can help. */
export function exitCodeOf({ kind }: TokenSourceError): number {
  switch (kind) {
    case 'refused':
      return EXIT.refused
    case 'setup':
      return EXIT.wrong
    case 'later':
      return EXIT.later
  }
}

/** Gives what happened and what to do, with the code that programs go by. */
export function sentenceOf({ message, code, retryAfterSeconds }: TokenSourceError): string {
  const patience = retryAfterSeconds === undefined ? '' : ` (the broker says: in ${retryAfterSeconds} s)`
  return `${message}${patience} [${code}]`
}
