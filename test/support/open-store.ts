import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'

/** Opens the store that a locator names, as a process of its own does: `sqlite:PATH`. */
export function openStore(locator: string): Promise<Store> {
  if (locator.startsWith('sqlite:')) return openSqliteStore(locator.slice('sqlite:'.length))
  throw new Error(`no store is found at ${locator}`)
}
