import { UsageError } from './exit.ts'

/** Longest request of a program to its helper, in bytes. Git's lines alone may have 64 KiB. */
const MAX_INPUT_BYTES = 262_144

/** Reads standard input to its end. Throws {@link UsageError} where it is longer than any request is. */
export async function readInput(input: AsyncIterable<Uint8Array> = process.stdin): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of input) {
    size += chunk.byteLength
    if (size > MAX_INPUT_BYTES) throw new UsageError('standard input: more than 256 KiB')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
