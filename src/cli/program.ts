/** The `chancery` command: reads a command line, and gives the exit code. */

import { Command, CommanderError } from 'commander'
import { SettingsError } from '../../providers/contract/errors.ts'
import { TokenSourceError } from '../client/token-source-error.ts'
import { loadGroups } from './command-groups.ts'
import { EXIT, type Terminal, UsageError } from './exit.ts'

const VERSION = '0.1.0'

const PROGRAM_HELP = `
Examples:
  chancery dev
  chancery check federation.json
  chancery serve --issuer http://127.0.0.1:8080 --federation federation.json
  chancery token --broker http://127.0.0.1:8080 --audience ledger

Exit codes: 0 done; 1 no, or refused; 2 wrong usage or configuration; 3 try again later. "chancery COMMAND --help" says what they
mean there, with examples; exec ends as the program that it runs.`

/**
 * Runs one command line and gives its exit code. Commands are loaded when they are called, so that a small one starts fast.
 *
 * What cannot be run as it was called gives 2, and says what to do; a bug is thrown on.
 */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  const result: { code: number } = { code: EXIT.done }
  const program = createProgram(terminal)
  for (const add of await loadGroups(args[0])) add(program, terminal, result)
  try {
    await program.parseAsync(args, { from: 'user' })
    return result.code
  } catch (error) {
    return codeOf(error, terminal)
  }
}

function createProgram(terminal: Terminal): Command {
  return (
    new Command('chancery')
      .description(
        'Trades the identity a cloud already gives a workload for one short-lived token that anyone can verify.',
      )
      .version(VERSION)
      .addHelpText('after', PROGRAM_HELP)
      .exitOverride()
      .configureOutput({ writeOut: terminal.out, writeErr: (text) => terminal.err(withoutTokens(text)) })
      .showSuggestionAfterError()
      .showHelpAfterError('(add --help to see what can be given)')
      // What comes after an argument of exec is the child's, dashes or not.
      .enablePositionalOptions()
  )
}

/** What is wrong with a command line is told by its words, and one of them may be a token: in a build's log everybody reads it. */
function withoutTokens(text: string): string {
  return text.replaceAll(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '[a token]')
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
  // A wrong setting; that there is no token is told where one was asked for.
  if (error instanceof TokenSourceError && error.kind === 'setup') {
    terminal.err(`chancery: ${error.message} [${error.code}]\n`)
    return EXIT.wrong
  }
  throw error
}
