/** The last good document, in the store, so that a broken one cannot take the broker down at its next start. */

import type { Sealer } from '../store/seal.ts'
import type { Store } from '../store/store.ts'
import { type ReadResult, readFederation } from './federation.ts'
import type { ValidationContext } from './validate.ts'

export interface KeptDocuments {
  keep(file: string, text: string): Promise<void>
  /** Gives the kept document, proved anew. Undefined where there is none, or whoever kept it did not have our key. */
  restore(): Promise<ReadResult | undefined>
}

/** Keeps documents in a store, each with a code that only a holder of the key-encryption key can make. */
export function createKeptDocuments(store: Store, sealer: Sealer, context: ValidationContext): KeptDocuments {
  return {
    keep: (file, text) => store.keepDocument({ file, text, code: sealer.authenticate(text) }),
    async restore() {
      const kept = await store.keptDocument()
      if (kept === undefined || !sealer.isAuthentic(kept.text, kept.code)) return undefined
      return readFederation({ file: kept.file, text: kept.text }, context)
    },
  }
}
