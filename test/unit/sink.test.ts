/** The sink: whoever waits shares one append, and nobody is told of a record that is not there. */

import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createAuditSink } from '../../src/audit/sink.ts'
import { createTestWriter, turn, watchOutcome } from '../support/test-writer.ts'

describe('one append', () => {
  test('is made at once for a line that comes alone', async () => {
    const writer = createTestWriter()
    const sink = createAuditSink(writer)

    const written = watchOutcome(sink.write('one'))
    await turn()

    expect(writer.appended).toEqual(['one\n'])
    expect(written()).toBe('pending')
    await writer.succeed()
    expect(written()).toBe('fulfilled')
  })

  test('is shared by all that come in one turn', async () => {
    const writer = createTestWriter()
    const sink = createAuditSink(writer)

    const written = Promise.all(['one', 'two', 'three'].map(sink.write))
    await writer.succeed()
    await written

    expect(writer.appended).toEqual(['one\ntwo\nthree\n'])
  })

  test('is shared by all that came while the last was under way, in their order', async () => {
    const writer = createTestWriter()
    const sink = createAuditSink(writer)
    const first = watchOutcome(sink.write('first'))
    await turn()

    const later = Array.from({ length: 500 }, (_, number) => watchOutcome(sink.write(`line ${number}`)))
    await turn()
    expect(writer.appended).toEqual(['first\n'])

    await writer.succeed()
    expect(first()).toBe('fulfilled')
    expect(new Set(later.map((outcome) => outcome()))).toEqual(new Set(['pending']))

    await writer.succeed()
    expect(new Set(later.map((outcome) => outcome()))).toEqual(new Set(['fulfilled']))
    expect(writer.appended).toHaveLength(2)
    expect(writer.appended[1]).toBe(Array.from({ length: 500 }, (_, number) => `line ${number}\n`).join(''))
  })

  test('follows another after a quiet while', async () => {
    const writer = createTestWriter()
    const sink = createAuditSink(writer)
    const first = sink.write('one')
    await writer.succeed()
    await first
    await turn()

    const second = sink.write('two')
    await writer.succeed()
    await second

    expect(writer.text()).toBe('one\ntwo\n')
  })
})

describe('an append that fails', () => {
  test('fails every line of it, and none of the next', async () => {
    const writer = createTestWriter()
    const sink = createAuditSink(writer)
    const first = watchOutcome(sink.write('one'))
    await turn()
    const second = watchOutcome(sink.write('two'))

    await writer.fail()
    expect(first()).toBe('rejected')
    expect(second()).toBe('pending')

    await writer.succeed()
    expect(second()).toBe('fulfilled')
  })

  test('fails with its cause', async () => {
    const writer = createTestWriter()
    const written = createAuditSink(writer).write('one')
    const failed = expect(written).rejects.toThrow('disk full')

    await writer.fail()

    await failed
  })

  test('is followed by a new line, until one has succeeded', async () => {
    const writer = createTestWriter()
    const sink = createAuditSink(writer)

    for (const outcome of [writer.fail, writer.fail, writer.succeed, writer.succeed]) {
      watchOutcome(sink.write('line'))
      await outcome()
    }

    expect(writer.appended).toEqual(['line\n', '\nline\n', '\nline\n', 'line\n'])
  })
})

test('however appends are torn, every line that was acknowledged stands whole on a line of its own', async () => {
  const steps = fc.array(
    fc.record({ lines: fc.integer({ min: 1, max: 4 }), tornAt: fc.option(fc.nat(60), { nil: undefined }) }),
    { minLength: 1, maxLength: 12 },
  )
  const property = fc.asyncProperty(steps, async (batches) => {
    const writer = createTestWriter()
    const sink = createAuditSink(writer)
    const acknowledged: string[] = []
    for (const [batch, { lines, tornAt }] of batches.entries()) {
      for (let line = 0; line < lines; line++) {
        const record = JSON.stringify({ batch, line, filler: 'x'.repeat(line) })
        sink.write(record).then(
          () => acknowledged.push(record),
          () => undefined,
        )
      }
      await (tornAt === undefined ? writer.succeed() : writer.fail(tornAt))
    }

    expect(writer.text().split('\n')).toEqual(expect.arrayContaining(acknowledged))
    expect(acknowledged).toHaveLength(
      batches.reduce((count, { lines, tornAt }) => count + (tornAt === undefined ? lines : 0), 0),
    )
  })

  await fc.assert(property, { numRuns: 100 })
})

test('closing waits for what is under way, and for all that waits behind it', async () => {
  const writer = createTestWriter()
  const sink = createAuditSink(writer)
  watchOutcome(sink.write('one'))
  await turn()
  const second = watchOutcome(sink.write('two'))

  const closed = sink.close()
  await writer.succeed()
  expect(writer.isClosed()).toBe(false)

  await writer.succeed()
  await closed
  expect(second()).toBe('fulfilled')
  expect(writer.isClosed()).toBe(true)
})

test('closing closes where nothing is under way', async () => {
  const writer = createTestWriter()

  await createAuditSink(writer).close()

  expect(writer.isClosed()).toBe(true)
})

test('a write that does not end in time fails its lines and all that come, until it has ended', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const writer = createTestWriter()
  const sink = createAuditSink(writer)
  const held = expect(sink.write('held')).rejects.toThrow('did not end in time')
  await vi.advanceTimersByTimeAsync(5_000)
  await held

  await expect(sink.write('refused')).rejects.toThrow('has not ended')
  expect(writer.appended).toEqual(['held\n'])

  await writer.succeed()
  const next = sink.write('next')
  await writer.succeed()
  await next
  expect(writer.appended).toEqual(['held\n', '\nnext\n'])
})
