/** The words of the commands that a workload runs. */

import { type Command, Option } from 'commander'
import { LOG_FORMATS } from './agent/agent-log.ts'
import type { AgentOptions } from './agent-command.ts'
import { TOKEN_FORMATS } from './delivery/token-format.ts'
import type { ExecOptions } from './exec.ts'
import { type Terminal, UsageError } from './exit.ts'
import type { TokenCommandOptions } from './token.ts'
import { addWorkloadOptions } from './workload-options.ts'

const EXIT_HELP = `
Exit codes: 0 done; 1 the broker refused; 2 wrong usage, or no way to prove who this is; 3 try again later.`

const TOKEN_HELP = `
Examples:
  chancery token --broker https://broker.corp.example --audience ledger
  chancery token --audience ledger --format header | curl -H @- https://ledger.corp.example/entries
${EXIT_HELP}`

const EXEC_HELP = `
The token is in the variable CHANCERY_TOKEN; with --file, CHANCERY_TOKEN_FILE has the path of the file. It is on no command line.
A variable keeps the token that the program was started with: a program that outlives it reads a file, or is restarted.

Examples:
  chancery exec --audience ledger -- ./nightly-job
  chancery exec --audience ledger --file -- ./server
  chancery exec --audience ledger --file /run/ledger/token --on-renewal signal:SIGHUP -- ./server

Exit codes: the program's own; 128 and the signal's number where a signal ended it; 126 where it cannot be run, 127 where there is
none. Without a token: 1 the broker refused; 2 wrong usage, or no way to prove who this is; 3 try again later.`

const AGENT_HELP = `
A file of --config is YAML, or JSON where its name ends with .json. What you do not need may be left out:

  broker: https://broker.corp.example
  proof: { provider: kubernetes, file: /var/run/secrets/chancery/token, audience: https://broker.corp.example }
  outputs:
    - audience: ledger
      scope: entries:read
      file: /run/tokens/ledger
      format: raw                    # or json, or header
      mode: "0600"
      on_change: { signal: SIGHUP, pid_file: /run/server.pid }
    - audience: orders
      file: /run/tokens/orders
      on_change: { command: [/usr/bin/touch, /run/tokens/changed] }
  listen: unix:/run/tokens/agent.sock
  log: text                          # or json

Every token is renewed after about two thirds of its life, and stays in use while the broker is down. With --listen, programs of
this machine ask for one by GET /token?audience=NAME, with the header "x-chancery-agent: 1"; GET /healthz says which are stale.

SIGHUP has the file read again; SIGTERM ends.

Examples:
  chancery agent --config agent.yaml
  chancery agent --config agent.yaml --once
  chancery agent --broker https://broker.corp.example --output ledger=./ledger-token --listen 127.0.0.1:9465

Exit codes, also of --once: 0 done; 1 the broker refused; 2 wrong usage or
configuration, or no way to prove who this is; 3 try again later.`

/** Adds `token`, `exec` and `agent`. */
export function addWorkloadCommands(program: Command, terminal: Terminal, result: { code: number }): void {
  addToken(program, terminal, result)
  addExec(program, terminal, result)
  addAgent(program, terminal, result)
}

function addToken(program: Command, terminal: Terminal, result: { code: number }): void {
  addWorkloadOptions(program.command('token').description('prove who this workload is, and print the token it gets'))
    .addOption(
      new Option('--format <FORMAT>', 'the token alone, the answer with its expiry, or a header for curl')
        .choices(TOKEN_FORMATS)
        .default('raw'),
    )
    .option('--explain', 'say on standard error which platform was chosen, why, and what came of it')
    .addHelpText('after', TOKEN_HELP)
    .action(async (options: TokenCommandOptions) => {
      const { runToken } = await import('./token.ts')
      result.code = await runToken(options, terminal)
    })
}

function addExec(program: Command, terminal: Terminal, result: { code: number }): void {
  addWorkloadOptions(program.command('exec').description('run a program with a token, and keep it fresh'))
    .argument('<COMMAND...>', 'the program and its arguments, after "--"')
    .addOption(new Option('--env <NAME>', 'the variable’s name (default CHANCERY_TOKEN)').argParser(parseVariable))
    .option(
      '--file [PATH]',
      'put the token in a file, in a private directory by default (default name CHANCERY_TOKEN_FILE)',
    )
    .option('--on-renewal <ACT>', 'what a renewed token means: restart, update the file, or signal:NAME too')
    .addOption(
      new Option('--wait <SECONDS>', 'how long to wait for the first token while that may help')
        .argParser(parseWait)
        .default(60),
    )
    // What stands behind the program's name is the program's, dashes or not.
    .passThroughOptions()
    .addHelpText('after', EXEC_HELP)
    .action(async (words: readonly string[], options: ExecOptions) => {
      const { runExec } = await import('./exec.ts')
      result.code = await runExec(options, words, terminal)
    })
}

function addAgent(program: Command, terminal: Terminal, result: { code: number }): void {
  addWorkloadOptions(
    program.command('agent').description('keep tokens fresh in files, and give them to local programs'),
  )
    .option('--config <FILE>', 'what to keep and where, as YAML or JSON')
    .addOption(
      new Option('--output <AUDIENCE=FILE>', 'keep a token in a file; may be repeated').argParser(gatherOutputs),
    )
    .option('--mode <MODE>', 'mode of the files of --output (default "0600")')
    .addOption(new Option('--format <FORMAT>', 'of the files of --output').choices(TOKEN_FORMATS).default('raw'))
    .option('--listen <PLACE>', 'unix:/PATH, 127.0.0.1:PORT or [::1]:PORT, and nowhere else')
    .option('--once', 'write every file once, and end')
    .addOption(new Option('--log <FORMAT>', 'how the log is written (default "text")').choices(LOG_FORMATS))
    .addHelpText('after', AGENT_HELP)
    .action(async (options: AgentOptions) => {
      const { runAgent } = await import('./agent-command.ts')
      result.code = await runAgent(options, terminal)
    })
}

function gatherOutputs(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text]
}

function parseVariable(text: string): string {
  if (!/^[A-Za-z_]\w*$/.test(text)) throw new UsageError(`--env: "${text}" cannot be the name of a variable`)
  return text
}

function parseWait(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new UsageError(`--wait: "${text}" is not a number of seconds`)
  return Number(text)
}
