/** Counts the seconds in which some broker on a store was up. Never runs ahead of real time, whatever is done to any clock. */
export interface Uptime {
  /** Gives the count, given what the store has noted. */
  read(noted: number): number
}

/**
 * Creates the count of one process. `elapsed` is in seconds, by a clock that only goes on: what the process has seen go by is added
 * to what was noted when it began. Of several that count together, whoever has seen most is right.
 */
export function createUptime(elapsed: () => number): Uptime {
  let base: { readonly noted: number; readonly at: number } | undefined
  const count = (from: { noted: number; at: number }): number =>
    from.noted + Math.max(0, Math.floor(elapsed() - from.at))
  return {
    read(noted) {
      if (base === undefined || noted > count(base)) base = { noted, at: elapsed() }
      return count(base)
    },
  }
}
