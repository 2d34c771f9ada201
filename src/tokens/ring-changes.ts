/** What each step does to the keys. Pure; a change takes effect when the store takes it, whole. */

import type { NumericDate } from '../../providers/contract/proof.ts'
import { findKey, type Moment, nextSteps, type RotationRules } from './rotation.ts'
import type { KeyState, RingKey, SigningAlgorithm } from './signing-key.ts'

/** Whether keys were rotated, or when that is possible at the earliest, and what it waits for. */
export type Rotation<Key> =
  | { readonly isRotated: true; readonly keys: readonly Key[] }
  | { readonly isRotated: false; readonly earliest: NumericDate; readonly why: 'publication' | 'room' }

/** What is left after a key was revoked. `lacks` names the algorithm that now has no key to sign with. */
export interface Revocation<Key> {
  readonly keys: readonly Key[]
  readonly lacks: SigningAlgorithm | undefined
}

/** Gives the times of a key that is published now. */
export function publishedAt(now: NumericDate): Omit<RingKey, 'keyId' | 'algorithm' | 'state' | 'held'> {
  return { publishedAt: now, since: now, publishedUptime: null, sinceUptime: null }
}

/**
 * Notes by the uptime what has happened since it was noted last; undefined where that is nothing. A change is noted by whoever
 * sees it done: a process that decides on one and then hangs cannot make it look older than it is.
 */
export function noteUptimes<Key extends RingKey>(keys: readonly Key[], uptime: number): readonly Key[] | undefined {
  const noted = keys.map((key) => ({
    ...key,
    publishedUptime: key.publishedUptime ?? uptime,
    sinceUptime: key.sinceUptime ?? uptime,
  }))
  const isNoted = keys.every(({ publishedUptime, sinceUptime }) => publishedUptime !== null && sinceUptime !== null)
  return isNoted ? undefined : noted
}

/** Makes the next key current, and the current one retired. */
export function promote<Key extends RingKey>(
  keys: readonly Key[],
  algorithm: SigningAlgorithm,
  now: NumericDate,
): readonly Key[] {
  return keys.map((key) => {
    if (key.algorithm !== algorithm) return key
    if (key.state === 'next') return move(key, 'current', now)
    return key.state === 'current' ? move(key, 'retired', now) : key
  })
}

/** Takes a key out of the published ones. One that is held in a file is remembered, as the file may stay. */
export function withdraw<Key extends RingKey>(keys: readonly Key[], keyId: string, now: NumericDate): readonly Key[] {
  return keys.flatMap((key) => {
    if (key.keyId !== keyId) return [key]
    return key.held === 'file' ? [move(key, 'withdrawn', now)] : []
  })
}

/** Rotates an algorithm's keys now, whether their turn has come or not, if the next key has been public for long enough. */
export function rotateNow<Key extends RingKey>(
  keys: readonly Key[],
  algorithm: SigningAlgorithm,
  rules: RotationRules,
  moment: Moment,
): Rotation<Key> {
  const step = nextSteps(keys, { ...rules, promotes: 'as soon as it may' }, moment).find(
    ({ kind, algorithm: of }) => kind !== 'drop' && of === algorithm,
  )
  if (step?.kind === 'promote') {
    if (step.isDue) return { isRotated: true, keys: promote(keys, algorithm, moment.now) }
    return { isRotated: false, earliest: step.at, why: 'publication' }
  }
  const room = step?.at ?? moment.now
  return {
    isRotated: false,
    earliest: room + rules.publishSeconds,
    why: step?.isDue === false ? 'room' : 'publication',
  }
}

/** Takes a key away at once. The next one takes the place of a current one, whatever its age. */
export function revoke<Key extends RingKey>(keys: readonly Key[], keyId: string, now: NumericDate): Revocation<Key> {
  const revoked = keys.find((key) => key.keyId === keyId)
  const left = withdraw(keys, keyId, now)
  if (revoked?.state !== 'current') return { keys: left, lacks: undefined }
  const { algorithm } = revoked
  const hasNext = findKey(left, algorithm, 'next') !== undefined
  return { keys: promote(left, algorithm, now), lacks: hasNext ? undefined : algorithm }
}

function move<Key extends RingKey>(key: Key, state: KeyState, now: NumericDate): Key {
  return { ...key, state, since: now, sinceUptime: null }
}
