/** The tables of the PostgreSQL store, as a list of steps that only ever grows. */

import { hash } from 'node:crypto'
import type { PostgresPool, Session } from './postgres-pool.ts'

/** How many rows share the count of spent proofs, so that processes seldom wait for each other to change it. */
export const COUNT_SLOTS = 16

const STEPS = [
  `CREATE TABLE chancery.signing_keys (
     key_id TEXT PRIMARY KEY,
     algorithm TEXT NOT NULL CHECK (algorithm IN ('ES256', 'RS256')),
     state TEXT NOT NULL CHECK (state IN ('next', 'current', 'retired', 'withdrawn')),
     held TEXT NOT NULL,
     published_at BIGINT NOT NULL,
     since BIGINT NOT NULL,
     published_uptime BIGINT NOT NULL,
     since_uptime BIGINT NOT NULL,
     sealed TEXT NOT NULL
   );
   CREATE UNIQUE INDEX one_current_key ON chancery.signing_keys (algorithm) WHERE state = 'current';
   CREATE UNIQUE INDEX one_next_key ON chancery.signing_keys (algorithm) WHERE state = 'next';
   CREATE TABLE chancery.key_ring (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     version BIGINT NOT NULL CHECK (version >= 0),
     uptime BIGINT NOT NULL CHECK (uptime >= 0),
     code TEXT NOT NULL
   );
   INSERT INTO chancery.key_ring VALUES (1, 0, 0, '');
   CREATE TABLE chancery.kept_documents (
     delegation TEXT PRIMARY KEY,
     file TEXT NOT NULL,
     digest TEXT NOT NULL,
     packed BYTEA NOT NULL,
     code TEXT NOT NULL
   );
   CREATE TABLE chancery.spent_proofs (
     digest BYTEA PRIMARY KEY CHECK (octet_length(digest) = 32),
     remember_until BIGINT NOT NULL
   );
   CREATE INDEX spent_proofs_by_age ON chancery.spent_proofs (remember_until);
   CREATE TABLE chancery.spent_counts (slot INTEGER PRIMARY KEY, count BIGINT NOT NULL);
   INSERT INTO chancery.spent_counts SELECT slot, 0 FROM generate_series(0, ${COUNT_SLOTS - 1}) AS slot;
   CREATE TABLE chancery.spending (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     believed_from BIGINT NOT NULL,
     alive_at BIGINT NOT NULL,
     lineage TEXT NOT NULL,
     beats BIGINT NOT NULL,
     forgotten_until BIGINT NOT NULL
   );`,
  `CREATE TABLE chancery.audit_records (
     id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     recorded_at TIMESTAMPTZ NOT NULL DEFAULT now(),
     record TEXT NOT NULL
   );
   CREATE INDEX audit_records_by_time ON chancery.audit_records USING brin (recorded_at);
   CREATE FUNCTION chancery.refuse_change() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN RAISE EXCEPTION 'audit records are only ever added'; END $$;
   CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON chancery.audit_records
     EXECUTE FUNCTION chancery.refuse_change();`,
] as const

/** How long a step may take, waiting for another process's included, in milliseconds. */
const STEP_MS = 60_000

/** The oldest version of PostgreSQL that is tried, as the server tells it. */
const OLDEST_VERSION = 150_000

/** Whether there is a store in the database. */
export async function hasSchema(pool: Pick<PostgresPool, 'read'>): Promise<boolean> {
  const [row] = await pool.read("SELECT to_regclass('chancery.migrations') IS NOT NULL AS is_there")
  return row?.is_there === true
}

/**
 * Brings a store up to date, one process at a time. Where it is up to date, nothing but to read the list of steps is asked of the
 * role.
 *
 * Throws where a newer version has written the store, where a step was another when it was taken, and where the server cannot
 * keep what it acknowledges.
 */
export async function migrate(pool: Pick<PostgresPool, 'transaction'>): Promise<void> {
  await pool.transaction(
    async (session) => {
      refuseUnfit(await askServer(session))
      const taken = await stepsTaken(session)
      if (taken.length > STEPS.length) {
        throw new Error('a newer version of chancery has written this store: use that version')
      }
      for (const [index, step] of STEPS.entries()) {
        const checksum = hash('sha256', step)
        if (index >= taken.length) await takeStep(session, index + 1, step, checksum)
        else if (taken[index] !== checksum) {
          throw new Error(`step ${index + 1} of its schema is not this version's: it was made by another program`)
        }
      }
    },
    { lock: 'schema', statementMs: STEP_MS },
  )
}

/** What a server says of itself. */
export interface ServerAccount {
  /** As `server_version_num` tells it: 150018 is 15.18. */
  readonly version: number
  readonly fsync: string
  readonly encoding: string
}

/** Throws where a server is too old, may forget what it acknowledged, or cannot hold every text. */
export function refuseUnfit({ version, fsync, encoding }: ServerAccount): void {
  if (version < OLDEST_VERSION) throw new Error('the server is older than PostgreSQL 15')
  if (fsync !== 'on') throw new Error('the server runs with fsync off, and may forget that a proof was spent')
  if (encoding !== 'UTF8') throw new Error('the database is not encoded in UTF8')
}

async function askServer(session: Session): Promise<ServerAccount> {
  const [server] = await session.query(
    "SELECT current_setting('server_version_num')::int AS version, current_setting('fsync') AS fsync, current_setting('server_encoding') AS encoding",
  )
  return { version: Number(server?.version), fsync: String(server?.fsync), encoding: String(server?.encoding) }
}

async function stepsTaken(session: Session): Promise<readonly string[]> {
  const [found] = await session.query(
    "SELECT to_regnamespace('chancery') IS NOT NULL AS has_schema, to_regclass('chancery.migrations') IS NOT NULL AS has_list",
  )
  // Whoever may not make schemas can be given one that is there.
  if (found?.has_schema !== true) await session.query('CREATE SCHEMA chancery')
  if (found?.has_list !== true) {
    await session.query(
      'CREATE TABLE chancery.migrations (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())',
    )
  }
  const rows = await session.query('SELECT checksum FROM chancery.migrations ORDER BY number')
  return rows.map(({ checksum }) => String(checksum))
}

async function takeStep(session: Session, number: number, step: string, checksum: string): Promise<void> {
  await session.query(step)
  await session.query('INSERT INTO chancery.migrations (number, checksum) VALUES ($1, $2)', [number, checksum])
}
