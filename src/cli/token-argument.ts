import { UsageError } from './exit.ts'
import { readInput } from './read-input.ts'

/**
 * Gives the token of a command line: the argument itself or, for `-`, standard input, where no list of processes shows it. White
 * space around it, and a `Bearer ` before it, are left out. Refuses none at all.
 */
export async function readTokenArgument(
  argument: string,
  read: () => Promise<string> = () => readInput(),
): Promise<string> {
  const text = argument === '-' ? await read() : argument
  const token = text.trim().replace(/^bearer +/i, '')
  if (token === '') throw new UsageError('there is no token')
  return token
}
