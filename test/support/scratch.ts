/** Directories that live as long as one test. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Makes an empty directory that is removed when the running test has finished. */
export function makeScratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-unit-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
