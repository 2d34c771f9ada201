/** How many workers there are, how long a dead one is mourned, and what is counted of all of them. */

import { availableParallelism } from 'node:os'
import { Counter, Gauge, Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { createPatience } from '../../src/cli/restart-patience.ts'
import { parseWorkers } from '../../src/config-values.ts'
import { createWorkerMetrics } from '../../src/metrics-workers.ts'

describe('the number of workers', () => {
  test.each([1, 2, 128])('may be %d', (workers) => {
    expect(parseWorkers(String(workers))).toBe(workers)
  })

  test('is that of the cores with auto', () => {
    expect(parseWorkers('auto')).toBe(availableParallelism())
  })

  test.each(['', '0', '129', '1000', '-1', '2.0', '1e1', ' 2', 'AUTO', 'many', '٧'])('may not be "%s"', (text) => {
    expect(() => parseWorkers(text)).toThrow(/number of processes from 1 to 128, nor auto/)
  })
})

test('a worker is replaced later each time, until it has been calm for a minute', () => {
  let now = 0
  const patience = createPatience(() => now)
  const waits = Array.from({ length: 9 }, () => {
    const wait = patience.next()
    now += wait + 1_000
    return wait
  })
  now += 60_000

  expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  expect(patience.next()).toBe(250)
})

describe('metrics of workers', () => {
  /** One that has counted, says how long its queue is and how old its document is; or says nothing. */
  function workerWith(count: number, age: number) {
    const registry = new Registry()
    const registers = [registry]
    new Counter({ name: 'done_total', help: 'Done.', registers }).inc(count)
    new Gauge({ name: 'queue', help: 'Queue.', registers }).set(count)
    new Gauge({ name: 'age', help: 'Age.', registers, aggregator: 'max' }).set(age)
    const worker = { isSilent: false, metrics: async () => (worker.isSilent ? undefined : registry.getMetricsAsJSON()) }
    return worker
  }
  const linesOf = (text: string) => text.split('\n').filter((line) => /^(done_total|queue|age|chancery)/.test(line))

  test('are added up, but where the highest counts', async () => {
    const metrics = createWorkerMetrics()
    for (const worker of [workerWith(3, 20), workerWith(4, 10)]) metrics.joined(worker)

    expect(linesOf(await metrics.metrics())).toEqual([
      ...['done_total 7', 'queue 7', 'age 20'],
      ...['chancery_workers 2', 'chancery_worker_deaths_total 0'],
    ])
  })

  test('of one that has died stay in sums, and nowhere else', async () => {
    const metrics = createWorkerMetrics()
    const [one, two, three] = [workerWith(3, 20), workerWith(4, 30), workerWith(5, 10)]
    for (const worker of [one, two, three]) metrics.joined(worker)
    await metrics.metrics()
    metrics.died(one)
    metrics.died(two)
    const expected = ['done_total 12', 'queue 5', 'age 10', 'chancery_workers 1', 'chancery_worker_deaths_total 2']

    expect(linesOf(await metrics.metrics())).toEqual(expect.arrayContaining(expected))
    expect(linesOf(await metrics.metrics())).toEqual(expect.arrayContaining(expected))
  })

  test('of one that says nothing in time are what it said last', async () => {
    const metrics = createWorkerMetrics()
    const worker = workerWith(3, 20)
    metrics.joined(worker)
    await metrics.metrics()
    worker.isSilent = true

    expect(linesOf(await metrics.metrics())).toContain('done_total 3')
  })
})
