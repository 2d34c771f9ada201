/** The tokens of every target that was asked for. */

import type { IssuedToken } from './exchange-proof.ts'
import { createKeptToken, type KeptToken, type KeptTokenPorts } from './kept-token.ts'
import type { TokenTarget } from './settings.ts'
import { TokenSourceError } from './token-source-error.ts'

/** Targets that are kept. A workload has a handful; whoever makes them up as he goes keeps the latest. */
const MAX_TARGETS = 256

/** What is kept, by target. */
export interface TokenCache {
  /**
   * Finds what is kept for a target, or begins to keep it. Of too many targets the one that was asked for longest ago is forgotten.
   * Throws {@link TokenSourceError} `source_closed` once it is closed.
   */
  at(target: TokenTarget): KeptToken
  /** Forgets everything and stops what is under way. */
  close(): void
}

/** Creates it, empty. `exchange` gets a new token, until its signal says to stop. */
export function createTokenCache(
  exchange: (target: TokenTarget, signal: AbortSignal) => Promise<IssuedToken>,
  ports: KeptTokenPorts,
): TokenCache {
  const kept = new Map<string, KeptToken>()
  const closing = new AbortController()
  return {
    at(target) {
      closing.signal.throwIfAborted()
      const key = JSON.stringify([target.audience, target.scope])
      const found = kept.get(key) ?? createKeptToken(() => exchange(target, closing.signal), ports)
      kept.delete(key)
      kept.set(key, found)
      const [earliest] = kept.keys()
      if (kept.size > MAX_TARGETS && earliest !== undefined) kept.delete(earliest)
      return found
    },
    close() {
      kept.clear()
      closing.abort(new TokenSourceError('source_closed', 'this token source is closed'))
    },
  }
}
