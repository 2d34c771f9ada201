/** Texts that only this user may read, kept from one run of a command to the next. */

import { createHash } from 'node:crypto'
import { constants, lstat, mkdir, open } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { Environment } from '../../client/environment.ts'
import { PRIVATE_MODE, writeAtomically } from '../delivery/atomic-file.ts'
import { isOwn } from '../delivery/own-file.ts'

/** Largest text that is read back, in bytes. */
const MAX_BYTES = 65_536

export interface PrivateCache {
  /** Gives what is kept; undefined where there is nothing, or something that another user can read or may have written. */
  read(): Promise<string | undefined>
  /** Keeps a text. Answers whether it could. */
  write(text: string): Promise<boolean>
}

/**
 * Gives the place for one text in the user's cache directory. Its name is a digest of everything that the text depends on, so that no
 * other settings find it.
 *
 * @see {@link https://specifications.freedesktop.org/basedir-spec/latest/ XDG base directories}
 */
export function privateCache(kind: string, key: readonly unknown[], environment: Environment): PrivateCache {
  const directory = join(cacheDirectory(environment), 'chancery')
  const path = join(directory, `${kind}-${createHash('sha256').update(JSON.stringify(key)).digest('hex')}.json`)
  return {
    read: async () => ((await isPrivate(directory)) ? await readPrivate(path) : undefined),
    async write(text) {
      try {
        await mkdir(directory, { recursive: true, mode: 0o700 })
        if (!(await isPrivate(directory))) return false
        await writeAtomically(path, text, PRIVATE_MODE)
        return true
      } catch {
        return false
      }
    },
  }
}

function cacheDirectory({ XDG_CACHE_HOME = '' }: Environment): string {
  return isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), '.cache')
}

/** Whoever else can write to the directory can put one of our texts in another's place. */
async function isPrivate(directory: string): Promise<boolean> {
  const state = await lstat(directory).catch(() => undefined)
  if (state === undefined) return false
  return state.isDirectory() && isOwn(state) && (state.mode & 0o022) === 0
}

async function readPrivate(path: string): Promise<string | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => undefined)
  if (file === undefined) return undefined
  try {
    const state = await file.stat()
    if (!state.isFile() || !isOwn(state) || (state.mode & 0o077) !== 0 || state.size > MAX_BYTES) return undefined
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}
