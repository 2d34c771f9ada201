/** The embedded store: one SQLite file, shared by the processes of one host. */

import { closeSync, openSync } from 'node:fs'
import { realpath, statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { SettingsError } from '../../providers/contract/errors.ts'
import { guardFile } from './sqlite-file.ts'
import { createKeptRows } from './sqlite-kept.ts'
import { createKeyTable } from './sqlite-keys.ts'
import { migrate } from './sqlite-schema.ts'
import { openSpentProofs } from './sqlite-spent.ts'
import { BUSY_TIMEOUT_MS, whenFree } from './sqlite-transaction.ts'
import type { Store } from './store.ts'

/** File systems on which SQLite's locks do not hold between hosts, by their `statfs` type. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x00c36400, 'Ceph'],
  [0x0bd00bd0, 'Lustre'],
  [0x5346414f, 'AFS'],
  [0x47504653, 'GPFS'],
  [0x65735546, 'FUSE'],
])

/**
 * Opens the store, creating the file (readable by its owner alone) where it is missing.
 *
 * Throws {@link SettingsError} where the file cannot be opened, lies on a network file system or was written by a newer version.
 */
export async function openSqliteStore(path: string): Promise<Store> {
  const refuse = (message: string) =>
    new SettingsError([{ path: ['--store'], code: 'store_unusable', message: `--store: ${path}: ${message}` }])
  try {
    await refuseNetwork(resolve(path))
    closeSync(openSync(path, 'a', 0o600))
    // A link leads elsewhere; and in a whole path SQLite sees no `:memory:` and no `file:` address.
    const file = await realpath(path)
    await refuseNetwork(file)
    const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS })
    await whenFree(() => database.exec('PRAGMA journal_mode = WAL'))
    database.exec('PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
    migrate(database)
    // From now on others are served while a process waits for another's write.
    database.exec('PRAGMA busy_timeout = 0')
    return createStore(database, file)
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : 'cannot be opened')
  }
}

async function refuseNetwork(file: string): Promise<void> {
  const { type } = await statfs(dirname(file))
  const network = NETWORK_FILE_SYSTEMS.get(type)
  if (network !== undefined) throw new Error(`${network} cannot hold a SQLite store: use a local disk, or postgres`)
}

function createStore(database: DatabaseSync, file: string): Store {
  const closing = [() => database.close()]
  return {
    ...createKeyTable(database, guardFile(file)),
    ...createKeptRows(database),
    async openSpentProofs(now) {
      if (!database.isOpen) throw new Error('the store is closed')
      const { close, ...spentProofs } = await openSpentProofs(file, now)
      closing.unshift(close)
      return spentProofs
    },
    async close() {
      for (const close of closing) close()
    },
  }
}
