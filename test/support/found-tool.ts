/** Programs that a suite needs and that not every machine has. */

import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Answers whether a program is on this machine. Where it is not, says so in one line that begins with SKIP. */
export function hasTool(tool: string, suite: string): boolean {
  const isFound = (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, tool)))
  if (!isFound) process.stdout.write(`SKIP ${suite}: there is no ${tool} on this machine\n`)
  return isFound
}
