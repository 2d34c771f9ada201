/** Longest request of a program to its helper, in bytes. Git's lines alone may have 64 KiB. */
const MAX_INPUT_BYTES = 262_144

/** Reads standard input to its end. Rejects where it is longer than any request is. */
export async function readInput(input: AsyncIterable<Uint8Array> = process.stdin): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of input) {
    size += chunk.byteLength
    if (size > MAX_INPUT_BYTES) throw new Error(`more than ${MAX_INPUT_BYTES} bytes on standard input`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
