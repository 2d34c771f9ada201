/** Reads the lines of a file of any size, compressed or not. */

import { createReadStream } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
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
 * Yields the lines of a file, or of standard input where the path is `-`, compressed with gzip or not. Throws {@link UsageError}
 * where it cannot be read; a compressed file that breaks off is read as far as it goes.
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

/** What is compressed says so in its first bytes: standard input has no name, and not every rotated file ends with `.gz`. */
async function* openText(path: string): AsyncGenerator<unknown> {
  const source: Readable = path === '-' ? process.stdin : createReadStream(path)
  const chunks: AsyncIterator<Buffer> = source[Symbol.asyncIterator]()
  const head = await readHead(chunks)
  const bytes = Readable.from(joinAgain(head, chunks), { objectMode: false })
  if (!head.subarray(0, GZIP.length).equals(GZIP)) {
    yield* bytes.setEncoding('utf8')
    return
  }
  const inflated = createGunzip()
  pipeline(bytes, inflated, () => undefined)
  yield* inflated.setEncoding('utf8')
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc1952.html#section-2.3.1 RFC 1952 section 2.3.1} */
const GZIP = Buffer.from([0x1f, 0x8b])

/** A pipe may give a byte at a time. */
async function readHead(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  let head = Buffer.alloc(0)
  while (head.length < GZIP.length) {
    const { value, done } = await chunks.next()
    if (done === true) break
    head = Buffer.concat([head, value])
  }
  return head
}

async function* joinAgain(head: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield head
  yield* { [Symbol.asyncIterator]: () => chunks }
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
