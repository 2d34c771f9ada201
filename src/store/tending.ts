/** Keeps the list of spent proofs small while the broker runs, and says that the store is in use. */

import { setImmediate } from 'node:timers/promises'
import type { NumericDate } from '../../providers/contract/proof.ts'
import type { SpentProofs } from './store.ts'

/** Time between two rounds, in milliseconds: one small write, and far less than the absence that makes a store doubtful. */
const TEND_MS = 5_000

export interface TendingPorts {
  readonly spentProofs: Pick<SpentProofs, 'tend'>
  readonly now: () => NumericDate
  /** Called after each step, with how many proofs are remembered. */
  readonly onCount: (count: number) => void
  /** Called where the store could not be written; the next round tries again. */
  readonly onTrouble: (error: unknown) => void
}

export interface Tending {
  /** Waits for the round under way, and leaves a last sign of life. */
  stop(): Promise<void>
}

/** Begins with a round at once. Rounds never overlap, and requests are served between the steps of one. */
export function startTending({ spentProofs, now, onCount, onTrouble }: TendingPorts): Tending {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  const round = async (): Promise<void> => {
    try {
      for (let hasMore = true; hasMore; await setImmediate()) {
        const tended = await spentProofs.tend(now())
        onCount(tended.count)
        hasMore = tended.hasMore && !isStopped
      }
    } catch (error) {
      onTrouble(error)
    }
  }
  const repeat = async (): Promise<void> => {
    await round()
    if (isStopped) return
    timer = setTimeout(() => {
      running = repeat()
    }, TEND_MS)
    timer.unref()
  }
  let running = repeat()
  return {
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await running
      await round()
    },
  }
}
