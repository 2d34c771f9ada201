/** What happened to the keys between two looks, whoever did it. Pure. */

import type { NumericDate } from '../../providers/contract/proof.ts'
import type { KeyListing } from './key-source.ts'
import type { PublicKey, SigningAlgorithm } from './signing-key.ts'

/** `published`: a key came that does not sign yet; `promoted`: it signs; `retired`: it signs no more; `dropped`: gone when its time had come; `revoked`: gone at once. */
export const KEY_EVENTS = ['published', 'promoted', 'retired', 'dropped', 'revoked'] as const

export interface KeyEvent {
  readonly kind: (typeof KEY_EVENTS)[number]
  readonly algorithm: SigningAlgorithm
  readonly keyId: string
}

/** How much before its time a key may go and still count as dropped, in seconds: brokers' clocks differ. */
const EARLY_SECONDS = 60

/** Gives what happened until now, in the order in which it is told. */
export function eventsBetween(before: KeyListing, after: KeyListing, now: NumericDate): readonly KeyEvent[] {
  const known = new Map(before.keys.map((key) => [key.keyId, key]))
  const left = new Set(after.keys.map(({ keyId }) => keyId))
  const gone = before.keys.filter(({ keyId }) => !left.has(keyId))
  return [
    ...after.keys.flatMap((key) => eventsOf(known.get(key.keyId), key)),
    ...gone.map((key) => eventOf(wasToGo(key, before, now) ? 'dropped' : 'revoked', key)),
  ]
}

function eventsOf(before: PublicKey | undefined, key: PublicKey): readonly KeyEvent[] {
  if (before?.state === key.state) return []
  if (key.state === 'next') return [eventOf('published', key)]
  return [eventOf(key.state === 'current' ? 'promoted' : 'retired', key)]
}

function wasToGo({ keyId }: PublicKey, { steps }: KeyListing, now: NumericDate): boolean {
  return steps.some((step) => step.kind === 'drop' && step.keyId === keyId && step.at <= now + EARLY_SECONDS)
}

function eventOf(kind: KeyEvent['kind'], { algorithm, keyId }: PublicKey): KeyEvent {
  return { kind, algorithm, keyId }
}
