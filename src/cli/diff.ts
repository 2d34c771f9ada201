/** `chancery diff`: what a change to the federation does, before it is made. */

import { compareFederations } from '../federation/difference.ts'
import { tellDifference } from './diff-text.ts'
import type { DocumentOptions } from './document-options.ts'
import { EXIT, type Terminal } from './exit.ts'
import { openDocuments } from './open-documents.ts'
import { printable } from './printable.ts'
import { createProgress } from './progress.ts'

/** Milliseconds after which a step that is done is told of: large documents take seconds each. */
const STEP_MS = 1_000

export interface DiffOptions extends DocumentOptions {
  readonly json?: boolean
  readonly exitCode?: boolean
}

/**
 * Compares what lies at two paths, and gives the exit code: 0 where it could compare, or 1 where anything changes and that was asked
 * for; 1 where the new one is refused, or nothing of the old one can be used. Tells on the terminal how far it is, where that takes long.
 */
export async function runDiff(
  old: string,
  next: string,
  options: DiffOptions,
  terminal: Terminal,
  clock?: () => number,
): Promise<number> {
  const progress = createProgress(terminal, clock, STEP_MS)
  const before = await openDocuments(old, options, terminal)
  progress.tell(`${printable(old)} checked`)
  const after = await openDocuments(next, options, terminal)
  progress.tell(`${printable(next)} checked`)
  if (before === undefined || after === undefined || after.errors.length > 0) return EXIT.refused
  const difference = compareFederations(before.side, after.side)
  terminal.out(options.json === true ? `${JSON.stringify(difference, null, 2)}\n` : tellDifference(difference))
  return options.exitCode === true && difference.changes.length > 0 ? EXIT.refused : EXIT.done
}
