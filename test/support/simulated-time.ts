/** Time that passes as fast as nobody has anything to do, and chance that is the same in every run. */

import { createTokenSource, type TokenSource } from '../../src/client/client.ts'
import type { TokenSourceSettings } from '../../src/client/settings.ts'

export interface Simulation {
  /** Milliseconds; it begins at 0. */
  readonly now: () => number
  readonly random: () => number
  /** Whoever sleeps when the run ends is never woken. */
  readonly sleep: (milliseconds: number) => Promise<void>
  /** Lets so much time pass, in steps of a tenth of a second in which somebody is to be woken. */
  run(milliseconds: number): Promise<void>
}

/** A step, in milliseconds. */
const STEP_MS = 100

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

export function createSimulation(seed = 1): Simulation {
  let now = 0
  let state = seed
  const sleepers = new Set<Sleeper>()
  return {
    now: () => now,
    // Park and Miller's minimal standard generator.
    random() {
      state = (state * 48_271) % 2_147_483_647
      return state / 2_147_483_647
    },
    sleep: (milliseconds) => new Promise((wake) => void sleepers.add({ at: now + milliseconds, wake })),
    async run(milliseconds) {
      const end = now + milliseconds
      for (;;) {
        await settle()
        let next = Number.POSITIVE_INFINITY
        for (const { at } of sleepers) next = Math.min(next, at)
        if (next > end) break
        now = Math.min(end, Math.ceil(next / STEP_MS) * STEP_MS)
        for (const sleeper of sleepers) {
          if (sleeper.at > now) continue
          sleepers.delete(sleeper)
          sleeper.wake()
        }
      }
      now = end
    },
  }
}

/** Lets everything be done that waits for no time: reading a made-up answer takes several turns of the event loop. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Creates a token source that lives in such a time, and has its proof in a file. `ports` are the rest of its world. */
export function createSimulatedSource({ now, random }: Simulation, ports: Partial<TokenSourceSettings>): TokenSource {
  const seconds = (): number => now() / 1_000
  return createTokenSource({
    broker: 'https://broker.example',
    proof: { file: '/pod/token' },
    environment: {},
    now: () => Math.floor(seconds()),
    elapsed: seconds,
    random,
    readFile: async () => 'x.y.z',
    ...ports,
  })
}
