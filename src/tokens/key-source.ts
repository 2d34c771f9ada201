/** Where private keys are: in our store, in files of the operator's, or behind a service that signs for us. */

import { SettingsError } from '../../providers/contract/errors.ts'
import type { NextStep, Turn } from './rotation.ts'
import type { PublicKey } from './signing-key.ts'

/** The keys of one moment, and what comes next. */
export interface KeyListing {
  /** Those that are published, in the order of their publication. */
  readonly keys: readonly PublicKey[]
  readonly steps: readonly NextStep[]
  /** When the current key of each algorithm is to be followed by the next. */
  readonly turns: readonly Turn[]
  /** What stands in the way of the next steps, in words for the operator. The keys can be used all the same. */
  readonly troubles: readonly string[]
}

/** Holds private keys, and never shows them. */
export interface KeySource {
  /**
   * Gives the keys as they are now, by their public halves, having taken every step that is due. Throws where nobody can tell
   * for certain which keys there are.
   */
  list(): Promise<KeyListing>
  /**
   * Signs with a key that was listed, and gives the signature as JWS has it: at once where the private half is in this process.
   * Throws where the key is there no more.
   */
  sign(keyId: string, input: Buffer): Buffer | Promise<Buffer>
}

/** Refuses signing keys of a store that nobody but its owner can mend. */
export function refuseStore(problem: string): never {
  const message = `--store: ${problem}: restore the store from a backup, or start with a new one`
  throw new SettingsError([{ path: ['--store'], code: 'store_unusable', message }])
}
