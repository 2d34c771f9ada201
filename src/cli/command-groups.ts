/** Where each command's words are. */

import type { Command } from 'commander'
import type { Terminal } from './exit.ts'

/** Adds commands to a program. What one of them ends with is left in `result`. */
export type AddCommands = (program: Command, terminal: Terminal, result: { code: number }) => void

interface CommandGroup {
  readonly names: readonly string[]
  readonly load: () => Promise<AddCommands>
}

/** In the order of the help. */
const GROUPS: readonly CommandGroup[] = [
  { names: ['serve'], load: async () => (await import('./serve-words.ts')).addServe },
  {
    names: ['check', 'explain', 'diff', 'replay', 'unused'],
    load: async () => (await import('./document-commands.ts')).addDocumentCommands,
  },
  { names: ['keys'], load: async () => (await import('./keys-command.ts')).addKeys },
  {
    names: ['token', 'exec', 'agent'],
    load: async () => (await import('./workload-commands.ts')).addWorkloadCommands,
  },
  { names: ['credential'], load: async () => (await import('./credential-commands.ts')).addCredential },
  {
    // Completion is about all commands, and so is loaded with all.
    names: ['google-config', 'verify', 'decode'],
    load: async () => (await import('./token-commands.ts')).addTokenCommands,
  },
  { names: ['dev'], load: async () => (await import('./dev-command.ts')).addDev },
]

/**
 * Gives what adds the command of this name, and those that share its file; with any other word, or none, what adds them all.
 *
 * A command that a workload waits for must not load what only the broker's operator needs.
 */
export async function loadGroups(name: string | undefined): Promise<readonly AddCommands[]> {
  const known = GROUPS.find(({ names }) => name !== undefined && names.includes(name))
  return await Promise.all((known === undefined ? GROUPS : [known]).map(({ load }) => load()))
}
