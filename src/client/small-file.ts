/** Files that a workload's side reads: proofs, tokens, configurations. */

import { constants, type FileHandle, open } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'

/** Largest of them, in bytes: percent-encoding triples a proof of 16 KiB at most. */
const MAX_BYTES = 65_536

/** How long somebody who holds a pipe open may say nothing, in milliseconds: whatever gets a proof there may ask a cloud for it. */
const SILENCE_MS = 15_000

/** How long a pipe that nobody writes to is given, in milliseconds: then it is as empty as a file. */
const NOBODY_MS = 2_000

/** Between two looks at a pipe, in milliseconds. */
const LOOK_MS = 20

/**
 * Gives a file's text, or what a pipe says until it is closed, as a shell's `<(command)` does.
 *
 * Rejects with the system's error, with `EFBIG` beyond 64 KiB, and with `ETIMEDOUT` where a pipe is silent: opened as files usually
 * are, one without a writer would hold a thread, and the process's end, for as long as it likes. Keeps no process alive. `elapsed`
 * is in milliseconds.
 */
export async function readSmallFile(path: string, elapsed = () => performance.now()): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const isFile = (await file.stat()).isFile()
    const buffer = Buffer.alloc(MAX_BYTES + 1)
    let size = 0
    for (let heardAt = elapsed(); size <= MAX_BYTES; ) {
      const bytesRead = await readNow(file, buffer, size)
      if (bytesRead === 0 && (isFile || size > 0 || elapsed() - heardAt > NOBODY_MS)) break
      if (bytesRead === undefined && elapsed() - heardAt > SILENCE_MS) throw fault('ETIMEDOUT', 'it is silent')
      if (bytesRead) heardAt = elapsed()
      else await setTimeout(LOOK_MS, undefined, { ref: false })
      size += bytesRead ?? 0
    }
    if (size > MAX_BYTES) throw fault('EFBIG', 'it is larger than 64 KiB')
    return buffer.toString('utf8', 0, size)
  } finally {
    await file.close()
  }
}

/** Undefined where there is nothing yet, and somebody who may write it. */
async function readNow(file: FileHandle, buffer: Buffer, at: number): Promise<number | undefined> {
  try {
    return (await file.read(buffer, at, buffer.length - at)).bytesRead
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return undefined
    throw error
  }
}

function fault(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
