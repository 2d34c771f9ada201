/** The simulated world: brokers over one store in memory, and a list of what is to happen when. */

import { DatabaseSync } from 'node:sqlite'
import { createSealer, type Sealer } from '../../src/store/seal.ts'
import { createKeyTable } from '../../src/store/sqlite-keys.ts'
import { migrate } from '../../src/store/sqlite-schema.ts'
import type { KeyTable } from '../../src/store/store.ts'
import { type RotationRules, rulesFor } from '../../src/tokens/rotation.ts'
import { type Broker, createBroker, type Fault, type TrueTime } from './brokers.ts'
import { createDice, type Dice } from './dice.ts'
import { createLaws, type Intent, type Laws } from './laws.ts'

export const MINUTE = 60
export const HOUR = 3_600
export const DAY = 86_400

const START = 1_768_478_400

/** A broker looks so often, at the latest, in seconds. */
export const LOOK_SECONDS = 2.5

/** So short that nothing else happens in it, in seconds. */
const JUST_BEFORE_SECONDS = 0.5

export interface Wish {
  readonly seed: number
  readonly days: number
  readonly periodDays: number
  /** How often an operator comes to rotate by hand; and half as often to revoke. */
  readonly operatorDays: number
  readonly fault?: Fault
}

type Act = () => Promise<void>

export interface World {
  readonly time: TrueTime
  readonly endsAt: number
  readonly dice: Dice
  readonly laws: Laws
  readonly table: KeyTable
  readonly sealer: Sealer
  readonly rules: RotationRules
  readonly fault: Fault
  /** Those that are up, frozen or hanging ones among them. */
  brokers(): readonly Broker[]
  start(): Promise<void>
  kill(broker: Broker): void
  /** Says why the next rings change. */
  intend(intent: Intent): void
  at(time: number, act: Act): void
  /** Repeats something at waits of this mean. */
  every(mean: number, act: Act): void
  /** Lets all that can look do so, one after the other or all at once. */
  lookAll(): Promise<void>
  /** Lets time go on to the next thing that is to happen, and that happen. */
  step(): Promise<void>
}

export function createWorld({ seed, days, periodDays, fault = {} }: Wish): World {
  const dice = createDice(seed)
  const time = { at: START }
  const laws = createLaws(periodDays * DAY)
  const rules = rulesFor(periodDays * DAY)
  const sealer = createSealer([Buffer.alloc(32, 7)])
  let intent: Intent = { kind: 'start' }
  const table = createWatchedTable(fault, (...change) => laws.ringChanged(...change, time.at, intent))
  const agenda: { readonly at: number; readonly act: Act }[] = []
  let brokers: Broker[] = []

  const at = (when: number, act: Act): void => {
    const index = agenda.findIndex((other) => other.at > when)
    agenda.splice(index === -1 ? agenda.length : index, 0, { at: when, act })
  }
  const every = (mean: number, act: Act): void =>
    at(time.at + dice.wait(mean), async () => {
      await act()
      every(mean, act)
    })
  const lookAll = async (): Promise<void> => {
    const looking = brokers.filter((broker) => canLook(broker, time.at))
    if (dice.chance(0.5)) await Promise.all(looking.map((broker) => broker.look()))
    else for (const broker of looking) await broker.look()
  }
  /** Somebody looks all the while, of which the first and the last time are enough. */
  const passTime = async (until: number): Promise<void> => {
    const awake = brokers.filter((broker) => canLook(broker, time.at) && broker.outOfReachUntil <= time.at)
    const witness = awake.length === 0 ? undefined : dice.pick(awake)
    await witness?.look()
    time.at = Math.max(time.at, until - JUST_BEFORE_SECONDS)
    if (witness !== undefined && canLook(witness, time.at)) await witness.look()
    time.at = Math.max(time.at, until)
  }
  const step = async (): Promise<void> => {
    const happens = agenda.shift()
    if (happens === undefined) throw new Error('nothing is to happen')
    // Whoever hangs goes on when its time has come, and not in the moment in which something else happens.
    for (const broker of brokers.filter(({ hangsUntil = Number.POSITIVE_INFINITY }) => hangsUntil <= happens.at)) {
      time.at = Math.max(time.at, broker.hangsUntil ?? 0)
      await broker.goOn()
    }
    brokers = brokers.filter(({ isDead }) => !isDead)
    await passTime(happens.at)
    await happens.act()
  }
  return {
    time,
    endsAt: START + days * DAY,
    dice,
    laws,
    table,
    sealer,
    rules,
    fault,
    brokers: () => brokers.filter(({ isDead }) => !isDead),
    async start() {
      const broker = createBroker({ time, dice, table, sealer, rules, fault, onTrouble: laws.troubled })
      brokers.push(broker)
      await broker.look()
    },
    kill(broker) {
      broker.isDead = true
    },
    intend(next) {
      intent = next
    },
    at,
    every,
    lookAll,
    step,
  }
}

/** Whether a broker runs, and is not in the middle of a look. */
export function canLook({ isDead, frozenUntil, hangsUntil }: Broker, at: number): boolean {
  return !isDead && frozenUntil <= at && hangsUntil === undefined
}

function createWatchedTable(
  fault: Fault,
  onChange: (version: number, keys: Parameters<Laws['ringChanged']>[1]) => void,
): KeyTable {
  const database = new DatabaseSync(':memory:')
  migrate(database)
  const sound = createKeyTable(database, () => undefined)
  const table = fault.table?.(sound) ?? sound
  return {
    ...table,
    async replaceSigningKeys(ring) {
      const isDone = await table.replaceSigningKeys(ring)
      if (isDone) onChange(ring.version, ring.keys)
      return isDone
    },
  }
}
