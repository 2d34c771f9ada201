/** A PostgreSQL server of a test's own: real, on disk, and one that can be killed. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { findPostgres, type PostgresBinaries, type PostgresKind } from './postgres-binaries.ts'
import { findFreePort } from './process.ts'

const MEMORY = '/dev/shm'

/** What several servers at a time may take. */
const ROOM_BYTES = 2 ** 31

/** The server refuses to run as root; nobody's account is on every machine. */
const NOBODY = 65_534

const account = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : undefined

/** Gives a file to the account that the server runs under, which nobody else may read. */
export function giveToServer(file: string): void {
  chmodSync(file, 0o600)
  if (account !== undefined) chownSync(file, account.uid, account.gid)
}

export interface PostgresServer {
  readonly port: number
  /** Holds its socket and its data. */
  readonly directory: string
  /** Makes an empty database, and gives its URL. */
  createDatabase(): Promise<string>
  urlOf(database: string): string
  /** Runs statements as the superuser, and gives the rows of the last one. */
  query(url: string, sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** Starts it, or starts it again, on its own data or on others. Settings are those of `postgresql.conf`. */
  start(settings?: Readonly<Record<string, string>>, data?: string): Promise<void>
  /** Lets it end in good order, without waiting for anybody. */
  stop(): Promise<void>
  /** Ends every process of it at once, as a power cut does. */
  kill(): Promise<void>
  /** Stops it, copies its data, and gives where: an older state, once it goes on. */
  copyData(): Promise<string>
  /** Stops it and removes whatever it has left. */
  remove(): Promise<void>
}

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  shared_buffers: '16MB',
  max_connections: '60',
  max_wal_size: '64MB',
  jit: 'off',
  dynamic_shared_memory_type: 'mmap',
  logging_collector: 'off',
}

/** Starts a new server, the system's or else the embedded one. Throws where there is none: see {@link hasPostgres}. */
export async function startPostgres(kinds?: readonly PostgresKind[]): Promise<PostgresServer> {
  const binaries = findPostgres(kinds)
  if (binaries === undefined) throw new Error('there is no PostgreSQL on this machine')
  const directory = mkdtempSync(join(findRoom(), 'chancery-pg-'))
  if (account !== undefined) chownSync(directory, account.uid, account.gid)
  const data = join(directory, 'data')
  initialise(binaries, data)
  const server = createServer(binaries, directory, data, await findFreePort())
  await server.start().catch(async (error: unknown) => {
    await server.remove()
    throw error
  })
  return server
}

/** Memory that looks like a disk, where there is enough: what is flushed survives the death of any process as well, and sooner. */
function findRoom(): string {
  try {
    const { bavail, bsize } = statfsSync(MEMORY)
    return bavail * bsize > ROOM_BYTES ? MEMORY : tmpdir()
  } catch {
    return tmpdir()
  }
}

function initialise({ directory }: PostgresBinaries, data: string): void {
  const args = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync']
  const { status, stderr } = spawnSync(join(directory, 'initdb'), args, { ...account, cwd: '/', encoding: 'utf8' })
  if (status !== 0) throw new Error(`initdb ended with ${status}: ${stderr}`)
}

function createServer(binaries: PostgresBinaries, directory: string, ownData: string, port: number): PostgresServer {
  const log = join(directory, 'log')
  let running: ChildProcess | undefined
  let databases = 0
  const urlOf = (database: string): string => `postgres://postgres@127.0.0.1:${port}/${database}`
  const end = async (signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void> => {
    const child = running
    running = undefined
    if (child?.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    // Its children would go by themselves, but not at once; and it would replace those that have gone.
    if (signal === 'SIGKILL') {
      child.kill('SIGSTOP')
      for (const pid of childrenOf(child)) killProcess(pid)
    }
    child.kill(signal)
    await ended
  }
  const server: PostgresServer = {
    port,
    directory,
    urlOf,
    query,
    async createDatabase() {
      const name = `test_${++databases}`
      await query(urlOf('postgres'), `CREATE DATABASE ${name}`)
      return urlOf(name)
    },
    async start(settings = {}, data = ownData) {
      await end('SIGINT')
      const all = Object.entries({ ...SETTINGS, port: String(port), unix_socket_directories: directory, ...settings })
      const args = ['-D', data, ...all.flatMap(([name, value]) => ['-c', `${name}=${value}`])]
      const launch = (): ChildProcess => {
        const output = openSync(log, 'w')
        const stdio = ['ignore' as const, output, output]
        running = spawn(join(binaries.directory, 'postgres'), args, { ...account, cwd: '/', stdio })
        closeSync(output)
        return running
      }
      await waitUntilUp(launch, urlOf('postgres'), log)
    },
    stop: () => end('SIGINT'),
    kill: () => end('SIGKILL'),
    async copyData() {
      await end('SIGINT')
      const copy = `${ownData}-${++databases}`
      cpSync(ownData, copy, { recursive: true })
      if (account !== undefined) spawnSync('chown', ['-R', `${account.uid}:${account.gid}`, copy])
      chmodSync(copy, 0o700)
      return copy
    },
    async remove() {
      // At once, but not without giving shared memory back.
      await end('SIGQUIT')
      rmSync(directory, { recursive: true, force: true })
      binaries.remove()
    },
  }
  return server
}

/** Makes data those of a standby that follows nobody: it can be read, and promoted. */
export function makeStandby(data: string): void {
  writeFileSync(join(data, 'standby.signal'), '')
}

function childrenOf({ pid }: ChildProcess): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

async function query(url: string, sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const results: unknown = await client.query(sql)
    const last = [results].flat().at(-1) as { readonly rows: readonly Readonly<Record<string, unknown>>[] }
    return last.rows
  } finally {
    await client.end()
  }
}

/** A server whose predecessor was killed a moment ago may find the memory of that still in use, and ends. */
async function waitUntilUp(launch: () => ChildProcess, url: string, log: string): Promise<void> {
  let child = launch()
  for (let attempt = 0; attempt < 1_000; attempt++) {
    if (child.exitCode !== null) {
      const told = readFileSync(log, 'utf8')
      if (!told.includes('is still in use')) throw new Error(`the server ended: ${told}`)
      child = launch()
    }
    const isUp = await query(url, 'SELECT 1').then(
      () => true,
      () => false,
    )
    if (isUp) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`the server does not answer: ${readFileSync(log, 'utf8')}`)
}
