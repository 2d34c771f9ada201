import { ProofError } from '../contract/errors.ts'

/**
 * Waits for an SDK's work until the signal says to stop, and then throws `upstream_timeout`. For libraries that pass no signal on
 * to their requests: one that is under way ends by itself, or stays open for as long as its server keeps it.
 */
export async function untilAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const timeout = (): ProofError =>
    new ProofError('upstream_timeout', 'no answer of the platform in time', { cause: signal.reason })
  if (signal.aborted) throw timeout()
  const aborted = Promise.withResolvers<never>()
  const giveUp = (): void => aborted.reject(timeout())
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    return await Promise.race([aborted.promise, work()])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}
