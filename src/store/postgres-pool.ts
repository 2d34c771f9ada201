/** Connections to a PostgreSQL server, and transactions over them. */

import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Pool, type PoolClient, type PoolConfig, type QueryResultRow } from 'pg'
import { createGate, type Gate } from './postgres-gate.ts'
import type { PostgresLocation } from './postgres-url.ts'

/** Connections of one process: one each for spending, looking up, the keys, the documents, tending and the records. */
const MAX_CONNECTIONS = 6

/** How long a connection may take, or be waited for, in milliseconds. */
const CONNECT_MS = 3_000

/** How long one statement may take, waiting for others included, in milliseconds. */
const STATEMENT_MS = 3_000

/** What an answer is waited for beyond that, in milliseconds: then the server is silent, and the connection is given up. */
const SILENCE_MS = 1_000

/** How long a process may keep others waiting in the middle of a transaction, in milliseconds: one that has stopped, say. */
const IDLE_MS = 5_000

/** Milliseconds in which an unused connection is closed. */
const UNUSED_MS = 30_000

/** First half of our advisory locks' keys, so that they are nobody else's: "chnc". */
const LOCK_CLASS = 0x63_68_6e_63

/** What a transaction locks, until it ends, beyond its rows. */
const LOCKS = { schema: 1, documents: 2, past: 3 } as const

export type Row = QueryResultRow

/** One transaction. */
export interface Session {
  /** Runs one statement and gives its rows. */
  query(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
}

export interface TransactionOptions {
  readonly lock?: keyof typeof LOCKS
  /** Whether others that share the lock may go on at the same time. */
  readonly isShared?: boolean
  /** For a statement that takes longer than others. */
  readonly statementMs?: number
}

export interface PostgresPool {
  /** Whether the database is known not to answer: whoever asks is refused at once. */
  isShut(): boolean
  /** Reads by one statement, which sees one moment. Nothing that it reads has to be the newest. */
  read(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
  /**
   * Does some work in one transaction, whole or not at all. What it gave is as durable as the server can make it: on its disk, and
   * on that of a synchronous standby where there is one. Throws where that is not certain; the work may be done all the same.
   */
  transaction<T>(work: (session: Session) => Promise<T>, options?: TransactionOptions): Promise<T>
  close(): Promise<void>
}

/** Creates the pool. It connects when it is asked something, and again after a server that went away. */
export function createPostgresPool(location: PostgresLocation): PostgresPool {
  const pool = new Pool(configOf(location))
  // A server that goes away ends what is under way, which throws, and connections that nobody uses, which nobody misses.
  pool.on('connect', (client) => client.on('error', () => undefined))
  pool.on('error', () => undefined)
  const gate = createGate()
  let closing: Promise<void> | undefined
  return {
    isShut: gate.isShut,
    async read(text, values = []) {
      const { client, rows } = await begin(pool, gate, { text, values, statementMs: STATEMENT_MS })
      client.release()
      return rows
    },
    async transaction(work, options = {}) {
      const { statementMs = STATEMENT_MS } = options
      const { client } = await begin(pool, gate, { text: beginning(options), values: [], statementMs })
      const query = (text: string, values: readonly unknown[] = []) =>
        run(client, { text, values, statementMs }).catch((error: unknown) => {
          gate.failed(error)
          throw error
        })
      try {
        const result = await work({ query })
        await commit(client, () => query('COMMIT'))
        client.release()
        return result
      } catch (error) {
        // The server rolls back what is not committed when its client goes.
        client.release(true)
        throw error
      }
    },
    close() {
      closing ??= pool.end()
      return closing
    },
  }
}

interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
  readonly statementMs: number
}

/**
 * Runs the first statement on a connection, which finds out whether the server is still at its other end. Where it is not, once
 * more on another: nothing has been done by then.
 */
async function begin(pool: Pool, gate: Gate, statement: Statement): Promise<Begun> {
  const attempt = async (): Promise<Begun> => {
    const client = await pool.connect()
    try {
      return { client, rows: await run(client, statement) }
    } catch (error) {
      client.release(true)
      throw error
    }
  }
  return await gate.enter(() =>
    attempt().catch((error: unknown) => {
      if (!isLostConnection(error)) throw error
      return attempt()
    }),
  )
}

interface Begun {
  readonly client: PoolClient
  readonly rows: readonly Row[]
}

/** Without values several statements may go together, and the rows are those of the last one. */
async function run(client: PoolClient, { text, values, statementMs }: Statement): Promise<readonly Row[]> {
  const query = { text, values: [...values], query_timeout: statementMs + SILENCE_MS }
  const result: unknown = await client.query<Row>(query)
  return ([result].flat().at(-1) as { readonly rows: readonly Row[] }).rows
}

/** Whatever the server's, the database's or the role's settings are, these hold for our transactions. */
function beginning({ lock, isShared = false, statementMs = STATEMENT_MS }: TransactionOptions): string {
  return [
    // A replica refuses to write at once.
    'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE',
    'SET LOCAL synchronous_commit = on',
    // What a commit warns of must be heard.
    'SET LOCAL client_min_messages = warning',
    `SET LOCAL statement_timeout = ${statementMs}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${IDLE_MS}`,
    ...(lock === undefined
      ? []
      : [`SELECT pg_advisory_xact_lock${isShared ? '_shared' : ''}(${LOCK_CLASS}, ${LOCKS[lock]})`]),
  ].join('; ')
}

/**
 * A server that gives up waiting for its synchronous standby says so in a warning, and that all went well.
 *
 * @see {@link https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-SYNCHRONOUS-COMMIT synchronous_commit}
 */
async function commit(client: PoolClient, run: () => Promise<unknown>): Promise<void> {
  let hasWarned = false
  const onNotice = ({ severity }: { readonly severity?: string | undefined }): void => {
    hasWarned ||= severity === 'WARNING'
  }
  client.on('notice', onNotice)
  try {
    await run()
  } finally {
    client.off('notice', onNotice)
  }
  if (hasWarned) throw new Error('the database has committed, but may not have copied it to its standby')
}

/** Who is spoken to, as whom and how, is told by the location alone, and not by variables that the driver would look at. */
function configOf({ host, port, user, database, password, passwordFile, tls }: PostgresLocation): PoolConfig {
  return {
    host,
    port,
    user,
    database,
    ...passwordOf(password, passwordFile),
    ssl: tls === undefined ? false : trustOf(tls),
    application_name: 'chancery',
    client_encoding: 'UTF8',
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    idleTimeoutMillis: UNUSED_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: UNUSED_MS,
  }
}

function passwordOf(password: string | undefined, file: string | undefined): Pick<PoolConfig, 'password'> {
  if (file !== undefined) return { password: async () => (await readFile(file, 'utf8')).trim() }
  return password === undefined ? {} : { password }
}

function trustOf({ rootCertFile }: NonNullable<PostgresLocation['tls']>): NonNullable<PoolConfig['ssl']> {
  const authorities = rootCertFile === undefined ? {} : { ca: readFileSync(rootCertFile, 'utf8') }
  return { ...authorities, rejectUnauthorized: true, minVersion: 'TLSv1.2' }
}

/** Whether a connection that was there has gone: the server was restarted, or something between has forgotten it. */
function isLostConnection(error: unknown): boolean {
  const { code = '', message } = error as Error & { readonly code?: string }
  return /^(57P0[123]|ECONNRESET|EPIPE)$/.test(code) || message.startsWith('Connection terminated unexpectedly')
}
