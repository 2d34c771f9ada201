/** The `chancery` command: dispatch only. */

import { argumentsOf } from './cli/called-as.ts'
import { runProgram } from './cli/program.ts'

process.exitCode = await runProgram(argumentsOf(process.argv), {
  out: (text) => writeTo(process.stdout, text),
  err: (text) => writeTo(process.stderr, text),
})

/** Whoever reads may have had enough, as `head` has: the command goes on to its end and its exit code. */
function writeTo(stream: NodeJS.WriteStream, text: string): void {
  if (stream.listenerCount('error') === 0) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
  stream.write(text)
}
