/** Signing keys that the broker makes, keeps in its store and rotates by itself. */

import type { KeyObject } from 'node:crypto'
import type { KeySource } from './key-source.ts'
import { makePrivateKey } from './private-keys.ts'
import { createRingSource, type KeySupply, type RingSourcePorts } from './ring-source.ts'
import type { SigningAlgorithm } from './signing-key.ts'

/** Creates the source. A new store gets its first keys when they are first listed; keys that are there are never replaced by new ones. */
export function createEmbeddedSource(ports: RingSourcePorts, make = makePrivateKey): KeySource {
  return createRingSource(createEmbeddedSupply(make), ports)
}

/** Makes keys without end. */
export function createEmbeddedSupply(
  make: (algorithm: SigningAlgorithm) => Promise<KeyObject> = makePrivateKey,
): KeySupply {
  return {
    held: 'store',
    refresh: async () => [],
    offer: (algorithm) => make(algorithm),
    find: () => undefined,
    explainWaiting: () => [],
    explainNone: (algorithm) => ({
      path: ['--store'],
      code: 'store_unusable',
      message: `--store: no ${algorithm} key could be made`,
    }),
    explainMissing: ({ keyId, algorithm, state }) => ({
      path: ['--signing-keys'],
      code: 'setting_wrong',
      message: `--signing-keys: the ${state} ${algorithm} key ${keyId} of the store is held in a file: name its directory`,
    }),
  }
}
