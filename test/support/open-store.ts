import { openPostgresStore } from '../../src/store/postgres.ts'
import { parsePostgresUrl } from '../../src/store/postgres-url.ts'
import { openSqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'

/** Opens the store that a locator names, as a process of its own does: `sqlite:PATH` or `postgres://…`. */
export async function openStore(locator: string): Promise<Store> {
  if (locator.startsWith('sqlite:')) return await openSqliteStore(locator.slice('sqlite:'.length))
  return await openPostgresStore(parsePostgresUrl(locator))
}
