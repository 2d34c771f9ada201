/** Runs brokers, verifiers and an operator through simulated days, and watches over what is promised. */

import { Broken } from './laws.ts'
import { createOperator } from './operator.ts'
import { startTraffic } from './traffic.ts'
import { cutOff, startTrouble } from './trouble.ts'
import { createWorld, DAY, LOOK_SECONDS, type Wish, type World } from './world.ts'

export interface Outcome {
  readonly days: number
  readonly rotations: number
  readonly revocations: number
  readonly starts: number
  readonly tokens: number
  /** How often a verifier took a live token. */
  readonly checks: number
  readonly broken: Broken | undefined
}

/** Runs it until a promise is broken, or all days are over. The same seed throws the same dice; keys and their ids are new each time. */
export async function simulate(wish: Wish): Promise<Outcome> {
  const world = createWorld(wish)
  const { time, dice, laws, every, lookAll } = world
  await world.start()
  world.intend(undefined)
  const traffic = startTraffic(world)
  const operator = createOperator(world)
  const starts = startTrouble(world, traffic)
  let revocations = 0

  /** What happens is seen by everybody a little later, and some are asked before. */
  const happen = async (act: () => Promise<unknown>): Promise<void> => {
    await lookAll()
    if (dice.chance(0.3)) cutOff(world)
    await act()
    world.at(time.at + LOOK_SECONDS, lookAll)
    world.at(time.at + dice.between(0, LOOK_SECONDS), async () => {
      for (const broker of world.brokers()) if (broker.frozenUntil <= time.at) await traffic.mint(broker)
    })
  }
  /** Comes back in the first second in which it may be possible. */
  const rotate = (): Promise<void> =>
    happen(async () => {
      const earliest = await operator.rotate()
      if (earliest !== undefined && dice.chance(0.8)) world.at(Math.max(time.at + 1, earliest + 1), rotate)
    })
  every(wish.operatorDays * DAY, rotate)
  every(2 * wish.operatorDays * DAY, () =>
    happen(async () => {
      revocations++
      await operator.revoke()
    }),
  )
  const takeSteps = async (): Promise<void> => {
    await happen(lookAll)
    world.at(nextStepAt(world), takeSteps)
  }
  world.at(time.at + 1, takeSteps)

  let broken: Broken | undefined
  try {
    while (time.at < world.endsAt) await world.step()
  } catch (error) {
    if (!(error instanceof Broken)) throw error
    broken = error
  }
  broken ??= laws.found()
  const days = Math.round((time.at - world.endsAt) / DAY) + wish.days
  return { days, rotations: laws.rotationCount(), revocations, starts: starts(), ...traffic.figures(), broken }
}

/** When some broker is to take its next step, or half a day from now. */
function nextStepAt({ time, brokers }: World): number {
  const times = brokers().flatMap((broker) =>
    (broker.listing?.steps ?? []).map((step) => time.at + step.at - broker.now()).filter((at) => at > time.at + 1),
  )
  return Math.min(time.at + DAY / 2, ...times)
}
