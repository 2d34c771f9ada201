/** One worker, as its supervisor sees it. */

import type { Worker } from 'node:cluster'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { SettingsError } from '../../providers/contract/errors.ts'
import type { AuditSink } from '../audit/sink.ts'
import type { Flags } from '../config.ts'
import type { ListenAddress } from '../config-values.ts'
import type { CountingWorker, MetricsOfWorker } from '../metrics-workers.ts'
import { EXIT } from './exit.ts'
import { NoDocument } from './serve.ts'
import type { FromWorker, ToWorker } from './serve-worker-messages.ts'

/** How long a worker may take to say what it has counted, in milliseconds: what it said before must do then. */
const METRICS_MS = 2_000

/** A worker that ended where it should not have. */
export class WorkerEnded extends Error {
  readonly code: number

  constructor({ code, signal }: WorkerEnd) {
    super(`a worker ended with ${signal ?? code}`)
    this.name = 'WorkerEnded'
    this.code = code
  }
}

/** How a worker ended. Where a signal ended it the code is 1, as that of a process that fails. */
export interface WorkerEnd {
  readonly code: number
  readonly signal: string | null
}

export interface WorkerHandle extends CountingWorker {
  readonly pid: number | undefined
  /** Has it do all that comes before listening. Throws what it refused to start for, or {@link WorkerEnded}. */
  prepare(flags: Flags): Promise<void>
  /** Has it take requests. Throws as {@link prepare} does. */
  takeRequests(): Promise<ListenAddress>
  /** Has it finish what is under way, and end. */
  drain(): void
  kill(): void
  /** Resolves when it has ended, and all that it said has been heard. */
  readonly ended: Promise<WorkerEnd>
}

export interface WorkerPorts {
  /** Where its records go. Undefined where it writes them itself. */
  readonly sink: AuditSink | undefined
  /** Writes a line of its log. */
  readonly writeLog: (line: string) => void
  readonly federationPath: string
}

/** Looks after a worker from its first moment on. */
export function watchWorker(worker: Worker, { sink, writeLog, federationPath }: WorkerPorts): WorkerHandle {
  const waiting = new Map<FromWorker['kind'], (message: FromWorker) => void>()
  const ended = hearOut(worker, writeLog)
  const isGone = ended.then((end) => Promise.reject<never>(new WorkerEnded(end)))
  isGone.catch(() => undefined)
  let refusal: SettingsError | undefined

  // Whoever has died in between hears nothing any more; `ended` tells of it.
  const tell = (message: ToWorker): void =>
    void (worker.isConnected() && worker.send(message, undefined, () => undefined))
  const hear = (kind: FromWorker['kind']) =>
    new Promise<FromWorker>((resolve) => {
      waiting.set(kind, resolve)
    })
  const ask = async (question: ToWorker, kind: FromWorker['kind']): Promise<FromWorker> => {
    const answer = hear(kind)
    tell(question)
    try {
      return await Promise.race([answer, isGone])
    } catch (error) {
      throw refusal ?? error
    }
  }
  worker.process.on('message', (message: FromWorker) => {
    if (message.kind === 'append')
      void append(sink, message.text).then((failure) => tell({ kind: 'appended', failure }))
    else if (message.kind === 'refused') refusal = toError(message, federationPath)
    else waiting.get(message.kind)?.(message)
  })
  return {
    pid: worker.process.pid,
    ended,
    async prepare(flags) {
      await ask({ kind: 'prepare', flags }, 'prepared')
    },
    async takeRequests() {
      const answer = await ask({ kind: 'listen' }, 'listening')
      if (answer.kind !== 'listening') throw new Error('the worker says something else')
      return answer.address
    },
    metrics: () => inTime(ask({ kind: 'tell-metrics' }, 'metrics')),
    drain: () => tell({ kind: 'drain' }),
    kill: () => void worker.process.kill('SIGKILL'),
  }
}

/** Its last words may come after its end. */
async function hearOut(worker: Worker, writeLog: (line: string) => void): Promise<WorkerEnd> {
  const { pid, stderr } = worker.process
  worker.on('error', () => undefined)
  // The system could make no process.
  if (pid === undefined || stderr === null) return { code: EXIT.refused, signal: null }
  createInterface({ input: stderr }).on('line', (line) => writeLog(`${line}\n`))
  const [[code, signal]] = await Promise.all([
    once(worker.process, 'exit') as Promise<[number | null, string | null]>,
    once(worker.process, 'disconnect'),
    once(stderr, 'close'),
  ])
  return { code: code ?? EXIT.refused, signal }
}

/** Gives what went wrong, or undefined. */
async function append(sink: AuditSink | undefined, text: string): Promise<string | undefined> {
  try {
    if (sink === undefined) throw new Error('the supervisor writes no records')
    // The sink ends lines, and begins a new one after a torn one, by itself.
    await sink.write(text.replaceAll(/^\n|\n$/g, ''))
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown error'
  }
}

function toError({ problems, findings }: Extract<FromWorker, { kind: 'refused' }>, path: string): SettingsError {
  return findings === undefined ? new SettingsError(problems) : new NoDocument(path, findings)
}

async function inTime(answer: Promise<FromWorker>): Promise<MetricsOfWorker | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), METRICS_MS)
  })
  try {
    const message = await Promise.race([answer, late])
    return message?.kind === 'metrics' ? message.metrics : undefined
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}
