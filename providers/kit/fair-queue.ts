/** A bound on how much is asked of an upstream at a time, shared fairly between those who ask. */

import { ProofError } from '../contract/errors.ts'

export interface FairQueueLimits {
  /** Tasks under way at a time. */
  readonly concurrency: number
  /** Tasks that may wait, of all sources and of one. */
  readonly maxWaiting: number
  readonly maxWaitingOfOne: number
  /** Longest wait, in milliseconds. */
  readonly maxWaitMs: number
}

export interface FairQueue {
  /**
   * Runs a task when it is its source's turn: sources take turns, however many tasks each has waiting.
   *
   * Throws `upstream_busy` where too many wait, or this one has waited too long, and `upstream_timeout` where its caller has gone.
   */
  run<T>(source: string, task: () => Promise<T>, signal: AbortSignal): Promise<T>
}

/** Starts the task that has waited. */
type Waiter = () => void

export function createFairQueue(limits: FairQueueLimits): FairQueue {
  const turns = createTurns(limits)
  let running = 0

  const wait = (source: string, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const patience = AbortSignal.timeout(limits.maxWaitMs)
      const settle = (): void => {
        signal.removeEventListener('abort', giveUp)
        patience.removeEventListener('abort', giveUp)
      }
      const giveUp = (): void => {
        settle()
        turns.leave(source, start)
        reject(signal.aborted ? new ProofError('upstream_timeout', 'the caller has gone') : busy())
      }
      const start: Waiter = () => {
        settle()
        resolve()
      }
      turns.enter(source, start)
      signal.addEventListener('abort', giveUp)
      patience.addEventListener('abort', giveUp)
      if (signal.aborted) giveUp()
    })

  return {
    async run(source, task, signal) {
      if (running < limits.concurrency) running++
      else await wait(source, signal)
      try {
        return await task()
      } finally {
        // The place goes to the next one as it is, so that nobody who comes now can take it.
        const start = turns.next()
        if (start === undefined) running--
        else start()
      }
    },
  }
}

/** Who waits, by source, in the order of the sources' turns. */
interface Turns {
  /** Throws where there is no room. */
  enter(source: string, waiter: Waiter): void
  leave(source: string, waiter: Waiter): void
  next(): Waiter | undefined
}

function createTurns({ maxWaiting, maxWaitingOfOne }: FairQueueLimits): Turns {
  const sources = new Map<string, Set<Waiter>>()
  let waiting = 0
  return {
    enter(source, waiter) {
      const waiters = sources.get(source) ?? new Set()
      if (waiting >= maxWaiting || waiters.size >= maxWaitingOfOne) throw busy()
      waiters.add(waiter)
      sources.set(source, waiters)
      waiting++
    },
    leave(source, waiter) {
      const waiters = sources.get(source)
      if (waiters?.delete(waiter) !== true) return
      waiting--
      if (waiters.size === 0) sources.delete(source)
    },
    next() {
      const [turn] = sources
      if (turn === undefined) return undefined
      const [source, waiters] = turn
      const [waiter] = waiters
      sources.delete(source)
      if (waiter === undefined) return undefined
      waiters.delete(waiter)
      waiting--
      // To the end of the line.
      if (waiters.size > 0) sources.set(source, waiters)
      return waiter
    },
  }
}

function busy(): ProofError {
  return new ProofError('upstream_busy', 'too many checks are under way at this issuer')
}
