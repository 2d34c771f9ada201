/** What `chancery dev` keeps on disk: the developer's document, and beside it what is ours. */

import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { SettingsError } from '../../../providers/contract/errors.ts'
import { writeAtomically } from '../delivery/atomic-file.ts'

/** Ours alone. */
const PRIVATE_DIRECTORY = 0o700

/** Where everything is. */
export interface DevDirectory {
  readonly path: string
  /** The developer's: made where there is none, and never written over. */
  readonly federation: string
  /** Our own: audit records, the broker's store and the workloads' files. */
  readonly run: string
  /** Takes a directory of our making away, unless the developer changed the document in it. Gives whether it is still there. */
  readonly release: () => boolean
}

/** Opens a directory, by default a new one in the system's place for temporary files, and puts the document there if it has none. Throws {@link SettingsError} where it cannot. */
export function openDirectory(chosen: string | undefined, document: object): DevDirectory {
  const path = chosen === undefined ? mkdtempSync(join(tmpdir(), 'chancery-dev-')) : resolve(chosen)
  const federation = join(path, 'federation.json')
  const run = join(path, 'run')
  const text = `${JSON.stringify(document, null, 2)}\n`
  try {
    mkdirSync(run, { recursive: true })
    chmodSync(run, PRIVATE_DIRECTORY)
    if (!existsSync(federation)) writeFileSync(federation, text, { flag: 'wx' })
  } catch (error) {
    throw wrong('--directory', error instanceof Error ? error.message : 'it cannot be used')
  }
  return {
    path,
    federation,
    run,
    release() {
      const isLeft = chosen !== undefined || !isStill(federation, text)
      if (!isLeft) rmSync(path, { recursive: true, force: true })
      return isLeft
    },
  }
}

function isStill(file: string, text: string): boolean {
  try {
    return readFileSync(file, 'utf8') === text
  } catch {
    return false
  }
}

/** Writes a file that begins with our mark. Throws {@link SettingsError} where a file without it is in the way. */
export async function writeMarkedFile(file: string, mark: string, text: string): Promise<void> {
  try {
    if (existsSync(file) && !readFileSync(file, 'utf8').startsWith(mark)) {
      throw wrong('--environment', `${file} is there already, and is not ours to write over`)
    }
    await writeAtomically(file, `${mark}\n${text}`)
  } catch (error) {
    if (error instanceof SettingsError) throw error
    throw wrong('--environment', error instanceof Error ? error.message : 'it cannot be written')
  }
}

function wrong(flag: string, why: string): SettingsError {
  return new SettingsError([{ path: [flag], code: 'setting_wrong', message: `${flag}: ${why}` }])
}
