/**
 * When a key comes, signs and goes. Pure: keys, rules and a moment in, steps out.
 *
 * Each algorithm has a current key and, beside it, the next one, which is public long before it signs and stands by for a
 * revocation. A rotation makes the current key a retired one and the next one current, so the number of keys stays; when the
 * retired key has gone, another next one is published. Both algorithms together never have more than four.
 */

import { hash } from 'node:crypto'
import type { NumericDate } from '../../providers/contract/proof.ts'
import { MAX_TOKEN_LIFETIME_SECONDS } from '../federation/document.ts'
import { isPublished, type RingKey, type SigningAlgorithm } from './signing-key.ts'

/**
 * One moment by two clocks. `now` says when a rotation is wanted, as a calendar does. `uptime` says what is safe: it counts only
 * seconds in which some broker was up, by a clock that nobody can set, so that no wait is cut short by one that was.
 */
export interface Moment {
  readonly now: NumericDate
  readonly uptime: number
}

export interface RotationRules {
  /** How long a key signs before its rotation is wanted. */
  readonly periodSeconds: number
  /** Whether a key signs as soon as it may, or when its turn has come. */
  readonly promotes: 'when its turn has come' | 'as soon as it may'
  /** How long a key is public before it signs. */
  readonly publishSeconds: number
  /** How long a retired key stays public. */
  readonly keepSeconds: number
  readonly maxPublished: number
}

/** A day: longer than verifiers keep a key set, with an hour to spare. */
export const PUBLISH_SECONDS = 86_400

/**
 * How long a process uses keys that it could not confirm, in seconds. Long enough for a store that restarts; what a rotation
 * waits for has this much to spare.
 */
export const MAX_UNCONFIRMED_SECONDS = 600

/** Clocks of brokers and verifiers that differ, a minute each, and a verifier's own tolerance. */
const CLOCKS_SECONDS = 180

/** How long a retired key stays public: until the last token has expired of a process that had not heard of its retirement. */
export const KEEP_SECONDS = MAX_TOKEN_LIFETIME_SECONDS + MAX_UNCONFIRMED_SECONDS + CLOCKS_SECONDS

/** Current and next of both algorithms. Verifiers of constrained devices and clouds cap what they read. */
export const MAX_PUBLISHED = 4

/** What part of the period a rotation may come early, so that brokers that were started together do not rotate together. */
const JITTER = 0.05

/** How long after its time a rotation is late, in seconds. Every wait that is no trouble is shorter. */
const LATE_SECONDS = 21_600

/** What happens next with the keys of one algorithm. */
export interface NextStep {
  readonly kind: 'publish' | 'promote' | 'drop'
  readonly algorithm: SigningAlgorithm
  /** Undefined for a key that is not there yet. */
  readonly keyId: string | undefined
  /** When it can be taken, if brokers are up until then. Not after now where it is due. */
  readonly at: NumericDate
  readonly isDue: boolean
}

/** When a rotation is wanted. It may have to wait for longer. */
export interface Turn {
  readonly algorithm: SigningAlgorithm
  readonly at: NumericDate
  /** Whether it should have happened by now, whatever it waits for. */
  readonly isLate: boolean
}

/** Gives the rules of a broker that rotates by itself. */
export function rulesFor(periodSeconds: number): RotationRules {
  return {
    periodSeconds,
    promotes: 'when its turn has come',
    publishSeconds: PUBLISH_SECONDS,
    keepSeconds: KEEP_SECONDS,
    maxPublished: MAX_PUBLISHED,
  }
}

/** Gives what comes next for each algorithm, the earliest first. */
export function nextSteps(keys: readonly RingKey[], rules: RotationRules, moment: Moment): readonly NextStep[] {
  const drops = keys.filter(({ state }) => state === 'retired').map((key) => dropStep(key, rules, moment))
  const others = keys
    .filter(({ state }) => state === 'current')
    .map((current) => {
      const next = findKey(keys, current.algorithm, 'next')
      return next === undefined
        ? publishStep(keys, current.algorithm, rules, moment)
        : promoteStep(current, next, rules, moment)
    })
  return [...drops, ...others].sort((one, other) => one.at - other.at)
}

function dropStep(retired: RingKey, rules: RotationRules, moment: Moment): NextStep {
  const { keyId, algorithm } = retired
  return { kind: 'drop', algorithm, keyId, ...after(keepingWait(retired, rules, moment), moment) }
}

/** Another key is published where there is room, or as soon as a retired one has made some. */
function publishStep(
  keys: readonly RingKey[],
  algorithm: SigningAlgorithm,
  rules: RotationRules,
  moment: Moment,
): NextStep {
  const waits = keys.filter(({ state }) => state === 'retired').map((key) => keepingWait(key, rules, moment))
  const isRoom = keys.filter(isPublished).length < rules.maxPublished
  const step = { kind: 'publish', algorithm, keyId: undefined } as const
  if (isRoom) return { ...step, ...after(0, moment) }
  // There is no room until a retired one has really gone, however overdue that is.
  return { ...step, ...after(Math.max(1, Math.min(...waits)), moment) }
}

function promoteStep(current: RingKey, next: RingKey, rules: RotationRules, moment: Moment): NextStep {
  const { keyId, algorithm } = next
  const turn = rules.promotes === 'as soon as it may' ? 0 : turnOf(current, rules, moment) - moment.now
  return { kind: 'promote', algorithm, keyId, ...after(Math.max(turn, publicationWait(next, rules, moment)), moment) }
}

/** Gives when each current key has signed for long enough. */
export function turnsOf(keys: readonly RingKey[], rules: RotationRules, moment: Moment): readonly Turn[] {
  return keys
    .filter(({ state }) => state === 'current')
    .map((current) => {
      const at = turnOf(current, rules, moment)
      return { algorithm: current.algorithm, at, isLate: moment.now > at + LATE_SECONDS }
    })
}

/** By the calendar, or by the clock that cannot be set: a key that came while the calendar was ahead does not sign for years. */
function turnOf(current: RingKey, { periodSeconds }: RotationRules, { now, uptime }: Moment): NumericDate {
  const early = Math.floor(periodSeconds * JITTER * fractionOf(current.keyId))
  const byUptime = now + current.sinceUptime + periodSeconds - uptime
  return Math.min(current.since + periodSeconds, byUptime) - early
}

/** The same for everybody who knows the key, so that all processes agree and an operator can be told. */
function fractionOf(keyId: string): number {
  return hash('sha256', keyId, 'buffer').readUInt32BE(0) / 2 ** 32
}

function publicationWait({ publishedUptime }: RingKey, { publishSeconds }: RotationRules, { uptime }: Moment): number {
  return publishedUptime + publishSeconds - uptime
}

function keepingWait({ sinceUptime }: RingKey, { keepSeconds }: RotationRules, { uptime }: Moment): number {
  return sinceUptime + keepSeconds - uptime
}

function after(seconds: number, { now }: Moment): Pick<NextStep, 'at' | 'isDue'> {
  return { at: now + seconds, isDue: seconds <= 0 }
}

/** Finds the key of an algorithm in a state of which there is one. */
export function findKey<Key extends RingKey>(
  keys: readonly Key[],
  algorithm: SigningAlgorithm,
  state: 'next' | 'current',
): Key | undefined {
  return keys.find((key) => key.algorithm === algorithm && key.state === state)
}
