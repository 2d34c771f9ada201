/** What the broker counts of its signing keys. */

import { type Aggregator, Counter, Gauge, type Registry } from 'prom-client'
import type { KeyListing } from './tokens/key-source.ts'
import { KEY_EVENTS, type KeyEvent } from './tokens/ring-events.ts'

export interface KeyMetrics {
  /** Called for each step that was seen, whoever took it. */
  keyEvent(event: Pick<KeyEvent, 'kind' | 'algorithm'>): void
  /** Called after each look that found out which keys there are. */
  keysConfirmed(listing: KeyListing, at: number): void
  /** Called after each look that did not. */
  keysUnconfirmed(): void
}

/** Creates them. A key's id is no label, as there would be another every month. Every worker sees the same steps: they are not added up. */
export function createKeyMetrics(registry: Registry): KeyMetrics {
  const registers = [registry]
  const labelNames = ['algorithm'] as const
  const gauge = (name: string, help: string, aggregator: Aggregator) =>
    new Gauge({ name, help, labelNames, registers, aggregator })
  const events = new Counter({
    name: 'chancery_signing_key_events_total',
    help: `What this process saw happen to signing keys: ${KEY_EVENTS.join(', ')}.`,
    labelNames: ['algorithm', 'event'] as const,
    registers,
    aggregator: 'max',
  })
  const keys = new Gauge({
    name: 'chancery_signing_keys',
    help: 'Signing keys that are published.',
    labelNames: ['algorithm', 'state'] as const,
    registers,
    aggregator: 'max',
  })
  const since = gauge(
    'chancery_signing_key_current_since_timestamp_seconds',
    'When the current key began to sign.',
    'max',
  )
  const wanted = gauge(
    'chancery_signing_key_rotation_wanted_timestamp_seconds',
    'When the next rotation is wanted.',
    'min',
  )
  const late = gauge('chancery_signing_key_rotation_late', '1 while a rotation is hours later than wanted.', 'max')
  const confirmed = new Gauge({
    name: 'chancery_signing_keys_confirmed_timestamp_seconds',
    help: 'When the store last said which signing keys there are; after ten minutes without, none is used.',
    registers,
    aggregator: 'min',
  })
  const trouble = new Gauge({
    name: 'chancery_signing_keys_trouble',
    help: '1 while the signing keys cannot be confirmed, or a step cannot be taken; the log says why.',
    registers,
    aggregator: 'max',
  })
  return {
    keyEvent: ({ kind, algorithm }) => events.inc({ algorithm, event: kind }),
    keysConfirmed({ keys: found, turns, troubles }, at) {
      confirmed.set(at)
      trouble.set(troubles.length > 0 ? 1 : 0)
      keys.reset()
      for (const { algorithm, state, since: began } of found) {
        keys.inc({ algorithm, state })
        if (state === 'current') since.set({ algorithm }, began)
      }
      for (const { algorithm, at: turn, isLate } of turns) {
        wanted.set({ algorithm }, turn)
        late.set({ algorithm }, isLate ? 1 : 0)
      }
    },
    keysUnconfirmed: () => trouble.set(1),
  }
}
