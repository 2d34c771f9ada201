/** Catches what the product throws on purpose, and lets nothing else pass for it. */

import { inspect } from 'node:util'
import { ProofError, SettingsError } from '../../providers/contract/errors.ts'

/** Gives the {@link ProofError} that a promise is rejected with. Throws where it is fulfilled, or rejected with anything else. */
export async function rejection(promise: Promise<unknown>): Promise<ProofError> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: unknown) => error,
  )
  if (outcome instanceof ProofError) return outcome
  throw new Error(`not a ProofError: ${inspect(outcome)}`, { cause: outcome })
}

/** Gives the {@link ProofError} that something throws. Throws where it returns, or throws anything else. */
export function refusalOf(act: () => unknown): ProofError {
  const outcome = outcomeOf(act)
  if (outcome.thrown instanceof ProofError) return outcome.thrown
  throw new Error(`not a ProofError: ${inspect(outcome)}`)
}

/** Gives the problems of the {@link SettingsError} that something throws. */
export function problemsOf(act: () => unknown): SettingsError['problems'] {
  const outcome = outcomeOf(act)
  if (outcome.thrown instanceof SettingsError) return outcome.thrown.problems
  throw new Error(`not a SettingsError: ${inspect(outcome)}`)
}

function outcomeOf(act: () => unknown): { readonly value?: unknown; readonly thrown?: unknown } {
  try {
    return { value: act() }
  } catch (thrown) {
    return { thrown }
  }
}
