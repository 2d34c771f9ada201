/** Each promise, and what it rests on, broken on purpose. */

import type { KeyTable } from '../../src/store/store.ts'
import type { KeyListing, KeySource } from '../../src/tokens/key-source.ts'
import type { HeldKey, RingStore } from '../../src/tokens/ring-store.ts'
import type { Fault } from './brokers.ts'
import type { Law } from './laws.ts'

/** A fault, and what may be noticed of it first. */
export interface KnownFault {
  readonly fault: Fault
  /** Whether nobody rotates by hand, as that would hide it. */
  readonly isUnattended?: boolean
  readonly laws: readonly Law[]
}

/** Changes what is written. */
function writing(change: (keys: readonly HeldKey[]) => readonly HeldKey[]): (ringStore: RingStore) => RingStore {
  return (ringStore) => ({
    ...ringStore,
    write: (before, { uptime, keys }) => ringStore.write(before, { uptime, keys: change(keys) }),
  })
}

/** Puts its ring over whatever is there, decided on what was there before. */
function overwriting(ringStore: RingStore): RingStore {
  return { ...ringStore, write: async (_before, ring) => ringStore.write(await ringStore.read(), ring) }
}

/** Does not look which ring was there. */
function takingAnything(table: KeyTable): KeyTable {
  return {
    ...table,
    async replaceSigningKeys(ring) {
      const stored = await table.signingKeys()
      return await table.replaceSigningKeys({ ...ring, version: stored.version + 1 })
    },
  }
}

/** Brings every key back that went before it was retired, while there is room. */
function bringingBack(ringStore: RingStore): RingStore {
  const seen = new Map<string, HeldKey>()
  return {
    ...ringStore,
    write(before, { uptime, keys }) {
      for (const key of before.keys) {
        if (key.state === 'retired') seen.delete(key.keyId)
        else seen.set(key.keyId, key)
      }
      const gone = [...seen.values()].filter(({ keyId }) => !keys.some((key) => key.keyId === keyId))
      const back = gone.slice(0, Math.max(0, 4 - keys.length)).map((key): HeldKey => ({ ...key, state: 'retired' }))
      return ringStore.write(before, { uptime, keys: [...keys, ...back] })
    },
  }
}

/** Changes what is listed. */
function listing(change: (listing: KeyListing) => KeyListing): (source: KeySource) => KeySource {
  return (source) => ({ ...source, list: async () => change(await source.list()) })
}

/** Looks once. */
function lookingOnce(source: KeySource): KeySource {
  let first: KeyListing | undefined
  return {
    async list() {
      const listed = await source.list()
      first ??= listed
      return first
    },
    sign: source.sign,
  }
}

/** Goes on with what it knows while its store is out of reach, for ever. */
function goingOn(source: KeySource): KeySource {
  let last: KeyListing | undefined
  return {
    async list() {
      try {
        last = await source.list()
      } catch (error) {
        if (last === undefined) throw error
      }
      return last
    },
    sign: source.sign,
  }
}

function signingWithNext({ keys, ...others }: KeyListing): KeyListing {
  const swapped = { next: 'current', current: 'next', retired: 'retired', withdrawn: 'withdrawn' } as const
  const hasNext = new Set(keys.filter(({ state }) => state === 'next').map(({ algorithm }) => algorithm))
  return {
    ...others,
    keys: keys.map((key) => (hasNext.has(key.algorithm) ? { ...key, state: swapped[key.state] } : key)),
  }
}

export const FAULTS: Readonly<Record<string, KnownFault>> = {
  'a key signs as soon as it is there': {
    fault: { rules: { publishSeconds: 0 } },
    laws: ['a key signs before it has been public for a day', 'a live token is not verified'],
  },
  'a key signs an hour too early': {
    fault: { rules: { publishSeconds: 82_800 } },
    laws: ['a key signs before it has been public for a day', 'a live token is not verified'],
  },
  'a retired key goes at once': {
    fault: { rules: { keepSeconds: 0 } },
    laws: ['a key is dropped while its tokens live', 'a live token is not verified'],
  },
  'a retired key goes when a token has had its life, though not every broker had heard': {
    fault: { rules: { keepSeconds: 3_600 } },
    laws: ['a key is dropped while its tokens live', 'a live token is not verified'],
  },
  'a current key goes instead of retiring': {
    fault: { ringStore: writing((keys) => keys.filter(({ state }) => state !== 'retired')) },
    laws: [
      'a key vanishes that nobody revoked',
      'a key is dropped while its tokens live',
      'a live token is not verified',
    ],
  },
  'a fifth key is published': {
    fault: { rules: { maxPublished: 5 } },
    laws: ['more than four keys are published'],
  },
  'waits are measured by a clock that can be set': {
    fault: { trustsCalendar: true },
    laws: ['a key signs before it has been public for a day', 'a key is dropped while its tokens live'],
  },
  'a broker puts its ring over another’s': {
    fault: { ringStore: overwriting },
    laws: ['a key comes back', 'a key vanishes that nobody revoked', 'a key is dropped while its tokens live'],
  },
  'a key that was revoked comes back': {
    fault: { ringStore: bringingBack },
    laws: ['a key comes back'],
  },
  'a broker looks once': {
    fault: { source: lookingOnce },
    laws: ['a revoked key is still in use', 'a broker that has its store has no key', 'a live token is not verified'],
  },
  'a broker goes on without its store': {
    fault: { source: goingOn },
    laws: ['a key is dropped while its tokens live', 'a live token is not verified', 'a revoked key is still in use'],
  },
  'the next key signs': {
    fault: { source: listing(signingWithNext) },
    // Its source does not sign with it, whoever asks.
    laws: ['a broker that has its store has no key', 'a key signs before it has been public for a day'],
  },
  'a revoked key stays': {
    fault: { revokes: 'nothing' },
    laws: ['a revoked key is still in use'],
  },
  'a revoked key gets no successor': {
    fault: { revokes: 'without a successor' },
    laws: ['an algorithm has not one current key'],
  },
  'a store takes any ring that is put in': {
    fault: { table: takingAnything },
    laws: ['a ring is taken twice', 'a key comes back', 'a key vanishes that nobody revoked'],
  },
  'no key is ever promoted': {
    fault: { rules: { periodSeconds: 40_000_000 } },
    isUnattended: true,
    laws: ['a rotation does not come'],
  },
}
