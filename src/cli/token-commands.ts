/** The words of the commands about tokens that somebody has, and of what makes other programs clients. */

import { Argument, type Command, Option } from 'commander'
import type { Shell } from './completion.ts'
import type { DecodeOptions } from './decode.ts'
import type { Terminal } from './exit.ts'
import type { GoogleConfigOptions } from './google-config.ts'
import type { VerifyOptions } from './verify.ts'
import { addWorkloadOptions } from './workload-options.ts'

const GOOGLE_CONFIG_HELP = `
Nothing in the file is secret: it says where a proof is, and where it is exchanged.

Examples:
  chancery google-config --broker https://broker.corp.example --audience ledger --provider kubernetes
  chancery google-config --broker https://broker.corp.example --audience ledger --provider gcp --output google.json
  GOOGLE_APPLICATION_CREDENTIALS=google.json ./server

Exit codes: 0 it is written; 2 wrong usage.`

const VERIFY_HELP = `
A token on the command line can be read by everybody on the machine: give "-", and the token on standard input.

Examples:
  chancery verify --issuer https://broker.corp.example --audience ledger - < token
  chancery token --audience ledger | chancery verify - --audience ledger --scope entries:read

Exit codes: 0 it is the broker's, for this audience, and good now; 1 it is refused; 2 wrong usage; 3 the broker's keys cannot
be had now.`

const DECODE_HELP = `
It tells no genuine token from a forged one: "chancery verify" does.

Examples:
  chancery decode - < /var/run/secrets/chancery/token
  chancery token --audience ledger | chancery decode --json -

Exit codes: 0 it is printed; 1 it is no JWT; 2 wrong usage.`

const COMPLETION_HELP = `
Examples:
  source <(chancery completion bash)
  chancery completion zsh > "\${fpath[1]}/_chancery"
  chancery completion fish > ~/.config/fish/completions/chancery.fish

Exit codes: 0 it is printed; 2 wrong usage.`

/** Adds `google-config`, `verify`, `decode` and `completion`. */
export function addTokenCommands(program: Command, terminal: Terminal, result: { code: number }): void {
  addGoogleConfig(program, terminal, result)
  addVerify(program, terminal, result)
  addDecode(program, terminal, result)
  addCompletion(program, terminal)
}

function addGoogleConfig(program: Command, terminal: Terminal, result: { code: number }): void {
  addWorkloadOptions(
    program
      .command('google-config')
      .description('write the file that makes Google’s auth libraries exchange with the broker'),
  )
    .addOption(
      new Option(
        '--source <SOURCE>',
        'how the library gets the proof; by default what the platform needs no command for',
      ).choices(['file', 'url', 'executable', 'aws']),
    )
    .option('--metadata-origin <URL>', 'where the platform’s metadata service is, if not where it always is')
    .option('--command <PATH>', 'what this command is called there', 'chancery')
    .option('--output <FILE>', 'write it there; by default to standard output')
    .addHelpText('after', GOOGLE_CONFIG_HELP)
    .action(async (options: GoogleConfigOptions) => {
      const { runGoogleConfig } = await import('./google-config.ts')
      result.code = await runGoogleConfig(options, terminal)
    })
}

function addVerify(program: Command, terminal: Terminal, result: { code: number }): void {
  program
    .command('verify')
    .description('say whether a token is the broker’s, for a service, and now: exit 0 if it is')
    .argument('<TOKEN>', 'the token, or "-" for standard input')
    .option('--issuer <URL>', 'the broker’s URL [CHANCERY_BROKER]')
    .option('--audience <NAME>', 'the service’s audience [CHANCERY_AUDIENCE]')
    .option('--scope <SCOPE...>', 'scopes that it must have')
    .addOption(new Option('--token-type <TYPE>', 'the audience’s token_type').choices(['at+jwt', 'JWT']))
    .option('--json', 'print what it says as JSON')
    .addHelpText('after', VERIFY_HELP)
    .action(async (token: string, options: VerifyOptions) => {
      const { runVerify } = await import('./verify.ts')
      result.code = await runVerify(token, options, terminal)
    })
}

function addDecode(program: Command, terminal: Terminal, result: { code: number }): void {
  program
    .command('decode')
    .description('print what is written in a token, without verifying it')
    .argument('<TOKEN>', 'the token, or "-" for standard input')
    .option('--json', 'print it as JSON')
    .addHelpText('after', DECODE_HELP)
    .action(async (token: string, options: DecodeOptions) => {
      const { runDecode } = await import('./decode.ts')
      result.code = await runDecode(token, options, terminal)
    })
}

function addCompletion(program: Command, terminal: Terminal): void {
  program
    .command('completion')
    .description('print the script by which a shell completes these commands')
    .addArgument(new Argument('<SHELL>', 'whose script').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', COMPLETION_HELP)
    .action(async (shell: Shell) => {
      const { completionFor } = await import('./completion.ts')
      terminal.out(completionFor(shell, program))
    })
}
