/** What workers count, as one broker's metrics. */

import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client'

/** All metrics of one process at one moment, as its registry gives them. */
export type MetricsOfWorker = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

/** A worker that can be asked. */
export interface CountingWorker {
  /** Gives what it has counted, or undefined where it does not say so in time. */
  readonly metrics: () => Promise<MetricsOfWorker | undefined>
}

export interface WorkerMetrics {
  readonly contentType: string
  /** Asks every worker, and gives the answer for Prometheus. */
  metrics(): Promise<string>
  /** Called when a worker takes requests. */
  joined(worker: CountingWorker): void
  /** Called when one has ended, whether it took requests or not. */
  died(worker: CountingWorker): void
}

/**
 * Adds up what workers count. A worker that has died stays in the sums of counters, with what it last told: a sum that became less
 * would be taken for one that began anew, and all of it counted again. How gauges go together is said where each is made.
 */
export function createWorkerMetrics(): WorkerMetrics {
  const own = createOwn()
  const told = new Map<CountingWorker, MetricsOfWorker | undefined>()
  let departed: readonly MetricsOfWorker[] = []

  const ask = async (worker: CountingWorker): Promise<void> => {
    const metrics = await worker.metrics()
    if (metrics !== undefined && told.has(worker)) told.set(worker, metrics)
  }
  const render = async (): Promise<string> => {
    await Promise.all([...told.keys()].map(ask))
    const known = departed
    const merged = await addUp(known)
    departed = [...merged, ...departed.slice(known.length)]
    const ours = await own.registry.getMetricsAsJSON()
    const all = [...told.values(), ...departed, ours].filter((each) => each !== undefined)
    return await AggregatorRegistry.aggregate(all).metrics()
  }
  let rendering: Promise<string> | undefined
  return {
    contentType: Registry.PROMETHEUS_CONTENT_TYPE,
    metrics() {
      rendering ??= render().finally(() => {
        rendering = undefined
      })
      return rendering
    },
    joined(worker) {
      told.set(worker, undefined)
      own.workers.set(told.size)
    },
    died(worker) {
      const last = told.get(worker)
      told.delete(worker)
      own.workers.set(told.size)
      own.deaths.inc()
      if (last !== undefined) departed = [...departed, last.filter(isSum)]
    },
  }
}

function createOwn() {
  const registry = new Registry()
  const registers = [registry]
  const workers = new Gauge({ name: 'chancery_workers', help: 'Workers that take requests.', registers })
  const deaths = new Counter({
    name: 'chancery_worker_deaths_total',
    help: 'Workers that ended without being told to.',
    registers,
  })
  return { registry, workers, deaths }
}

/** Gives the sum of those that have gone as if it were one's: there may be many in a long life. */
async function addUp(metrics: readonly MetricsOfWorker[]): Promise<readonly MetricsOfWorker[]> {
  if (metrics.length < 2) return metrics
  return [await AggregatorRegistry.aggregate([...metrics]).getMetricsAsJSON()]
}

/** The types of the library have numbers here; there are words. */
function isSum({ type, aggregator }: MetricsOfWorker[number]): boolean {
  return ['counter', 'histogram'].includes(String(type)) && aggregator === 'sum'
}
