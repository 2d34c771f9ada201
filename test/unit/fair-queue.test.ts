/** How much is asked at a time, who waits for whom, and who is sent away. */

import { describe, expect, test, vi } from 'vitest'
import { createFairQueue, type FairQueueLimits } from '../../providers/kit/fair-queue.ts'
import { rejection } from '../support/rejection.ts'

const NEVER = new AbortController().signal
const LIMITS = { concurrency: 2, maxWaiting: 8, maxWaitingOfOne: 4, maxWaitMs: 60_000 }

/** A queue whose tasks end when they are told to, and the order in which they began. */
function openQueue(limits: Partial<FairQueueLimits> = {}) {
  const queue = createFairQueue({ ...LIMITS, ...limits })
  const started: string[] = []
  const gates = new Map<string, PromiseWithResolvers<string>>()
  const gateOf = (name: string): PromiseWithResolvers<string> => {
    const gate = gates.get(name) ?? Promise.withResolvers<string>()
    gates.set(name, gate)
    return gate
  }
  return {
    started,
    /** Puts a task in; its source is the name up to the dash. */
    add(name: string, signal: AbortSignal = NEVER) {
      const [source = ''] = name.split('-')
      return queue.run(
        source,
        () => {
          started.push(name)
          return gateOf(name).promise
        },
        signal,
      )
    },
    async end(name: string) {
      gateOf(name).resolve(name)
      await turn()
    },
    async fail(name: string) {
      gateOf(name).reject(new Error(name))
      await turn()
    },
  }
}

/** Lets everything that is due happen. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('runs as many as it may at a time, and the next when one has ended', async () => {
  const { add, started, end } = openQueue()
  const tasks = ['a-1', 'a-2', 'a-3'].map((name) => add(name))
  await turn()
  expect(started).toEqual(['a-1', 'a-2'])

  await end('a-2')
  expect(started).toEqual(['a-1', 'a-2', 'a-3'])
  await end('a-1')
  await end('a-3')

  expect(await Promise.all(tasks)).toEqual(['a-1', 'a-2', 'a-3'])
})

test('makes room again, however a task ended', async () => {
  const { add, started, fail, end } = openQueue({ concurrency: 1 })
  const failing = add('a-1').catch((error: Error) => error.message)
  const waiting = add('a-2')
  await fail('a-1')
  expect(await failing).toBe('a-1')
  await end('a-2')
  expect(await waiting).toBe('a-2')

  void add('a-3')
  expect(started).toEqual(['a-1', 'a-2', 'a-3'])
})

test('makes room again after a task that threw before it gave a promise', async () => {
  const queue = createFairQueue({ ...LIMITS, concurrency: 1 })
  const bug = queue.run(
    'a',
    () => {
      throw new Error('bug')
    },
    NEVER,
  )

  await expect(bug).rejects.toThrow('bug')
  expect(await queue.run('a', async () => 'done', NEVER)).toBe('done')
})

test('never runs more than it may, however tasks come and go', async () => {
  const { add, started, end } = openQueue({ maxWaitingOfOne: 8 })
  const names = Array.from({ length: 10 }, (_, index) => `a-${index}`)
  const tasks = names.map((name) => add(name))

  for (const [ended, name] of names.entries()) {
    await turn()
    expect(started.length - ended).toBe(Math.min(2, names.length - ended))
    await end(name)
  }

  expect(await Promise.all(tasks)).toEqual(names)
})

test('gives the place of an ended task to whoever waits, not to whoever comes just then', async () => {
  const { add, started, end } = openQueue({ concurrency: 1 })
  void add('a-1')
  void add('a-2')
  await Promise.all([end('a-1'), Promise.resolve().then(() => void add('b-1'))])
  await turn()

  expect(started).toEqual(['a-1', 'a-2'])
})

test('sources take turns, however many tasks each has waiting', async () => {
  const { add, started, end } = openQueue({ concurrency: 1 })
  for (const name of ['a-0', 'a-1', 'a-2', 'a-3', 'b-1', 'b-2', 'c-1']) void add(name)
  for (let done = 0; done < 7; done++) await end(started[done] ?? '')

  expect(started).toEqual(['a-0', 'a-1', 'b-1', 'c-1', 'a-2', 'b-2', 'a-3'])
})

test('a source whose turn it was stands behind one that came since', async () => {
  const { add, started, end } = openQueue({ concurrency: 1 })
  for (const name of ['a-0', 'a-1', 'a-2']) void add(name)
  await end('a-0')
  void add('b-1')
  await end('a-1')
  await end('a-2')

  expect(started).toEqual(['a-0', 'a-1', 'a-2', 'b-1'])
})

test('lets so many wait and no more, of one source and of all', async () => {
  const { add, started } = openQueue({ concurrency: 1, maxWaiting: 4, maxWaitingOfOne: 3 })
  void add('a-0')
  for (const name of ['a-1', 'a-2', 'a-3']) void add(name)

  expect((await rejection(add('a-4'))).code).toBe('upstream_busy')
  void add('b-1')
  expect((await rejection(add('b-2'))).code).toBe('upstream_busy')
  expect((await rejection(add('c-1'))).code).toBe('upstream_busy')
  expect(started).toEqual(['a-0'])
})

test('has room again for each that began, and for each that gave up', async () => {
  const { add, end } = openQueue({ concurrency: 1, maxWaiting: 2, maxWaitingOfOne: 1 })
  const gone = new AbortController()
  void add('a-0')
  void add('a-1')
  const givesUp = rejection(add('b-1', gone.signal))
  expect((await rejection(add('c-1'))).code).toBe('upstream_busy')

  gone.abort()
  await givesUp
  void add('b-2')
  expect((await rejection(add('c-1'))).code).toBe('upstream_busy')
  await end('a-0')
  void add('a-2')

  expect((await rejection(add('c-1'))).code).toBe('upstream_busy')
})

test('sends away who has waited too long, and does not run what they wanted', async () => {
  const { add, started, end } = openQueue({ concurrency: 1, maxWaitMs: 20 })
  void add('a-0')

  expect((await rejection(add('a-1'))).code).toBe('upstream_busy')
  await end('a-0')
  expect(started).toEqual(['a-0'])
})

test('a task that has begun may take longer than anybody may wait', async () => {
  const { add, end } = openQueue({ concurrency: 1, maxWaitMs: 20 })
  const first = add('a-0')
  const waiting = add('b-0')
  await end('a-0')
  await first
  await rejection(add('a-1'))
  await end('b-0')

  expect(await waiting).toBe('b-0')
})

test('lets go of a caller who has gone, whether before or while waiting', async () => {
  const { add, started, end } = openQueue({ concurrency: 1 })
  const gone = new AbortController()
  void add('a-0')
  const waiting = rejection(add('a-1', gone.signal))
  const late = add('b-1')
  gone.abort()

  expect((await waiting).code).toBe('upstream_timeout')
  expect((await rejection(add('a-2', AbortSignal.abort()))).code).toBe('upstream_timeout')
  await end('a-0')
  await end('b-1')
  expect(await late).toBe('b-1')
  expect(started).toEqual(['a-0', 'b-1'])
})

test('a caller who goes takes none of the others of its source along', async () => {
  const { add, started, end } = openQueue({ concurrency: 1 })
  const gone = new AbortController()
  void add('a-0')
  const waiting = rejection(add('a-1', gone.signal))
  const other = add('a-2')
  gone.abort()
  await waiting
  await end('a-0')
  await end('a-2')

  expect(started).toEqual(['a-0', 'a-2'])
  expect(await other).toBe('a-2')
})

test('a caller who goes after the task has begun takes no other’s place away', async () => {
  const { add, started, end } = openQueue({ concurrency: 1, maxWaiting: 1 })
  const gone = new AbortController()
  void add('a-0')
  const begun = add('a-1', gone.signal)
  await end('a-0')
  gone.abort()
  void add('b-1')

  expect((await rejection(add('c-1'))).code).toBe('upstream_busy')
  await end('a-1')
  expect(await begun).toBe('a-1')
  expect(started).toEqual(['a-0', 'a-1', 'b-1'])
})

/** A signal that counts who listens to it. */
function countListeners() {
  const { signal } = new AbortController()
  const add = vi.spyOn(signal, 'addEventListener')
  const remove = vi.spyOn(signal, 'removeEventListener')
  const removed = () => remove.mock.calls.map(([type, listener]) => ({ type, listener }))
  return {
    signal,
    count: () =>
      add.mock.calls.filter(
        ([type, listener]) => !removed().some((one) => one.type === type && one.listener === listener),
      ).length,
  }
}

describe('leaves nothing behind on a signal that outlives the wait', () => {
  test('when it was this one’s turn', async () => {
    const { add, end } = openQueue({ concurrency: 1 })
    const { signal, count } = countListeners()
    void add('a-0')
    const waiting = add('b-1', signal)
    expect(count()).toBe(1)
    await end('a-0')
    expect(count()).toBe(0)
    await end('b-1')

    expect(await waiting).toBe('b-1')
  })

  test('when it took too long', async () => {
    const { add } = openQueue({ concurrency: 1, maxWaitMs: 20 })
    const { signal, count } = countListeners()
    void add('a-0')
    await rejection(add('b-1', signal))

    expect(count()).toBe(0)
  })
})
