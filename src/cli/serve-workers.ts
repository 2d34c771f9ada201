/** `chancery serve --workers`: a supervisor that serves nothing itself, and the processes that do. */

import cluster from 'node:cluster'
import { extname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { SettingsError } from '../../providers/contract/errors.ts'
import { type AuditSink, createAuditSink } from '../audit/sink.ts'
import type { BrokerConfig, Flags } from '../config.ts'
import type { ListenAddress } from '../config-values.ts'
import { describeBug, type Log } from '../log.ts'
import { createWorkerMetrics, type WorkerMetrics } from '../metrics-workers.ts'
import { EXIT } from './exit.ts'
import { openAuditWriter } from './open-audit.ts'
import { createPatience } from './restart-patience.ts'
import { DRAIN_MS, listenForMetrics, tellReady, warnOfStrangeness } from './serve.ts'
import { type WorkerHandle, type WorkerPorts, watchWorker } from './serve-worker-handle.ts'

/** Beside this file, whether this is a source or what was built of it. */
const WORKER = fileURLToPath(new URL(`./serve-worker${extname(import.meta.url)}`, import.meta.url))

/** Time for workers to end in, in milliseconds: to drain, and to close what they have open. */
const END_MS = DRAIN_MS + 5_000

export interface SupervisorPorts {
  readonly log: Log
  /** Writes a line of a worker's log. */
  readonly writeLog: (line: string) => void
}

/** A broker of several processes, all of which take requests. */
export interface Supervisor {
  /** Rejects when no worker is left, and another could not be started: with what it refused to start for, or {@link WorkerEnded}. */
  readonly gaveUp: Promise<never>
  /** Has every worker finish what is under way. Gives the exit code: theirs. */
  readonly stop: () => Promise<number>
}

/**
 * Starts a broker's workers. None takes requests until all could. Throws as {@link startBroker} does, or {@link WorkerEnded}, with
 * nothing left open.
 */
export async function startWorkers(config: BrokerConfig, flags: Flags, ports: SupervisorPorts): Promise<Supervisor> {
  warnOfStrangeness(config, ports.log)
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({
    exec: WORKER,
    args: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  await using opened = new AsyncDisposableStack()
  const sink = await openSink(config)
  opened.defer(async () => sink?.close())
  const metrics = createWorkerMetrics()
  const crew = createCrew(flags, { ...ports, sink, metrics, federationPath: config.federationPath })
  opened.defer(() => crew.kill())
  // The first one makes the store and the keys, and tells what is wrong once.
  const first = await crew.prepareOne()
  const others = await Promise.all(Array.from({ length: config.workers - 1 }, crew.prepareOne))
  const exposed = await listenForMetrics(config.metricsListen, metrics, ports.log)
  opened.defer(async () => exposed?.drain())
  const [address] = await Promise.all([first, ...others].map(crew.takeRequests))
  if (address === undefined) throw new Error('there are no workers')
  const workers = [first, ...others].map(({ pid }) => pid)
  tellReady(config, { address, metricsAddress: exposed?.address }, ports.log.child({ workers }))
  const open = opened.move()
  return {
    gaveUp: crew.gaveUp.catch(async (error: unknown) => {
      await open.disposeAsync()
      throw error
    }),
    async stop() {
      const code = await crew.drain()
      await open.disposeAsync()
      return code
    },
  }
}

/** Records of a database are written in transactions, by each worker for itself. */
async function openSink({ audit }: BrokerConfig): Promise<AuditSink | undefined> {
  return audit.kind === 'postgres' ? undefined : createAuditSink(await openAuditWriter(audit, undefined))
}

interface CrewPorts extends SupervisorPorts, WorkerPorts {
  readonly metrics: WorkerMetrics
}

function createCrew(flags: Flags, ports: CrewPorts) {
  const { log, metrics } = ports
  const ending = new AbortController()
  const patience = createPatience(() => performance.now())
  const { promise: gaveUp, reject: giveUp } = Promise.withResolvers<never>()
  gaveUp.catch(() => undefined)
  const all = new Set<WorkerHandle>()
  const serving = new Set<WorkerHandle>()

  const prepareOne = async (): Promise<WorkerHandle> => {
    const worker = watchWorker(cluster.fork(), ports)
    all.add(worker)
    void worker.ended.then(() => all.delete(worker))
    await worker.prepare(flags)
    return worker
  }
  const takeRequests = async (worker: WorkerHandle): Promise<ListenAddress> => {
    const address = await worker.takeRequests()
    serving.add(worker)
    metrics.joined(worker)
    void worker.ended.then((end) => {
      serving.delete(worker)
      if (ending.signal.aborted) return
      metrics.died(worker)
      log.error({ worker: worker.pid, ...end }, 'a worker ended: another takes its place')
      void replace()
    })
    return address
  }
  const replace = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      try {
        await setTimeout(patience.next(), undefined, { signal: ending.signal })
        const worker = await prepareOne()
        await takeRequests(worker)
        log.info({ worker: worker.pid }, 'a worker takes the place of one that ended')
        return
      } catch (error) {
        if (ending.signal.aborted) return
        if (serving.size === 0) return giveUp(error)
        log.error(describe(error), 'a worker could not be started: another try follows')
      }
    }
  }
  return {
    gaveUp,
    /** Does all that comes before listening in a worker of its own. */
    prepareOne,
    takeRequests,
    drain(): Promise<number> {
      ending.abort()
      return drainAll([...all])
    },
    async kill(): Promise<void> {
      ending.abort()
      for (const worker of all) worker.kill()
      await Promise.all([...all].map(({ ended }) => ended))
    },
  }
}

/** Gives the highest of their codes. One that does not end in time is ended. */
async function drainAll(workers: readonly WorkerHandle[]): Promise<number> {
  const kill = (): void => {
    for (const worker of workers) worker.kill()
  }
  const timer = globalThis.setTimeout(kill, END_MS)
  for (const worker of workers) worker.drain()
  const ends = await Promise.all(workers.map(({ ended }) => ended))
  clearTimeout(timer)
  return Math.max(...ends.map(({ code }) => code), EXIT.done)
}

/** What an operator can put right is told as it is. */
function describe(error: unknown): object {
  return error instanceof SettingsError
    ? { problems: error.problems.map(({ message }) => message) }
    : describeBug(error)
}
