/** Standard output and its like: a slow reader is waited for, one that stalls is not, and nothing blocks the process. */

import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createAuditSink } from '../../src/audit/sink.ts'
import { createDescriptorWriter } from '../../src/audit/writers.ts'
import { makeScratch } from '../support/scratch.ts'
import { turn, watchOutcome } from '../support/test-writer.ts'

/** How long a reader may keep us waiting, in milliseconds. */
const STALLED_MS = 5_000

/** More than any pipe holds. */
const LARGE = `${'é'.repeat(300_000)}\n`

interface Pipe {
  readonly writeEnd: number
  /** Takes what is there now. */
  readonly read: () => Buffer
}

/** Opens both ends of a pipe. A supervisor or a shell hands its end over as one that blocks. */
function openPipe(options: { isBlocking: boolean }): Pipe {
  const path = join(makeScratch(), 'pipe')
  execFileSync('mkfifo', [path])
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writeEnd = openSync(path, constants.O_WRONLY | (options.isBlocking ? 0 : constants.O_NONBLOCK))
  onTestFinished(() => {
    closeSync(readEnd)
    closeSync(writeEnd)
  })
  return { writeEnd, read: () => readNow(readEnd) }
}

function readNow(descriptor: number): Buffer {
  const buffer = Buffer.alloc(1_000_000)
  try {
    return buffer.subarray(0, readSync(descriptor, buffer))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return Buffer.alloc(0)
    throw error
  }
}

/** Stops the clock. Timers fire when it is moved; reads and writes are real. */
function stopClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
}

/**
 * Moves the clock in small steps. Before each, whatever is under way gets the time to come to where it waits for the clock; what
 * waits for anything else gets a little.
 */
async function pass(milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 25) {
    for (let count = 0; count < 2_000 && vi.getTimerCount() === 0; count++) await turn()
    await vi.advanceTimersByTimeAsync(25)
  }
  await turn()
}

test('a text arrives whole and in order, however slowly it is read', async () => {
  const { writeEnd, read } = openPipe({ isBlocking: false })
  const written = watchOutcome(createDescriptorWriter(writeEnd).append(LARGE))
  const chunks: Buffer[] = []

  while (written() === 'pending') {
    chunks.push(read())
    await turn()
  }
  chunks.push(read())

  expect(written()).toBe('fulfilled')
  expect(Buffer.concat(chunks).toString() === LARGE).toBe(true)
})

test.each([
  ['does not block', false],
  ['blocks', true],
])('a reader that stalls is given up after five seconds, on a pipe that %s', async (_what, isBlocking) => {
  const { writeEnd, read } = openPipe({ isBlocking })
  stopClock()
  const written = watchOutcome(createAuditSink(createDescriptorWriter(writeEnd)).write(LARGE))

  await pass(STALLED_MS - 100)
  const before = written()
  await pass(200)
  const after = written()
  // What still waits for room would keep the process from ending.
  while (read().length > 0) await turn()

  expect([before, after]).toEqual(['pending', 'rejected'])
})

test('a reader that was given up may come back', async () => {
  const { writeEnd, read } = openPipe({ isBlocking: false })
  stopClock()
  const writer = createDescriptorWriter(writeEnd)
  const failed = expect(writer.append(LARGE)).rejects.toThrow('nobody reads the audit output')
  await pass(STALLED_MS + 100)
  await failed
  while (read().length > 0) await turn()

  await writer.append('line\n')

  expect(read().toString()).toBe('line\n')
})

test('a descriptor that cannot be written to is told as it is', async () => {
  const path = join(makeScratch(), 'file')
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_CREAT)
  onTestFinished(() => closeSync(descriptor))

  await expect(createDescriptorWriter(descriptor).append('line\n')).rejects.toThrow('EBADF')
})

test('a descriptor is not ours to close', async () => {
  const path = join(makeScratch(), 'file')
  const descriptor = openSync(path, 'w')
  onTestFinished(() => closeSync(descriptor))
  const writer = createDescriptorWriter(descriptor)

  await writer.close()
  await writer.append('line\n')

  expect(readFileSync(path, 'utf8')).toBe('line\n')
})
