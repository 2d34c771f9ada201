/** Reads the lines of a file of any size, compressed or not. */

import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { UsageError } from './exit.ts'

/** Longest line that is looked at, in characters. A record repeats no more than a proof's attributes, so 1 MiB is none of ours. */
export const MAX_LINE_LENGTH = 1_048_576

/** Some lines, as they come. */
export interface Lines {
  /** Undefined stands for a line that is too long. */
  readonly whole: readonly (string | undefined)[]
  /** What stands after the last line's end, given at the end; undefined where that is too long. */
  readonly rest: string | undefined
  /** Whether a compressed file breaks off. */
  readonly isCut: boolean
}

/**
 * Yields the lines of a file, of `.gz` of one, or of standard input where the path is `-`. Throws {@link UsageError} where it cannot
 * be read; a compressed file that breaks off is read as far as it goes.
 */
export async function* readLines(path: string): AsyncGenerator<Lines> {
  const splitter = createLineSplitter()
  try {
    for await (const chunk of openText(path)) yield { whole: splitter.split(String(chunk)), rest: '', isCut: false }
  } catch (error) {
    if (!isBrokenOff(error)) throw cannotRead(path, error)
    yield { whole: [], rest: '', isCut: true }
    return
  }
  yield { whole: [], rest: splitter.rest(), isCut: false }
}

function openText(path: string): AsyncIterable<unknown> {
  const source = path === '-' ? process.stdin : createReadStream(path)
  if (!path.endsWith('.gz')) return source.setEncoding('utf8')
  const inflated = createGunzip()
  source.once('error', (error: Error) => inflated.destroy(error))
  return source.pipe(inflated).setEncoding('utf8')
}

/** @see {@link https://www.zlib.net/manual.html zlib's manual}: no progress is possible, as more input is needed. */
function isBrokenOff(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'Z_BUF_ERROR'
}

function cannotRead(path: string, error: unknown): UsageError {
  return new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : 'unknown error'}`)
}

function createLineSplitter() {
  let rest = ''
  let isTooLong = false
  return {
    split(chunk: string): readonly (string | undefined)[] {
      const whole: (string | undefined)[] = (rest + chunk).split('\n')
      rest = whole.pop() ?? ''
      if (isTooLong && whole.length > 0) {
        whole[0] = undefined
        isTooLong = false
      }
      if (rest.length > MAX_LINE_LENGTH) isTooLong = true
      if (isTooLong) rest = ''
      return whole
    },
    rest: () => (isTooLong ? undefined : rest),
  }
}
