/** The three places that a record can be appended to. */

import { write } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { RecordTable } from '../store/store.ts'
import type { LineWriter } from './sink.ts'

/** How long a reader of our output may keep us waiting, in milliseconds. */
const STALLED_MS = 5_000

/**
 * Appends to a file and syncs it: what `append` resolved for survives a power cut, but where it is a pipe or a device, such as
 * `/dev/stderr`. A file that was renamed or removed is opened anew under its name before anything more is written. Where a process
 * died in the middle of a line, the next begins on its own. Readable by its owner and group only.
 */
export async function createFileWriter(path: string): Promise<LineWriter> {
  let opened = await openAppend(path)

  const follow = async (): Promise<void> => {
    if (await isStill(path, opened)) return
    const old = opened
    opened = await openAppend(path)
    await old.handle.close()
  }

  return {
    async append(text) {
      await follow()
      await opened.handle.appendFile(opened.isTorn ? `\n${text}` : text)
      opened.isTorn = false
      if (opened.isOnDisk) await opened.handle.datasync()
    },
    close: () => opened.handle.close(),
  }
}

/** Appends to an open descriptor, such as standard output, without blocking the process when its reader is slow. */
export function createDescriptorWriter(descriptor: number): LineWriter {
  return {
    async append(text) {
      const deadline = performance.now() + STALLED_MS
      let rest = Buffer.from(text)
      while (rest.length > 0) {
        const written = await writeSome(descriptor, rest)
        if (written === 0 && performance.now() > deadline) throw new Error('nobody reads the audit output')
        rest = rest.subarray(written)
      }
    },
    close: async () => undefined,
  }
}

/** Appends to a table, where each line is a record: all that gathered together, or none of it. */
export function createTableWriter(table: RecordTable): LineWriter {
  return {
    append: (text) => table.appendRecords(text.split('\n').filter((line) => line !== '')),
    close: async () => undefined,
  }
}

const writeBytes = promisify(write)

/** Gives the number of bytes taken; 0, after a short wait, where a pipe is full. */
async function writeSome(descriptor: number, bytes: Buffer): Promise<number> {
  try {
    return (await writeBytes(descriptor, bytes)).bytesWritten
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    await new Promise((resolve) => setTimeout(resolve, 5))
    return 0
  }
}

interface OpenedFile {
  readonly handle: FileHandle
  readonly inode: number
  readonly device: number
  /** A pipe or a device cannot be synced, and says so as an error. */
  readonly isOnDisk: boolean
  isTorn: boolean
}

async function openAppend(path: string): Promise<OpenedFile> {
  const handle = await open(path, 'a+', 0o640)
  const status = await handle.stat()
  const { ino, dev, size } = status
  const isTorn = size > 0 && !(await endsWithNewline(handle, size))
  return { handle, inode: ino, device: dev, isOnDisk: status.isFile(), isTorn }
}

async function endsWithNewline(handle: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer.toString() === '\n'
}

async function isStill(path: string, { inode, device }: OpenedFile): Promise<boolean> {
  const named = await stat(path).catch(() => undefined)
  return named?.ino === inode && named.dev === device
}
