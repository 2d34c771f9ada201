/** Puts a secret into a file, so that nobody ever reads half of it and nobody else reads it at all. */

import { randomBytes } from 'node:crypto'
import { constants, type FileHandle, lstat, open, readdir, readFile, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isOwn } from './own-file.ts'

/** Who else may read a token: nobody. */
export const PRIVATE_MODE = 0o600

/**
 * Replaces a file, or makes it: a reader finds the old text or the new one, whole, also after a power cut. What lies at the path
 * is replaced and never followed, so that a link that somebody put there leads nowhere. The mode is exact, whatever the umask.
 *
 * Rejects, with nothing left behind, where the directory does not exist or cannot be written to.
 */
export async function writeAtomically(path: string, text: string, mode: number = PRIVATE_MODE): Promise<void> {
  const directory = dirname(path)
  const passing = join(directory, `${prefixOf(path)}${randomBytes(8).toString('hex')}.new`)
  try {
    await writeWhole(passing, text, mode)
    await rename(passing, path)
  } catch (error) {
    await unlink(passing).catch(() => undefined)
    throw error
  }
  await syncDirectory(directory)
}

/** How old what was left must be, in milliseconds: a write takes a moment, and another of ours may be under way. */
const LEFT_MS = 60_000

/**
 * Takes away what a process that was killed amid {@link writeAtomically} left beside a file: under our names, a file and no link, of
 * this user, a minute old. Does nothing where the directory may not be listed. `now` is in milliseconds since the epoch.
 */
export async function clearLeftovers(path: string, now: number): Promise<void> {
  const directory = dirname(path)
  const names = await readdir(directory).catch(() => [])
  for (const name of names.filter((each) => isPassing(each, path))) {
    const left = join(directory, name)
    const state = await lstat(left).catch(() => undefined)
    if (state?.isFile() === true && isOwn(state) && now - state.mtimeMs > LEFT_MS)
      await unlink(left).catch(() => undefined)
  }
}

function prefixOf(path: string): string {
  return `.${basename(path)}.`
}

function isPassing(name: string, path: string): boolean {
  const prefix = prefixOf(path)
  return name.startsWith(prefix) && /^[0-9a-f]{16}\.new$/.test(name.slice(prefix.length))
}

/** Answers whether a file holds this text, under this mode, and is a file and no link. */
export async function holds(path: string, text: string, mode: number): Promise<boolean> {
  let file: FileHandle | undefined
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const state = await file.stat()
    if (!state.isFile() || (state.mode & 0o777) !== mode || state.size !== Buffer.byteLength(text)) return false
    return (await readFile(file, 'utf8')) === text
  } catch {
    return false
  } finally {
    await file?.close()
  }
}

async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, PRIVATE_MODE)
  try {
    await file.writeFile(text)
    // Only once it is whole may anybody else look at it, and not through a mask that they did not choose.
    await file.chmod(mode)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The name is as durable as the text only after its directory is. Where that cannot be had, or may not be read, nothing else is lost. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY).catch(() => undefined)
  try {
    await directory?.sync()
  } catch {
    return
  } finally {
    await directory?.close()
  }
}
