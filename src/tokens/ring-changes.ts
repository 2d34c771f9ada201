/**
 * What each step does to the keys. Pure; a change takes effect when the store takes it, whole, together with the uptime of its
 * moment: what is counted after that came after the change, however long its writer hung before it wrote.
 */

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

/** Gives the times of a key that is published in this moment. */
export function publishedIn({ now, uptime }: Moment): Omit<RingKey, 'keyId' | 'algorithm' | 'state' | 'held'> {
  return { publishedAt: now, since: now, publishedUptime: uptime, sinceUptime: uptime }
}

/** Makes the next key current, and the current one retired. */
export function promote<Key extends RingKey>(
  keys: readonly Key[],
  algorithm: SigningAlgorithm,
  moment: Moment,
): readonly Key[] {
  return keys.map((key) => {
    if (key.algorithm !== algorithm) return key
    if (key.state === 'next') return move(key, 'current', moment)
    return key.state === 'current' ? move(key, 'retired', moment) : key
  })
}

/** Takes a key out of the published ones. One that is held in a file is remembered, as the file may stay. */
export function withdraw<Key extends RingKey>(keys: readonly Key[], keyId: string, moment: Moment): readonly Key[] {
  return keys.flatMap((key) => {
    if (key.keyId !== keyId) return [key]
    return key.held === 'file' ? [move(key, 'withdrawn', moment)] : []
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
    if (step.isDue) return { isRotated: true, keys: promote(keys, algorithm, moment) }
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
export function revoke<Key extends RingKey>(keys: readonly Key[], keyId: string, moment: Moment): Revocation<Key> {
  const revoked = keys.find((key) => key.keyId === keyId)
  const left = withdraw(keys, keyId, moment)
  if (revoked?.state !== 'current') return { keys: left, lacks: undefined }
  const { algorithm } = revoked
  const hasNext = findKey(left, algorithm, 'next') !== undefined
  return { keys: promote(left, algorithm, moment), lacks: hasNext ? undefined : algorithm }
}

function move<Key extends RingKey>(key: Key, state: KeyState, { now, uptime }: Moment): Key {
  return { ...key, state, since: now, sinceUptime: uptime }
}
