/** The key source of a ring that the store keeps: who is next, current and retired. Where its keys come from is its supply's matter. */

import type { KeyObject } from 'node:crypto'
import { SettingsError, type SettingsProblem } from '../../providers/contract/errors.ts'
import type { NumericDate } from '../../providers/contract/proof.ts'
import type { KeySource } from './key-source.ts'
import { signJws } from './private-keys.ts'
import { promote, publishedIn, withdraw } from './ring-changes.ts'
import type { HeldKey, OpenRing, RingStore } from './ring-store.ts'
import {
  findKey,
  MAX_UNCONFIRMED_SECONDS,
  type Moment,
  type NextStep,
  nextSteps,
  type RotationRules,
  turnsOf,
} from './rotation.ts'
import {
  isPublished,
  type KeyState,
  keyIdOf,
  type PublicKey,
  publicHalfOf,
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
} from './signing-key.ts'
import { createUptime } from './uptime.ts'

/** Where new keys come from. */
export interface KeySupply {
  readonly held: HeldKey['held']
  /** Looks at what there is, and says what is wrong with it. */
  refresh(): Promise<readonly string[]>
  /** Gives a private key that the ring has never had. Undefined where there is none to be had. */
  offer(algorithm: SigningAlgorithm, isKnown: (keyId: string) => boolean): Promise<KeyObject | undefined>
  /** Gives the private half of a key that the store does not hold. */
  find(keyId: string): KeyObject | undefined
  /** Says of which keys the ring has no use now. */
  explainWaiting(isKnown: (keyId: string) => boolean): readonly string[]
  /** Says what to do where a new store gets no key to begin with. */
  explainNone(algorithm: SigningAlgorithm): SettingsProblem
  /** Says what to do where the private half of a key cannot be found. */
  explainMissing(key: PublicKey): SettingsProblem
}

export interface RingSourcePorts {
  readonly ringStore: RingStore
  readonly rules: RotationRules
  readonly now: () => NumericDate
  /** Seconds since some moment, by a clock that nobody can set. */
  readonly elapsed: () => number
}

/** More than the steps that can be due at once and the tries that others can be faster in. */
const MAX_TRIES = 32

/** How often it is noted that brokers are up, in seconds. So much is lost where one is started again. */
const NOTE_SECONDS = 60

interface SigningKey {
  readonly algorithm: SigningAlgorithm
  readonly privateKey: KeyObject
}

/**
 * Creates a source whose `list` takes the steps that are due. Each is one change of the store that happens whole or not at all: of
 * several processes one takes it, and one that dies leaves a ring from which any other goes on.
 */
export function createRingSource(supply: KeySupply, { ringStore, rules, now, elapsed }: RingSourcePorts): KeySource {
  const uptime = createUptime(elapsed)
  let signing: ReadonlyMap<string, SigningKey> = new Map()

  const momentOf = ({ version, uptime: before }: OpenRing): Moment => ({
    now: now(),
    uptime: before + uptime.seen(version),
  })
  const advance = async (ring: OpenRing, troubles: string[]): Promise<OpenRing> => {
    let reached = ring
    try {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const moment = momentOf(reached)
        const keys = await changedKeys(reached, moment, rules, supply)
        if (keys === undefined && moment.uptime < reached.uptime + NOTE_SECONDS) break
        await ringStore.write(reached, { uptime: moment.uptime, keys: keys ?? reached.keys })
        reached = await ringStore.read()
      }
    } catch (error) {
      // A ring can be used though its next step cannot be taken. Without a ring there is nothing to go on with.
      if (reached.keys.length === 0) throw error
      troubles.push(error instanceof Error ? error.message : 'unexpected error')
    }
    return reached
  }
  return {
    async list() {
      const troubles = [...(await supply.refresh())]
      const ring = await advance(await ringStore.read(), troubles)
      const moment = momentOf(ring)
      const keys = ring.keys.filter(isPublished)
      signing = findSigning(keys, signing, moment, supply)
      troubles.push(...findStuck(keys, supply), ...supply.explainWaiting(knows(ring.keys)))
      return {
        keys: keys.map(toPublicKey),
        steps: nextSteps(keys, rules, moment),
        turns: turnsOf(keys, rules, moment),
        troubles,
      }
    },
    sign(keyId, input) {
      const key = signing.get(keyId)
      if (key === undefined) throw new Error('the key does not sign')
      return signJws(key.privateKey, key.algorithm, input)
    },
  }
}

/** Gives the keys after the first thing that is to be done now. Undefined where there is nothing. */
async function changedKeys(
  ring: OpenRing,
  moment: Moment,
  rules: RotationRules,
  supply: KeySupply,
): Promise<readonly HeldKey[] | undefined> {
  if (ring.version === 0 && ring.keys.length === 0) return await firstKeys(moment, supply)
  const standIn = await replaceNext(ring.keys, moment, supply)
  if (standIn !== undefined) return standIn
  for (const step of nextSteps(ring.keys, rules, moment)) {
    const keys = step.isDue ? await takeStep(step, ring.keys, moment, supply) : undefined
    if (keys !== undefined) return keys
  }
  return undefined
}

/** Gives a key of each algorithm to sign with, whatever its age. */
async function firstKeys(moment: Moment, supply: KeySupply): Promise<readonly HeldKey[]> {
  let keys: readonly HeldKey[] = []
  for (const algorithm of SIGNING_ALGORITHMS) {
    const more = await addKey(keys, algorithm, 'current', moment, supply)
    if (more === undefined) throw new SettingsError([supply.explainNone(algorithm)])
    keys = more
  }
  return keys
}

/** A key of the store's that stands by has never signed, and makes room where the operator brings another. */
async function replaceNext(
  keys: readonly HeldKey[],
  moment: Moment,
  supply: KeySupply,
): Promise<readonly HeldKey[] | undefined> {
  if (supply.held === 'store') return undefined
  for (const foreign of keys.filter(({ state, held }) => state === 'next' && held !== supply.held)) {
    const others = withdraw(keys, foreign.keyId, moment)
    const replaced = await addKey(others, foreign.algorithm, 'next', moment, supply)
    if (replaced !== undefined) return replaced
  }
  return undefined
}

async function takeStep(
  { kind, algorithm, keyId = '' }: NextStep,
  keys: readonly HeldKey[],
  moment: Moment,
  supply: KeySupply,
): Promise<readonly HeldKey[] | undefined> {
  if (kind === 'drop') return withdraw(keys, keyId, moment)
  if (kind === 'publish') return await addKey(keys, algorithm, 'next', moment, supply)
  const next = findKey(keys, algorithm, 'next')
  const canSign = next?.held === supply.held && privateHalfOf(next, supply) !== undefined
  return canSign ? promote(keys, algorithm, moment) : undefined
}

/** Gives the keys with one more, published from now on. Undefined where there is none to be had. */
export async function addKey(
  keys: readonly HeldKey[],
  algorithm: SigningAlgorithm,
  state: KeyState,
  moment: Moment,
  supply: KeySupply,
): Promise<readonly HeldKey[] | undefined> {
  const privateKey = await supply.offer(algorithm, knows(keys))
  if (privateKey === undefined) return undefined
  const added: HeldKey = {
    keyId: await keyIdOf(privateKey),
    algorithm,
    state,
    held: supply.held,
    ...publishedIn(moment),
    publicKey: publicHalfOf(privateKey),
    privateKey,
  }
  return [...keys, added]
}

function knows(keys: readonly HeldKey[]): (keyId: string) => boolean {
  const known = new Set(keys.map(({ keyId }) => keyId))
  return (keyId) => known.has(keyId)
}

/**
 * Gives what may sign: the current keys, and one that retired so lately that an exchange may have begun before. Throws where a
 * current one cannot. A private half that was there stays, though its file may have gone.
 */
function findSigning(
  keys: readonly HeldKey[],
  before: ReadonlyMap<string, SigningKey>,
  { uptime }: Moment,
  supply: KeySupply,
): ReadonlyMap<string, SigningKey> {
  const signing = new Map<string, SigningKey>()
  for (const key of keys) {
    const isLately = key.state === 'retired' && uptime - key.sinceUptime < MAX_UNCONFIRMED_SECONDS
    if (key.state !== 'current' && !isLately) continue
    const privateKey = privateHalfOf(key, supply) ?? before.get(key.keyId)?.privateKey
    if (privateKey !== undefined) signing.set(key.keyId, { algorithm: key.algorithm, privateKey })
    else if (key.state === 'current') throw new SettingsError([supply.explainMissing(key)])
  }
  return signing
}

/** Says of which keys the private half has gone before they have done their part. */
function findStuck(keys: readonly HeldKey[], supply: KeySupply): readonly string[] {
  return keys
    .filter((key) => (key.state === 'next' || key.state === 'current') && privateHalfOf(key, supply) === undefined)
    .map((key) => supply.explainMissing(key).message)
}

function privateHalfOf(key: HeldKey, supply: KeySupply): KeyObject | undefined {
  return key.privateKey ?? supply.find(key.keyId)
}

function toPublicKey({ privateKey: _private, ...key }: HeldKey): PublicKey {
  return key
}
