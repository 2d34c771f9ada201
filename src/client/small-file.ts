/** Files that a workload's side reads: proofs, tokens, configurations. */

import { open } from 'node:fs/promises'

/** Largest of them, in bytes: percent-encoding triples a proof of 16 KiB at most. */
const MAX_BYTES = 65_536

/** Gives a file's text. Rejects with the system's error, and with `EFBIG` where the file is larger than 64 KiB. */
export async function readSmallFile(path: string): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_BYTES + 1))
    if (bytesRead > MAX_BYTES) throw Object.assign(new Error('it is larger than 64 KiB'), { code: 'EFBIG' })
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}
