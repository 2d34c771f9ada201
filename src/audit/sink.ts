/** Where records go: many waiting writers, one write, one sync. */

/** Takes lines and promises of each that it is where it belongs. */
export interface AuditSink {
  /** Resolves when the line is written, and on disk where the sink is a file. Rejects where it is not, or may not be. */
  write(line: string): Promise<void>
  close(): Promise<void>
}

/** One place to append to. */
export interface LineWriter {
  append(text: string): Promise<void>
  close(): Promise<void>
}

interface Waiting {
  readonly line: string
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** How long one write may take, in milliseconds. A disk that hangs must not make every caller hang with it. */
const WRITE_DEADLINE_MS = 5_000

/**
 * Creates a sink that writes whatever has gathered while the last write was under way, in one go. A line never waits for others
 * to come, so under light load it is written at once and under heavy load many share one sync.
 *
 * After a failed write the next begins on a new line, so that a torn record cannot swallow a whole one. A write that did not end
 * in time may still come through: until it has ended, every line fails at once, as none may be written into its middle.
 */
export function createAuditSink(writer: LineWriter): AuditSink {
  let waiting: Waiting[] = []
  let writing: Promise<void> | undefined
  let isTorn = false
  let isStuck = false

  const append = (text: string): Promise<void> => {
    if (isStuck) return Promise.reject(new Error('the last write has not ended'))
    const ended = writer.append(text).finally(() => {
      isStuck = false
    })
    return inTime(ended, () => {
      isStuck = true
    })
  }
  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        await append((isTorn ? '\n' : '') + batch.map(({ line }) => `${line}\n`).join(''))
        isTorn = false
        for (const { resolve } of batch) resolve()
      } catch (error) {
        isTorn = true
        for (const { reject } of batch) reject(error)
      }
    }
    writing = undefined
  }

  return {
    write: (line) =>
      new Promise((resolve, reject) => {
        waiting.push({ line, resolve, reject })
        writing ??= Promise.resolve().then(flush)
      }),
    async close() {
      await writing
      await writer.close()
    },
  }
}

function inTime(write: Promise<void>, onLate: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      onLate()
      reject(new Error('the write did not end in time'))
    }, WRITE_DEADLINE_MS)
    write.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
