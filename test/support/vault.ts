/** Signing keys in a real store, as brokers and commands open them. */

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { onTestFinished } from 'vitest'
import { createSealer } from '../../src/store/seal.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { createEmbeddedSource } from '../../src/tokens/embedded-source.ts'
import type { KeyListing, KeySource } from '../../src/tokens/key-source.ts'
import { createRingStore, type HeldKey, type RingStore } from '../../src/tokens/ring-store.ts'
import { rulesFor } from '../../src/tokens/rotation.ts'
import { makeScratch } from './scratch.ts'

/** Thirty days. */
export const PERIOD = 2_592_000

export interface Vault {
  readonly path: string
  open(): Promise<Store>
  /** Opens it under these keys of the operator's. */
  ringStore(keys: readonly Uint8Array[]): Promise<RingStore>
  /** A process of its own that lists and signs. `now` is both of its clocks. */
  source(keys: readonly Uint8Array[], now: () => number): Promise<KeySource>
  /** Lists the keys, as a broker does that starts. */
  load(keys: readonly Uint8Array[], now?: number): Promise<KeyListing>
  /** Opens the keys, private halves and all. */
  held(keys: readonly Uint8Array[]): Promise<readonly HeldKey[]>
  /** Changes rows by hand. */
  edit(sql: string): void
}

/** Makes a store that is removed when the running test has finished. */
export function makeVault(path = join(makeScratch(), 'store.db')): Vault {
  const open = async (): Promise<Store> => {
    const store = await openSqliteStore(path)
    onTestFinished(() => store.close())
    return store
  }
  const ringStore = async (keys: readonly Uint8Array[]) => createRingStore(await open(), createSealer(keys))
  const source = async (keys: readonly Uint8Array[], now: () => number) =>
    createEmbeddedSource({ ringStore: await ringStore(keys), rules: rulesFor(PERIOD), now, elapsed: now })
  return {
    path,
    open,
    ringStore,
    source,
    load: async (keys, now = 1_768_478_400) => (await source(keys, () => now)).list(),
    held: async (keys) => (await (await ringStore(keys)).read()).keys,
    edit(sql) {
      const database = new DatabaseSync(path)
      database.exec(sql)
      database.close()
    },
  }
}

/** Makes the keys of a store, as a broker's first start does. */
export async function fillStore(path: string, keys: readonly Uint8Array[], now: number): Promise<void> {
  const store = await openSqliteStore(path)
  const ringStore = createRingStore(store, createSealer(keys))
  await createEmbeddedSource({ ringStore, rules: rulesFor(PERIOD), now: () => now, elapsed: () => now }).list()
  await store.close()
}
