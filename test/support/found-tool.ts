/** Programs that a suite needs and that not every machine has. */

import { spawnSync } from 'node:child_process'

/** Answers whether a program is on this machine. Where it is not, says so in one line that begins with SKIP. */
export function hasTool(tool: string, suite: string): boolean {
  const isFound = spawnSync(tool, ['version', '--help'], { stdio: 'ignore' }).error === undefined
  if (!isFound) process.stdout.write(`SKIP ${suite}: there is no ${tool} on this machine\n`)
  return isFound
}
