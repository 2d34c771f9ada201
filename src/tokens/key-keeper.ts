/** Keeps the ring that a process signs with the same as everybody's. */

import type { NumericDate } from '../../providers/contract/proof.ts'
import { createKeyRing, type KeyRing } from './key-ring.ts'
import type { KeyListing, KeySource } from './key-source.ts'
import { MAX_UNCONFIRMED_SECONDS } from './rotation.ts'

/** Time between two looks, in milliseconds: what one process does is seen by the others within five seconds. */
const LOOK_MS = 2_000

/** What part of that a look may come early or late, so that processes that were started together do not look together. */
const JITTER = 0.25

export interface KeeperPorts {
  readonly source: KeySource
  readonly now: () => NumericDate
  /** Seconds since some moment, by a clock that nobody can set. */
  readonly elapsed: () => number
  /** Called after each look that found out which keys there are, with what the one before found. */
  readonly onLook: (listing: KeyListing, before: KeyListing | undefined) => void
  /** Called after each look that did not. The keys of the last one are used for ten minutes. */
  readonly onTrouble: (error: unknown) => void
}

export interface KeyKeeper {
  /** Looks for the first time, and from then on. Throws where no key can be used. */
  start(): Promise<void>
  /** Looks at once. */
  look(): Promise<void>
  /**
   * Gives the ring in force. Where it was not confirmed for ten minutes, as after a sleep, it is looked at first; undefined where
   * that fails.
   */
  ring(): KeyRing | undefined | Promise<KeyRing | undefined>
  stop(): Promise<void>
}

/** Creates the keeper. A ring is swapped in whole, and signs only while it is confirmed. */
export function createKeyKeeper(ports: KeeperPorts): KeyKeeper {
  const { source, now, elapsed } = ports
  let ring: KeyRing | undefined
  let last: KeyListing | undefined
  let confirmed: { readonly now: NumericDate; readonly elapsed: number } | undefined
  let looking: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  /** By both clocks: one stands still while a machine sleeps, the other can be set. */
  const isConfirmed = (): boolean =>
    confirmed !== undefined &&
    Math.abs(now() - confirmed.now) <= MAX_UNCONFIRMED_SECONDS &&
    elapsed() - confirmed.elapsed <= MAX_UNCONFIRMED_SECONDS
  const sign: KeySource['sign'] = (keyId, input) => {
    if (!isConfirmed()) throw new Error('the keys were not confirmed for too long')
    return source.sign(keyId, input)
  }
  const lookOnce = async (): Promise<void> => {
    const began = { now: now(), elapsed: elapsed() }
    const listing = await source.list()
    if (ring === undefined || hasChanged(listing, last)) ring = await createKeyRing(listing.keys, sign)
    confirmed = began
    const before = last
    last = listing
    ports.onLook(listing, before)
  }
  const look = (): Promise<void> => {
    looking ??= lookOnce().finally(() => {
      looking = undefined
    })
    return looking
  }
  const tryLook = (): Promise<void> => look().catch(ports.onTrouble)
  const wait = (): void => {
    if (isStopped) return
    timer = setTimeout(() => void tryLook().then(wait), LOOK_MS * (1 + JITTER * (2 * Math.random() - 1)))
    timer.unref()
  }
  return {
    async start() {
      await look()
      wait()
    },
    look: tryLook,
    ring: () => (isConfirmed() ? ring : tryLook().then(() => (isConfirmed() ? ring : undefined))),
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await looking?.catch(() => undefined)
    },
  }
}

function hasChanged(listing: KeyListing, before: KeyListing | undefined): boolean {
  const print = (keys: KeyListing['keys']): string => String(keys.map(({ keyId, state }) => [keyId, state]))
  return before === undefined || print(listing.keys) !== print(before.keys)
}
