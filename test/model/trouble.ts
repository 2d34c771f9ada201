/** What goes wrong: processes, clocks and the way to the store. */

import type { Broker } from './brokers.ts'
import type { Traffic } from './traffic.ts'
import { canLook, DAY, HOUR, MINUTE, type World } from './world.ts'

/** Lets things go wrong from now on. Gives how many processes were started. */
export function startTrouble(world: World, traffic: Pick<Traffic, 'mint'>): () => number {
  const { dice, time, every, at, brokers, start, kill } = world
  let starts = 0
  const restart = async (): Promise<void> => {
    starts++
    await start()
  }
  const some = () => {
    const all = brokers()
    return all.length === 0 ? undefined : dice.pick(all)
  }
  every(2 * DAY, async () => {
    const broker = some()
    if (broker === undefined) return
    if (dice.chance(0.5)) kill(broker)
    else broker.diesIn = dice.below(8)
    at(time.at + dice.wait(30 * MINUTE), async () => (brokers().length < 4 ? await restart() : undefined))
  })
  every(8 * DAY, async () => {
    const [first, ...others] = brokers()
    if (first !== undefined && others.length > 0 && dice.chance(0.5)) kill(first)
    else if (others.length < 3) await restart()
  })
  every(40 * DAY, async () => {
    for (const broker of brokers()) kill(broker)
    at(time.at + dice.between(MINUTE, 3 * DAY), restart)
  })
  every(3 * DAY, async () => cutOff(world))
  every(4 * DAY, async () => {
    const broker = some()
    if (broker === undefined) return
    broker.shift = dice.pick([-1, 1]) * dice.pick([HOUR, DAY, 40 * DAY, 4_000 * DAY])
    at(time.at + dice.wait(2 * HOUR), async () => {
      broker.shift = 0
    })
  })
  every(4 * DAY, async () => {
    const broker = some()
    if (broker === undefined) return
    broker.frozenUntil = time.at + dice.wait(2 * HOUR)
    at(broker.frozenUntil, () => wake(world, broker, traffic))
  })
  return () => starts
}

/** Whoever wakes up may be asked for a token before it has looked. */
async function wake({ time }: World, broker: Broker, traffic: Pick<Traffic, 'mint'>): Promise<void> {
  if (broker.isDead || broker.frozenUntil > time.at) return
  broker.hasStoreSince = time.at
  await traffic.mint(broker)
  if (canLook(broker, time.at)) await broker.look()
}

/** Cuts a broker off from its store for a while, often when it matters. */
export function cutOff({ dice, time, brokers, at }: World): void {
  const all = brokers()
  if (all.length === 0) return
  const broker = dice.pick(all)
  broker.outOfReachUntil = time.at + dice.wait(20 * MINUTE)
  at(broker.outOfReachUntil, async () => {
    if (broker.outOfReachUntil > time.at) return
    broker.hasStoreSince = time.at
    if (canLook(broker, time.at)) await broker.look()
  })
}
