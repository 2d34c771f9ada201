/** The `chancery` command: dispatch only. */

import { runProgram } from './cli/program.ts'

process.exitCode = await runProgram(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
})
