/** A store with keys, a broker on it, and the commands that an operator has for it. */

import type { KeySource } from '../../src/tokens/key-source.ts'
import { createTestClock, type TestClock } from './clock.ts'
import { type KeysCommand, keysCommand } from './run-keys.ts'
import { makeVault, type Vault } from './vault.ts'

/** What the keys of a bench are sealed with. */
export const KEY = Buffer.alloc(32, 1)

/** When a bench begins. */
export const NOW = 1_768_478_400

export interface KeysBench {
  readonly vault: Vault
  readonly clock: TestClock
  readonly broker: KeySource
  readonly keys: KeysCommand
  /** The id of the key of an algorithm in a state. */
  idOf(state: string, algorithm?: string): Promise<string>
  /** Lets time go by in which a broker is up. */
  pass(seconds: number): Promise<void>
}

export async function createKeysBench(): Promise<KeysBench> {
  const vault = makeVault()
  const clock = createTestClock()
  const broker = await vault.source([KEY], clock.now)
  await broker.list()
  const keys = keysCommand(vault, clock.now, [KEY])
  return {
    vault,
    clock,
    broker,
    keys,
    idOf: async (state, algorithm = 'ES256') =>
      (await keys.list()).find((key) => key.state === state && key.algorithm === algorithm)?.key_id ?? '',
    async pass(seconds) {
      await broker.list()
      clock.advance(seconds)
      await broker.list()
    },
  }
}

/** Tells of each key its algorithm and state. */
export async function statesOf({ keys }: KeysBench): Promise<readonly string[]> {
  return (await keys.list()).map(({ algorithm, state }) => `${algorithm} ${state}`).sort()
}

/** As the commands write a time. */
export function timeOf(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z')
}
