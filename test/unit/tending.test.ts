/** Tending the list of spent proofs: small steps, no overlap, and a last sign of life. */

import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { SpentCount } from '../../src/store/store.ts'
import { startTending } from '../../src/store/tending.ts'
import { turn } from '../support/test-writer.ts'

const NOTHING_LEFT: SpentCount = { count: 0, hasMore: false }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
})

/** Tends a list that answers in turn; nothing is left when it has said all. */
function tendList(...answers: readonly (SpentCount | Error | Promise<SpentCount>)[]) {
  const pending = [...answers]
  const [times, counts, troubles]: [number[], number[], unknown[]] = [[], [], []]
  let now = 0
  const tending = startTending({
    spentProofs: {
      async tend(at) {
        times.push(at)
        const answer = await (pending.shift() ?? NOTHING_LEFT)
        if (answer instanceof Error) throw answer
        return answer
      },
    },
    now: () => ++now,
    onCount: (count) => void counts.push(count),
    onTrouble: (error) => void troubles.push(error),
  })
  return { tending, times, counts, troubles }
}

async function turns(count = 5): Promise<void> {
  for (let index = 0; index < count; index++) await turn()
}

test('a round begins at once, and another five seconds after its end', async () => {
  const { times, tending } = tendList()
  await turns()
  expect(times).toEqual([1])

  vi.advanceTimersByTime(4_999)
  await turns()
  expect(times).toEqual([1])

  vi.advanceTimersByTime(1)
  await turns()
  expect(times).toEqual([1, 2])
  await tending.stop()
})

test('a round goes on until nothing is left, tells the count each time, and lets others work between', async () => {
  const { counts, tending } = tendList(
    { count: 250, hasMore: true },
    { count: 150, hasMore: true },
    { count: 50, hasMore: false },
  )
  let countsBefore: number | undefined
  setImmediate(() => {
    countsBefore = counts.length
  })

  await turns()

  expect(countsBefore).toBe(1)
  expect(counts).toEqual([250, 150, 50])
  await tending.stop()
})

test('rounds never overlap', async () => {
  const { times, tending } = tendList(
    new Promise<SpentCount>((resolve) =>
      setImmediate(() => setImmediate(() => setImmediate(() => resolve(NOTHING_LEFT)))),
    ),
  )

  vi.advanceTimersByTime(60_000)

  expect(times).toEqual([1])
  await tending.stop()
})

test('trouble is told, and the next round tries again', async () => {
  const { troubles, counts, tending } = tendList(new Error('disk full'), { count: 7, hasMore: false })
  await turns()
  expect(troubles).toMatchObject([{ message: 'disk full' }])

  vi.advanceTimersByTime(5_000)
  await turns()

  expect(counts).toEqual([7])
  await tending.stop()
})

test('stopping waits for the round under way, begins no long one, leaves a sign of life, and nothing comes after it', async () => {
  let finish = (_answer: SpentCount): void => undefined
  const first = new Promise<SpentCount>((resolve) => {
    finish = resolve
  })
  const { times, tending } = tendList(first, { count: 1, hasMore: true })
  let isStopped = false
  const stopped = tending.stop().then(() => {
    isStopped = true
  })
  await turns()
  expect(isStopped).toBe(false)

  finish({ count: 2, hasMore: true })
  await stopped

  expect(times).toEqual([1, 2])
  vi.advanceTimersByTime(60_000)
  await turns()
  expect(times).toEqual([1, 2])
})

test('stopping between two rounds calls the next one off', async () => {
  const { times, tending } = tendList()
  await turns()

  await tending.stop()

  vi.advanceTimersByTime(60_000)
  await turns()
  expect(times).toEqual([1, 2])
})
