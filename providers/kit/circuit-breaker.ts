/** Leaves an upstream that keeps failing alone for a while. */

import { PROOF_OUTAGES, ProofError } from '../contract/errors.ts'
import type { NumericDate } from '../contract/proof.ts'

/** Failures in a row after which it is left alone, and for how long, in seconds. */
const TOLERATED_FAILURES = 5
const REST_SECONDS = 5

export interface CircuitBreaker {
  /**
   * Does what it is given, unless the last attempts all failed: then it throws the outage of the last one, with
   * `retry_after_seconds`, until one attempt after the rest has done well. A refusal is an answer and counts as doing well.
   */
  guard<T>(act: () => Promise<T>): Promise<T>
}

export function createCircuitBreaker(now: () => NumericDate): CircuitBreaker {
  let failures = 0
  let lastOutage: ProofError | undefined
  let restsUntil: NumericDate = 0
  let isTrying = false

  const isResting = (): boolean => {
    if (failures < TOLERATED_FAILURES) return false
    // A clock that was set back must not prolong the rest.
    const isOver = now() >= restsUntil || now() < restsUntil - REST_SECONDS
    return !isOver || isTrying
  }
  return {
    async guard(act) {
      if (isResting()) throw resting(lastOutage, Math.max(1, restsUntil - now()))
      const isTrial = failures >= TOLERATED_FAILURES
      if (isTrial) isTrying = true
      try {
        const result = await act()
        failures = 0
        return result
      } catch (error) {
        if (isOutage(error)) {
          failures++
          lastOutage = error
          restsUntil = now() + REST_SECONDS
        } else {
          failures = 0
        }
        throw error
      } finally {
        // An attempt from before the rest may end now; it is not the one that is waited for.
        if (isTrial) isTrying = false
      }
    },
  }
}

function resting(lastOutage: ProofError | undefined, seconds: number): ProofError {
  const facts = { ...lastOutage?.facts, retry_after_seconds: seconds }
  return new ProofError(lastOutage?.code ?? 'upstream_unreachable', 'the upstream keeps failing and is left alone', {
    facts,
  })
}

/**
 * Being told to come slower, or that the request was at fault, is no failure of the upstream's: a caller chooses what it sends, and
 * to leave the upstream alone for that would let one caller stop everybody.
 */
function isOutage(error: unknown): error is ProofError {
  if (!(error instanceof ProofError) || error.facts.throttled === true) return false
  const status = Number(error.facts.status ?? 0)
  return PROOF_OUTAGES.some((code) => code === error.code) && !(status >= 400 && status < 500)
}
