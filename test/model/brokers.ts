/** Broker processes of a simulation: the real source and keeper, each with clocks, a store and a life that go wrong. */

import type { Sealer } from '../../src/store/seal.ts'
import type { KeyTable } from '../../src/store/store.ts'
import { createEmbeddedSource } from '../../src/tokens/embedded-source.ts'
import { createKeyKeeper, type KeyKeeper } from '../../src/tokens/key-keeper.ts'
import type { KeyRing } from '../../src/tokens/key-ring.ts'
import type { KeyListing, KeySource } from '../../src/tokens/key-source.ts'
import { createRingStore, type RingStore } from '../../src/tokens/ring-store.ts'
import type { RotationRules } from '../../src/tokens/rotation.ts'
import type { Dice } from './dice.ts'

/** True time, in seconds, which nobody in the simulation can read. */
export interface TrueTime {
  at: number
}

/** What is broken on purpose. */
export interface Fault {
  readonly rules?: Partial<RotationRules>
  readonly ringStore?: (ringStore: RingStore) => RingStore
  readonly source?: (source: KeySource) => KeySource
  /** Whether uptime is taken from the clock that can be set. */
  readonly trustsCalendar?: boolean
  readonly table?: (table: KeyTable) => KeyTable
  /** What a revocation fails to do. */
  readonly revokes?: 'nothing' | 'without a successor'
}

export interface Broker {
  readonly keeper: KeyKeeper
  /** Set where a clock is wrong by more than the minute that it may be. */
  shift: number
  outOfReachUntil: number
  frozenUntil: number
  isDead: boolean
  /** Dies when it has asked the store so often. */
  diesIn: number
  lastLookAt: number
  listing: KeyListing | undefined
  /** Since when it has been up and has had its store. */
  hasStoreSince: number
  /** Looks, and waits until that is done or hangs in the middle. */
  look(): Promise<void>
  /** Lets whatever hangs go on, and waits again. */
  goOn(): Promise<void>
  /** Gives its ring; undefined where it has none, or dies or hangs before it could tell. */
  ask(): Promise<KeyRing | undefined>
  /** Until when it hangs. */
  hangsUntil: number | undefined
  now(): number
}

export interface BrokerPorts {
  readonly time: TrueTime
  readonly dice: Dice
  readonly table: KeyTable
  readonly sealer: Sealer
  readonly rules: RotationRules
  readonly fault: Fault
  readonly onTrouble: (trouble: unknown) => void
}

/** How often a write hangs. */
const HANGS = 0.03

/** Starts a process that knows nothing yet. */
export function createBroker(ports: BrokerPorts): Broker {
  const { time, dice, fault } = ports
  const startedAt = time.at
  const skew = dice.between(-60, 60)
  const pauses = createPauses()
  let looking: Promise<void> | undefined
  const now = (): number => Math.floor(time.at + skew + broker.shift)
  const elapsed = fault.trustsCalendar === true ? now : () => time.at - startedAt
  const hang = (): Promise<void> => {
    broker.hangsUntil = time.at + dice.wait(3_600)
    return pauses.pause()
  }
  const ringStore = createRingStore(
    createFaultyTable(() => broker, hang, ports),
    ports.sealer,
  )
  const rules = { ...ports.rules, ...fault.rules }
  const source = createEmbeddedSource({ ringStore: fault.ringStore?.(ringStore) ?? ringStore, rules, now, elapsed })
  const keeper = createKeyKeeper({
    source: fault.source?.(source) ?? source,
    now,
    elapsed,
    onLook(listing) {
      broker.listing = listing
      for (const trouble of listing.troubles) ports.onTrouble(trouble)
    },
    onTrouble: ports.onTrouble,
  })
  const broker: Broker = {
    keeper,
    now,
    shift: 0,
    outOfReachUntil: 0,
    frozenUntil: 0,
    isDead: false,
    diesIn: Number.POSITIVE_INFINITY,
    lastLookAt: Number.NEGATIVE_INFINITY,
    listing: undefined,
    hasStoreSince: time.at,
    hangsUntil: undefined,
    async look() {
      broker.lastLookAt = time.at
      looking ??= keeper.look().finally(() => {
        looking = undefined
      })
      await Promise.race([looking, pauses.nextPause()])
    },
    async ask() {
      const ring = keeper.ring()
      if (!(ring instanceof Promise)) return ring
      const isHanging = broker.hangsUntil !== undefined
      return isHanging ? undefined : ((await Promise.race([ring, pauses.nextPause()])) ?? undefined)
    },
    async goOn() {
      broker.hangsUntil = undefined
      const paused = pauses.nextPause()
      pauses.end()
      await Promise.race([looking, paused])
    },
  }
  return broker
}

/** Lets one side stop in the middle, and the other know of it. */
function createPauses() {
  let waiting: (() => void)[] = []
  let end = (): void => undefined
  return {
    pause: () =>
      new Promise<void>((resolve) => {
        end = resolve
        for (const tell of waiting) tell()
        waiting = []
      }),
    nextPause: () => new Promise<void>((resolve) => void waiting.push(resolve)),
    end: () => end(),
  }
}

/** A store that is out of reach at times, with a process before it that dies or hangs between any two calls. */
function createFaultyTable(broker: () => Broker, hang: () => Promise<void>, ports: BrokerPorts): KeyTable {
  const { time, dice, table } = ports
  const reach = async (): Promise<void> => {
    for (let turns = dice.below(4); turns > 0; turns--) await Promise.resolve()
    const { isDead, outOfReachUntil } = broker()
    if (isDead) throw new Error('killed')
    if (time.at < outOfReachUntil) throw new Error('out of reach')
    broker().diesIn--
    if (broker().diesIn < 0) {
      broker().isDead = true
      throw new Error('killed')
    }
  }
  return {
    async signingKeys() {
      await reach()
      return await table.signingKeys()
    },
    async replaceSigningKeys(ring) {
      if (dice.chance(HANGS)) await hang()
      await reach()
      const isDone = await table.replaceSigningKeys(ring)
      await reach()
      return isDone
    },
  }
}
