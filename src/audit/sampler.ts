/** Keeps a flood of refusals from filling a disk. */

/** Refusals of one kind that are all recorded, in each second. */
export const FULL_RATE_PER_SECOND = 100

/** Beyond that, one in so many is recorded. */
export const SAMPLE_EVERY = 100

const SECOND_MS = 1_000

interface Window {
  startedAt: number
  count: number
}

/** Answers whether the next refusal of a kind is to be recorded. Kinds come from configuration, so there are few. */
export function createSampler(clock: () => number): (kind: string) => boolean {
  const windows = new Map<string, Window>()
  return (kind) => {
    const now = clock()
    const before = windows.get(kind)
    const window = before !== undefined && now - before.startedAt < SECOND_MS ? before : { startedAt: now, count: 0 }
    windows.set(kind, window)
    window.count++
    return window.count <= FULL_RATE_PER_SECOND || window.count % SAMPLE_EVERY === 0
  }
}
