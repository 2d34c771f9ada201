/** `chancery keys`: looks after the signing keys of a store. Brokers on it follow within seconds. */

import type { NumericDate } from '../../providers/contract/proof.ts'
import { type Environment, type Flags, readKeysConfig } from '../config.ts'
import { createKeptDocuments } from '../federation/kept.ts'
import { createSealer, type Sealer } from '../store/seal.ts'
import type { Store } from '../store/store.ts'
import { createEmbeddedSupply } from '../tokens/embedded-source.ts'
import { type Rotation, revoke, rotateNow } from '../tokens/ring-changes.ts'
import { addKey } from '../tokens/ring-source.ts'
import { createRingStore, type HeldKey, type OpenRing, type RingStore } from '../tokens/ring-store.ts'
import { findKey, type Moment, type RotationRules, rulesFor } from '../tokens/rotation.ts'
import { isPublished, SIGNING_ALGORITHMS, type SigningAlgorithm } from '../tokens/signing-key.ts'
import { EXIT, type Terminal, UsageError } from './exit.ts'
import { accountOf, tellKeys, tellRevocation, tellRotation, tellWait } from './keys-text.ts'
import { openExistingStore } from './open-store.ts'
import { systemClock } from './world.ts'

export type KeysAct = 'list' | 'rotate' | 'revoke' | 'reencrypt'

export interface KeysOptions {
  readonly keyId?: string | undefined
  readonly isJson?: boolean
  /** Both where none is named. */
  readonly algorithm?: SigningAlgorithm | undefined
}

/** What a command sees of the world; tests bring their own. */
export interface KeysWorld {
  readonly now: () => NumericDate
  readonly env?: Environment
}

interface Context extends KeysOptions {
  readonly store: Store
  readonly sealer: Sealer
  readonly ringStore: RingStore
  readonly rules: RotationRules
  readonly now: () => NumericDate
  readonly terminal: Terminal
}

/** Tries against brokers that change the keys at the same time. */
const MAX_TRIES = 16

/**
 * Runs one of the commands and gives its exit code: 0 where it did what it says, 1 where it refuses, 3 where it is too early.
 * Throws {@link UsageError} where there is no such store, and {@link SettingsError} where its keys cannot be opened.
 */
export async function runKeys(
  act: KeysAct,
  flags: Flags,
  options: KeysOptions,
  terminal: Terminal,
  world: KeysWorld = { now: systemClock },
): Promise<number> {
  const config = world.env === undefined ? readKeysConfig(flags) : readKeysConfig(flags, world.env)
  const { keyEncryptionKeys, keyRotationSeconds } = config
  const store = await openExistingStore(config.store)
  const sealer = createSealer(keyEncryptionKeys)
  const ringStore = createRingStore(store, sealer)
  try {
    const context = {
      ...options,
      store,
      sealer,
      ringStore,
      rules: rulesFor(keyRotationSeconds),
      now: world.now,
      terminal,
    }
    return await ACTS[act](context)
  } finally {
    await store.close()
  }
}

const ACTS: Readonly<Record<KeysAct, (context: Context) => Promise<number>>> = {
  list,
  rotate,
  revoke: revokeOne,
  reencrypt,
}

async function list({ ringStore, rules, now, isJson, terminal }: Context): Promise<number> {
  const ring = await ringStore.read()
  const accounts = accountOf(ring.keys.filter(isPublished), rules, momentOf(ring, now))
  terminal.out(isJson === true ? `${JSON.stringify(accounts, null, 2)}\n` : tellKeys(accounts))
  return EXIT.done
}

async function rotate({ ringStore, rules, now, algorithm, terminal }: Context): Promise<number> {
  return await change(ringStore, async (ring) => {
    if (ring.keys.length === 0) return refuse(terminal, 'the store has no keys yet: a broker makes them when it starts')
    const moment = momentOf(ring, now)
    const algorithms = algorithm === undefined ? SIGNING_ALGORITHMS : [algorithm]
    let keys: readonly HeldKey[] = ring.keys
    const waits: Extract<Rotation<HeldKey>, { isRotated: false }>[] = []
    for (const each of algorithms) {
      const rotation = rotateNow(keys, each, rules, moment)
      if (rotation.isRotated) keys = rotation.keys
      else waits.push(rotation)
    }
    // Both or neither, so that what was asked for and what was done are the same.
    if (waits.length > 0) {
      terminal.err(tellWait(algorithms, waits, rules))
      return { code: EXIT.later }
    }
    return { code: EXIT.done, keys, tell: () => terminal.out(tellRotation(ring.keys, keys, rules, moment)) }
  })
}

async function revokeOne({ ringStore, rules, now, keyId = '', terminal }: Context): Promise<number> {
  return await change(ringStore, async (ring) => {
    const revoked = ring.keys.filter(isPublished).find((key) => key.keyId === keyId)
    if (revoked === undefined)
      return refuse(terminal, `no key that is published is called ${keyId}: see chancery keys list`)
    const moment = momentOf(ring, now)
    const { keys: left, lacks } = revoke(ring.keys, keyId, moment)
    if (lacks !== undefined && revoked.held === 'file') {
      return refuse(
        terminal,
        `nothing could sign by ${lacks} without it: add a file with another key to --signing-keys, and revoke this one then`,
      )
    }
    const keys = lacks === undefined ? left : await addKey(left, lacks, 'current', moment, createEmbeddedSupply())
    const successor = keys === undefined ? undefined : findKey(keys, revoked.algorithm, 'current')
    return { code: EXIT.done, keys, tell: () => terminal.out(tellRevocation(revoked, successor, rules, moment)) }
  })
}

async function reencrypt({ ringStore, store, sealer, terminal }: Context): Promise<number> {
  if (!sealer.isKeyed)
    throw new UsageError('CHANCERY_KEY_ENCRYPTION_KEY: is required: the new key, and behind a comma the old one')
  const code = await change(ringStore, async (ring) => ({
    code: EXIT.done,
    // Copies are sealed anew.
    keys: ring.version === 0 ? undefined : ring.keys.map((key) => ({ ...key })),
    tell: () => terminal.out(`${ring.keys.length} keys are encrypted under the first key-encryption key\n`),
  }))
  await createKeptDocuments(store, sealer).renewCodes()
  return code
}

interface Change {
  readonly code: number
  /** Undefined where nothing is to be changed. */
  readonly keys?: readonly HeldKey[] | undefined
  /** Tells what was done, once it is. */
  readonly tell?: () => void
}

/** Decides again where a broker was faster. */
async function change(ringStore: RingStore, decide: (ring: OpenRing) => Promise<Change>): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const ring = await ringStore.read()
    const { code, keys, tell } = await decide(ring)
    if (keys === undefined || (await ringStore.write(ring, { uptime: ring.uptime, keys }))) {
      tell?.()
      return code
    }
  }
  throw new UsageError('brokers change the keys all the time: try again')
}

function refuse(terminal: Terminal, message: string): Change {
  terminal.err(`chancery: ${message}\n`)
  return { code: EXIT.refused }
}

function momentOf(ring: OpenRing, now: () => NumericDate): Moment {
  return { now: now(), uptime: ring.uptime }
}
