/** Chance that repeats itself: the same seed gives the same throws. */
export interface Dice {
  /** At least `from`, and less than `to`. */
  between(from: number, to: number): number
  below(count: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
  /** A wait with this mean, mostly shorter and sometimes much longer. */
  wait(mean: number): number
}

/** Creates dice. @see {@link https://gist.github.com/tommyettinger/46a874533244883189143505d203312c Mulberry32} */
export function createDice(seed: number): Dice {
  let state = seed
  const real = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (count: number): number => Math.floor(real() * count)
  return {
    between: (from, to) => from + real() * (to - from),
    below,
    chance: (probability) => real() < probability,
    pick(list) {
      const picked = list[below(list.length)]
      if (picked === undefined) throw new Error('nothing to pick from')
      return picked
    },
    wait: (mean) => -Math.log(1 - real()) * mean,
  }
}
