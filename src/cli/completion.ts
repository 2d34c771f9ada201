/** `chancery completion SHELL`: made from the commands themselves, whenever it is asked for, so that it knows what there is. */

import type { Command, Option } from 'commander'
import { bashScript } from './completion-bash.ts'
import { fishScript } from './completion-fish.ts'
import type { CompletionOption, CompletionPlace } from './completion-place.ts'
import { zshScript } from './completion-zsh.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const

export type Shell = (typeof SHELLS)[number]

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

/** Gives the script that a shell is to read. */
export function completionFor(shell: Shell, program: Command): string {
  return SCRIPTS[shell](placesOf(program))
}

/** Gives every command, the program itself first, with what may come next. */
function placesOf(command: Command, path: readonly string[] = []): readonly CompletionPlace[] {
  const help = command.createHelp()
  const commands = help.visibleCommands(command)
  const own: CompletionPlace = {
    path: path.join(' '),
    commands: commands.map((sub) => ({ word: sub.name(), about: aboutOf(sub.description()) })),
    options: help.visibleOptions(command).map(toCompletionOption),
    values: (command.registeredArguments[0]?.argChoices ?? []).map((word) => ({ word, about: '' })),
  }
  return [own, ...commands.flatMap((sub) => placesOf(sub, [...path, sub.name()]))]
}

function toCompletionOption({ short, long, description, required, optional, argChoices }: Option): CompletionOption {
  const words = [short, long].filter((word) => word !== undefined)
  return { words, about: aboutOf(description), takesValue: required || optional, choices: argChoices ?? [] }
}

/** One line, without what only help needs to say. */
function aboutOf(description: string): string {
  return description.replaceAll(/\s+/g, ' ').replace(/ \[CHANCERY_\w+\]$/, '')
}
