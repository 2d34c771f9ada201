/**
 * The `chancery` command inside an executable. It is also the process that it loads documents in, and each of the workers that serve,
 * as there is no other file that could be run: `load-federation.ts` and `serve-workers.ts` then start this executable with the name of
 * what they want as its first argument, and a channel to it.
 */

import { argumentsOf } from '../../src/cli/called-as.ts'
import { runProgram } from '../../src/cli/program.ts'

/** What `new URL('./federation-worker', import.meta.url)` and the like come to in here. */
const PROCESSES: ReadonlyMap<string | undefined, () => Promise<unknown>> = new Map([
  ['/chancery/federation-worker', () => import('../../src/cli/federation-worker.ts')],
  ['/chancery/serve-worker', () => import('../../src/cli/serve-worker.ts')],
])

async function run(): Promise<void> {
  const args = argumentsOf(process.argv)
  const load = process.send === undefined ? undefined : PROCESSES.get(args[0])
  if (load !== undefined) {
    await load()
    return
  }
  process.exitCode = await runProgram(args, {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  })
}

void run()
