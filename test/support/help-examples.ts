/** What the help of each command shows: read from the help itself, so that no example can be forgotten. */

import { Command } from 'commander'
import { loadGroups } from '../../src/cli/command-groups.ts'
import { runProgram } from '../../src/cli/program.ts'

/** A command's help. */
export interface HelpPage {
  /** Such as `keys list`; empty for the program itself. */
  readonly path: string
  readonly text: string
  readonly subcommands: readonly string[]
}

/** Reads the help of the program, and of each command that it names, and so on. */
export async function readHelpPages(path: readonly string[] = []): Promise<readonly HelpPage[]> {
  const written: string[] = []
  const write = (more: string): void => void written.push(more)
  await runProgram([...path, '--help'], { out: write, err: write })
  const text = written.join('')
  const [, list = ''] = text.split('\nCommands:\n')
  const names = [...(list.split('\n\n')[0] ?? '').matchAll(/^ {2}([a-z-]+)/gm)].map(([, name = '']) => name)
  const subcommands = names.filter((name) => name !== 'help')
  const below = await Promise.all(subcommands.map((name) => readHelpPages([...path, name])))
  return [{ path: path.join(' '), text, subcommands }, ...below.flat()]
}

/** Gives what stands under `Example:` or `Examples:`, each of them whole; continued lines are joined. */
export function examplesOf({ text }: HelpPage): readonly string[] {
  return [...text.matchAll(/^Examples?(,[^\n]*)?:\n((?: {2}.*\n)+)/gm)].flatMap(([, where, block = '']) => {
    const whole = block.trimEnd().replaceAll(/ *\\\n */g, ' ')
    const isSnippet = where?.startsWith(', in ') === true || where?.startsWith(', as ') === true
    return isSnippet ? [whole] : whole.split('\n').map((line) => line.trim())
  })
}

/** Gives the words of each `chancery` that an example calls, or has another program call. */
export function callsIn(example: string): readonly (readonly string[])[] {
  const list = /\bargs(?:: | = )\[(.*)\]/.exec(example)?.[1]?.split(', ')
  if (list === undefined) return example.split('\n').flatMap(callsInLine)
  const words = list.map((word) => word.replaceAll('"', ''))
  return [example.includes('credentials_helper') ? ['credential', 'terraform', ...words, 'get', 'host.example'] : words]
}

function callsInLine(line: string): readonly (readonly string[])[] {
  const tokens = line.match(/"(?:[^"\\]|\\.)*"|'[^']*'|<\(|[^\s|&;<>()"']+|[|&;<>()]/g) ?? []
  const calls: string[][] = []
  let call: string[] | undefined
  for (const [at, token] of tokens.entries()) {
    const word = token.replace(/^(["'])(.*)\1$/, '$2')
    // Git puts the operation behind a helper that begins with an exclamation mark.
    if (word.startsWith('!chancery ')) calls.push(...callsInLine(`${word.slice(1)} get`).map((words) => [...words]))
    else if (word.startsWith('chancery ')) calls.push(...callsInLine(word).map((words) => [...words]))
    else if (word === 'chancery' && call === undefined) {
      call = []
      calls.push(call)
    } else if (/^(<\(|[|&;<>()])$/.test(word)) call = undefined
    else if (!/^[<>]$/.test(tokens[at - 1] ?? '')) call?.push(word)
  }
  return calls
}

/** Gives the command that these words call, as the real parser understands them. Throws what it says of words that it does not. */
export async function commandOf(words: readonly string[]): Promise<string> {
  const program = new Command('chancery').enablePositionalOptions()
  const silent = { out: () => undefined, err: () => undefined }
  for (const add of await loadGroups(undefined)) add(program, silent, { code: 0 })
  const called: string[] = []
  const tame = (command: Command, path: readonly string[]): void => {
    command.exitOverride().configureOutput({ writeErr: silent.err })
    if (command.commands.length === 0) command.action(() => void called.push(path.join(' ')))
    for (const each of command.commands) tame(each, [...path, each.name()])
  }
  tame(program, [])
  await program.parseAsync(words, { from: 'user' })
  return called.join()
}
