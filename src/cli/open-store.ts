/** Opens the store that the configuration names. The driver of a database is loaded by whoever has one. */

import { existsSync } from 'node:fs'
import type { NumericDate } from '../../providers/contract/proof.ts'
import type { StoreLocation } from '../store/location.ts'
import { describePostgres } from '../store/postgres-url.ts'
import { openSqliteStore } from '../store/sqlite.ts'
import type { RecordTable, Store } from '../store/store.ts'
import { UsageError } from './exit.ts'

export interface OpenedStore {
  readonly store: Store
  /** Undefined where the store keeps no audit records. */
  readonly records: RecordTable | undefined
}

/**
 * Opens a store, making it where it is missing. `onDoubt` is told since when the store can be believed, where that changes while
 * it is open. Throws {@link SettingsError} where it cannot be used.
 */
export async function openStore(
  location: StoreLocation,
  onDoubt: (believedFrom: NumericDate) => void,
): Promise<OpenedStore> {
  if (location.kind === 'sqlite') return { store: await openSqliteStore(location.path), records: undefined }
  const { openPostgresStore } = await import('../store/postgres.ts')
  const store = await openPostgresStore(location, { onDoubt })
  return { store, records: store }
}

/** Opens a store that a broker has made. Throws {@link UsageError} where there is none: opening would make one, and find it empty. */
export async function openExistingStore(location: StoreLocation): Promise<Store> {
  if (location.kind === 'sqlite') {
    if (!existsSync(location.path)) throw missing(location.path)
    return await openSqliteStore(location.path)
  }
  const { openExistingPostgresStore } = await import('../store/postgres.ts')
  const store = await openExistingPostgresStore(location)
  if (store === undefined) throw missing(describePostgres(location))
  return store
}

function missing(name: string): UsageError {
  return new UsageError(`--store: ${name} does not exist: name the store of a broker`)
}
