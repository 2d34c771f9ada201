/** A place to append to that a test holds the other end of. */

import type { LineWriter } from '../../src/audit/sink.ts'

export interface TestWriter extends LineWriter {
  /** Every text that was appended, whole or torn. */
  readonly appended: readonly string[]
  /** All that is there. */
  readonly text: () => string
  /** Lets the oldest append that is under way succeed. */
  readonly succeed: () => Promise<void>
  /** Lets it fail after so many characters. */
  readonly fail: (length?: number) => Promise<void>
  readonly isClosed: () => boolean
}

/** Creates a writer whose appends end when and how the test says. */
export function createTestWriter(): TestWriter {
  const appended: string[] = []
  const pending: { text: string; resolve: () => void; reject: (error: Error) => void }[] = []
  let text = ''
  let closed = false
  const settle = async (act: (append: (typeof pending)[number]) => void): Promise<void> => {
    await turn()
    const append = pending.shift()
    if (append === undefined) throw new Error('no append is under way')
    act(append)
    await turn()
  }
  return {
    appended,
    text: () => text,
    isClosed: () => closed,
    append: (added) =>
      new Promise((resolve, reject) => {
        appended.push(added)
        pending.push({ text: added, resolve, reject })
      }),
    close: async () => {
      closed = true
    },
    succeed: () =>
      settle((append) => {
        text += append.text
        append.resolve()
      }),
    fail: (length = 0) =>
      settle((append) => {
        text += append.text.slice(0, length)
        append.reject(new Error('disk full'))
      }),
  }
}

/** Lets everything that is ready happen. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Watches how a promise ends. */
export function watchOutcome(promise: Promise<unknown>): () => 'pending' | 'fulfilled' | 'rejected' {
  let outcome: 'pending' | 'fulfilled' | 'rejected' = 'pending'
  promise.then(
    () => {
      outcome = 'fulfilled'
    },
    () => {
      outcome = 'rejected'
    },
  )
  return () => outcome
}
