/** The words of the commands that a workload runs. */

import { type Command, Option } from 'commander'
import type { Terminal } from './exit.ts'
import type { TokenCommandOptions } from './token.ts'
import { addWorkloadOptions } from './workload-options.ts'

const EXIT_HELP = `
Exit codes: 0 done; 1 the broker refused; 2 wrong usage, or no way to prove who this is; 3 try again later.`

const TOKEN_HELP = `
Examples:
  chancery token --broker https://broker.example --audience ledger
  curl -H "$(chancery token --audience ledger --format header)" https://ledger.example/entries
${EXIT_HELP}`

/** Adds `token`, `exec` and `agent`. */
export function addWorkloadCommands(program: Command, terminal: Terminal, result: { code: number }): void {
  addToken(program, terminal, result)
}

function addToken(program: Command, terminal: Terminal, result: { code: number }): void {
  addWorkloadOptions(program.command('token').description('prove who this workload is, and print the token it gets'))
    .addOption(
      new Option('--format <FORMAT>', 'the token alone, the answer with its expiry, or a header for curl')
        .choices(['raw', 'json', 'header'])
        .default('raw'),
    )
    .option('--explain', 'say on standard error which platform was chosen, why, and what came of it')
    .addHelpText('after', TOKEN_HELP)
    .action(async (options: TokenCommandOptions) => {
      const { runToken } = await import('./token.ts')
      result.code = await runToken(options, terminal)
    })
}
