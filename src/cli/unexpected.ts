/** The end of a command by what nobody foresaw. */

import { onOneLine } from './printable.ts'

/**
 * Gives one line: the system's own words, such as that a disk is full, or of a bug its kind and where it arose. A stack says no more
 * to whoever runs a command, and a message may quote a proof.
 */
export function tellUnexpected(error: unknown): string {
  if (!(error instanceof Error)) return tellBug(typeof error, undefined)
  if ('syscall' in error) return `chancery: ${onOneLine(error.message)}\n`
  const { name, message, stack = '' } = error
  // The message stands before the frames, and may hold lines that look like one.
  const frames = stack.slice(stack.indexOf(message) + message.length)
  return tellBug(name, FRAME.exec(frames)?.[1])
}

/** The first frame that is not the runtime's own. */
const FRAME = /^ *at (?!.*\bnode:).*?((?:[\w.-]+\/)?[\w.-]+:\d+:\d+)\)?$/m

function tellBug(kind: string, place: string | undefined): string {
  const where = place === undefined ? '' : ` at ${place}`
  return `chancery: unexpected ${onOneLine(kind)}${where}: this is a bug, and worth a report\n`
}
