/** Reads a file that others append to. */

import { open } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'

/** How often the file is looked at, in milliseconds: at once, to whoever watches. */
const POLL_MS = 100

/** Bytes that are read at a time. */
const CHUNK_BYTES = 65_536

/** Calls back for each whole line that is appended from now on. Stopping reads what is there until then. */
export async function followLines(file: string, onLine: (line: string) => void): Promise<() => Promise<void>> {
  const handle = await open(file, 'r')
  const decoder = new StringDecoder('utf8')
  const chunk = Buffer.alloc(CHUNK_BYTES)
  const at = { offset: (await handle.stat()).size, rest: '' }
  const read = async (): Promise<void> => {
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, at.offset)
      if (bytesRead === 0) return
      at.offset += bytesRead
      const lines = (at.rest + decoder.write(chunk.subarray(0, bytesRead))).split('\n')
      at.rest = lines.pop() ?? ''
      for (const line of lines) if (line !== '') onLine(line)
    }
  }
  let reading = Promise.resolve()
  const timer = setInterval(() => {
    reading = reading.then(read).catch(() => undefined)
  }, POLL_MS)
  return async () => {
    clearInterval(timer)
    await reading
    await read()
    await handle.close()
  }
}
