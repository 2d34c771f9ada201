/**
 * The `chancery` command inside an executable. It is also the process that it loads documents in, as there is no other file that
 * could be run: `load-federation.ts` then starts this executable with the worker's name as its first argument, and a channel to it.
 */

import { argumentsOf } from '../../src/cli/called-as.ts'
import { runProgram } from '../../src/cli/program.ts'

/** What `new URL('./federation-worker', import.meta.url)` comes to in here. */
const WORKER = '/chancery/federation-worker'

async function run(): Promise<void> {
  if (process.argv[2] === WORKER && process.send !== undefined) {
    await import('../../src/cli/federation-worker.ts')
    return
  }
  process.exitCode = await runProgram(argumentsOf(process.argv), {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  })
}

void run()
