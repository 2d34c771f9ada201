/** Programs that a test is about, and that not every machine has. */

import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Answers whether a program is there. Where it is not, says that its tests are skipped. */
export function isInstalled(program: string): boolean {
  const isThere = (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)))
  if (!isThere) process.stderr.write(`SKIP ${program}: it is not on this machine\n`)
  return isThere
}
