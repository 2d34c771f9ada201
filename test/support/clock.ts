/** A clock that stands still until it is moved, so that no test depends on how long it takes. */
export interface TestClock {
  readonly now: () => number
  advance(seconds: number): void
}

/** 2026-01-15T12:00:00Z, the moment of the recorded samples. */
const START = 1_768_478_400

export function createTestClock(start = START): TestClock {
  let now = start
  return {
    now: () => now,
    advance(seconds) {
      now += seconds
    },
  }
}
