/** The store of many replicas: one PostgreSQL database. */

import { SettingsError } from '../../providers/contract/errors.ts'
import type { NumericDate } from '../../providers/contract/proof.ts'
import { createKeptRows } from './postgres-kept.ts'
import { createKeyTable } from './postgres-keys.ts'
import { createPostgresPool, type PostgresPool } from './postgres-pool.ts'
import { hasSchema, migrate } from './postgres-schema.ts'
import { openSpentProofs } from './postgres-spent.ts'
import { describePostgres, type PostgresLocation } from './postgres-url.ts'
import type { RecordTable, Store } from './store.ts'

/** A store that can keep the audit trail, too. */
export type PostgresStore = Store & RecordTable

export interface PostgresOptions {
  /** Called where the database turns out to be another than before: proofs made before the time that it is given are refused. */
  readonly onDoubt?: (believedFrom: NumericDate) => void
}

const ADD_RECORDS = 'INSERT INTO chancery.audit_records (record) SELECT * FROM unnest($1::text[])'

/** SQLSTATE of a role that may not do something. */
const INSUFFICIENT_PRIVILEGE = '42501'

/**
 * Opens the store, making its tables in the schema `chancery` where they are missing.
 *
 * Throws {@link SettingsError} where the database cannot be reached, is a replica, does not keep what it acknowledges, or was
 * written by a newer version. No message holds the password.
 */
export async function openPostgresStore(
  location: PostgresLocation,
  options: PostgresOptions = {},
): Promise<PostgresStore> {
  return await withPool(location, async (pool) => {
    await migrate(pool)
    return createStore(pool, options.onDoubt ?? (() => undefined))
  })
}

/** As {@link openPostgresStore}, but undefined where no broker has made a store there. */
export async function openExistingPostgresStore(location: PostgresLocation): Promise<PostgresStore | undefined> {
  return await withPool(location, async (pool) => {
    if (await hasSchema(pool)) {
      await migrate(pool)
      return createStore(pool, () => undefined)
    }
    await pool.close()
    return undefined
  })
}

async function withPool<T>(location: PostgresLocation, open: (pool: PostgresPool) => Promise<T>): Promise<T> {
  const refuse = (message: string) =>
    new SettingsError([
      { path: ['--store'], code: 'store_unusable', message: `--store: ${describePostgres(location)}: ${message}` },
    ])
  let pool: PostgresPool | undefined
  try {
    pool = createPostgresPool(location)
    return await open(pool)
  } catch (error) {
    await pool?.close()
    throw refuse(explain(error))
  }
}

function createStore(pool: PostgresPool, onDoubt: (believedFrom: NumericDate) => void): PostgresStore {
  return {
    ...createKeyTable(pool),
    ...createKeptRows(pool),
    openSpentProofs: (now) => openSpentProofs(pool, now, onDoubt),
    async appendRecords(lines) {
      await pool.transaction(({ query }) => query(ADD_RECORDS, [[...lines]]))
    },
    close: pool.close,
  }
}

/** A name that leads to several addresses, none of which answers, has an error without a message. */
function explain(error: unknown): string {
  const { message = '', code = '' } = error as { readonly message?: string; readonly code?: string }
  if (code === INSUFFICIENT_PRIVILEGE)
    return `${message}: the role must own the schema chancery, or have the grants for brokers and its owner have started this version once`
  return message || code || 'cannot be opened'
}
