/** The `chancery` command: dispatch only. */

import { argumentsOf } from './cli/called-as.ts'
import { runProgram } from './cli/program.ts'

process.exitCode = await runProgram(argumentsOf(process.argv), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
})
