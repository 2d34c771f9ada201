/** The `chancery` command's words: what can be typed, and what each does. */

import { Command, CommanderError, Option } from 'commander'
import { SettingsError } from '../../providers/contract/errors.ts'
import { SERVE_SETTINGS, variableOf } from '../config-settings.ts'
import type { CheckOptions } from './check.ts'
import type { DiffOptions } from './diff.ts'
import { addDocumentOptions } from './document-options.ts'
import { EXIT, type Terminal, UsageError } from './exit.ts'
import type { ExplainOptions } from './explain.ts'
import { toFlags } from './flags.ts'
import { addKeys } from './keys-command.ts'
import type { ReplayOptions } from './replay.ts'
import { parseEffects } from './replay-report.ts'
import type { UnusedOptions } from './unused.ts'

const VERSION = '0.1.0'

/**
 * Runs one command line and gives its exit code. Commands are loaded when they are called, so that a small one starts fast.
 *
 * What cannot be run as it was called gives 2, and says what to do; a bug is thrown on.
 */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  const result: { code: number } = { code: EXIT.done }
  const program = createProgram(terminal, result)
  try {
    await program.parseAsync(args, { from: 'user' })
    return result.code
  } catch (error) {
    return codeOf(error, terminal)
  }
}

function createProgram(terminal: Terminal, result: { code: number }): Command {
  const program = new Command('chancery')
    .description(
      'Trades the identity a cloud already gives a workload for one short-lived token that anyone can verify.',
    )
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.err })
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help to see what can be given)')
  addServe(program, terminal, result)
  addCheck(program, terminal, result)
  addExplain(program, terminal, result)
  addDiff(program, terminal, result)
  addReplay(program, terminal, result)
  addUnused(program, terminal, result)
  addKeys(program, terminal, result)
  return program
}

function addServe(program: Command, terminal: Terminal, result: { code: number }): void {
  const serve = program.command('serve').description('run the broker until it is told to stop (SIGTERM, SIGINT)')
  for (const { flag, value, help, default: fallback, isRepeatable } of SERVE_SETTINGS) {
    const about = `${help}${fallback === undefined ? '' : ` (default ${fallback})`} [${variableOf(flag)}]`
    const option = new Option(`--${flag} <${value}>`, about)
    serve.addOption(isRepeatable === true ? option.argParser(gather) : option)
  }
  serve.addHelpText('after', SERVE_HELP)
  serve.action(async (options: Record<string, string | readonly string[]>) => {
    const { runServe } = await import('./serve-command.ts')
    result.code = await runServe(toFlags(options), terminal)
  })
}

/** Commander gives undefined for the first of a repeatable option. */
function gather(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text]
}

const SERVE_HELP = `
Signing keys are encrypted with CHANCERY_KEY_ENCRYPTION_KEY, or the file that CHANCERY_KEY_ENCRYPTION_KEY_FILE names:
base64 of 32 random bytes, as "openssl rand -base64 32" gives. It is required unless listening on loopback
with a store on this machine. The password of a PostgreSQL store may be in the file that CHANCERY_STORE_PASSWORD_FILE names.

Example:
  chancery serve --issuer http://127.0.0.1:8080 --federation federation.json`

function addCheck(program: Command, terminal: Terminal, result: { code: number }): void {
  addDocumentOptions(
    program.command('check').description('say what is wrong with a federation document: exit 0 if nothing is'),
  )
    .argument('<PATH>', 'a .json or .json.gz file, or a directory of them')
    .option('--json', 'print the findings as JSON')
    .action(async (path: string, options: CheckOptions) => {
      const { check } = await import('./check.ts')
      result.code = await check(path, options, terminal)
    })
}

function addExplain(program: Command, terminal: Terminal, result: { code: number }): void {
  addDocumentOptions(program.command('explain').description('say why a workload gets its identity, or gets none'))
    .requiredOption('--federation <PATH>', 'the federation document, or a directory of them')
    .option('--attributes <JSON>', 'explain these attributes, such as {"kubernetes.namespace":"payments"}')
    .option('--trusted-issuer <NAME>', 'whose attributes they are; all of their cloud by default')
    .option('--proof <FILE>', 'explain a proof ("-" for standard input); it is read, not verified')
    .option('--verify', 'verify the proof too, which asks its issuer for keys')
    .option('--audit <FILE>', 'explain a request that this audit file recorded')
    .option('--request-id <ID>', 'its x-request-id')
    .option('--json', 'print the explanation as JSON')
    .action(async (options: ExplainOptions) => {
      const { runExplain } = await import('./explain.ts')
      result.code = await runExplain(options, terminal)
    })
}

function addDiff(program: Command, terminal: Terminal, result: { code: number }): void {
  addDocumentOptions(
    program.command('diff').description('say what a change to the federation does: whom it gives and takes what'),
  )
    .argument('<OLD>', 'a document, or a directory of them')
    .argument('<NEW>', 'the same, after the change')
    .option('--exit-code', 'exit 1 where anything changes')
    .option('--json', 'print the difference as JSON')
    .action(async (old: string, next: string, options: DiffOptions) => {
      const { runDiff } = await import('./diff.ts')
      result.code = await runDiff(old, next, options, terminal)
    })
}

function addReplay(program: Command, terminal: Terminal, result: { code: number }): void {
  addDocumentOptions(
    program
      .command('replay')
      .description('decide recorded requests anew: exit 1 where anybody gains, loses or changes'),
  )
    .argument('<AUDIT>', 'audit records: JSON lines, or .gz of them, or "-" for standard input')
    .argument('<NEW>', 'the document to decide by, or a directory of them')
    .addOption(
      new Option('--allow <EFFECTS>', 'exit 0 all the same where only these happen, such as gains,changes')
        .argParser(parseEffects)
        .default([], 'none'),
    )
    .option('--json', 'print the outcome as JSON')
    .action(async (audit: string, next: string, options: ReplayOptions) => {
      const { runReplay } = await import('./replay.ts')
      result.code = await runReplay(audit, next, options, terminal)
    })
}

function addUnused(program: Command, terminal: Terminal, result: { code: number }): void {
  addDocumentOptions(program.command('unused').description('say which parts of a document no recorded request needed'))
    .argument('<AUDIT>', 'audit records: JSON lines, or .gz of them, or "-" for standard input')
    .argument('<PATH>', 'the document, or a directory of them')
    .option('--exit-code', 'exit 1 where anything is unused')
    .option('--json', 'print it as JSON')
    .action(async (audit: string, path: string, options: UnusedOptions) => {
      const { runUnused } = await import('./unused.ts')
      result.code = await runUnused(audit, path, options, terminal)
    })
}

function codeOf(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrong
  if (error instanceof SettingsError) {
    for (const { message } of error.problems) terminal.err(`chancery: ${message}\n`)
    return EXIT.wrong
  }
  if (error instanceof UsageError) {
    terminal.err(`chancery: ${error.message}\n`)
    return EXIT.wrong
  }
  throw error
}
