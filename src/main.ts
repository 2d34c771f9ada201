/** The `chancery` command: dispatch only. */

import { argumentsOf } from './cli/called-as.ts'
import { EXIT } from './cli/exit.ts'
import { runProgram } from './cli/program.ts'
import { tellUnexpected } from './cli/unexpected.ts'

process.on('uncaughtException', endUnexpectedly)
try {
  process.exitCode = await runProgram(argumentsOf(process.argv), {
    out: (text) => writeTo(process.stdout, text),
    err: (text) => writeTo(process.stderr, text),
  })
} catch (error) {
  endUnexpectedly(error)
}

/** Whoever reads may have had enough, as `head` has: the command goes on to its end and its exit code. */
function writeTo(stream: NodeJS.WriteStream, text: string): void {
  if (stream.listenerCount('error') === 0) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
  stream.write(text)
}

/** Not by 1, which says that something was refused or found: nothing was decided. */
function endUnexpectedly(error: unknown): void {
  process.stderr.write(tellUnexpected(error), () => process.exit(EXIT.wrong))
}
