/**
 * One of several processes that share a broker's listener. `serve-workers.ts` starts it and tells it what to do; it ends with it.
 * Its outputs are the supervisor's: records go there by message, and the log by a pipe.
 */

import { destination } from 'pino'
import { SettingsError } from '../../providers/contract/errors.ts'
import type { LineWriter } from '../audit/sink.ts'
import { type BrokerConfig, type Flags, readServeConfig } from '../config.ts'
import { createLog, describeBug } from '../log.ts'
import { EXIT } from './exit.ts'
import { type Listening, listenForRequests, NoDocument, type PreparedBroker, prepareBroker } from './serve.ts'
import type { FromWorker, ToWorker } from './serve-worker-messages.ts'
import { systemClock, systemElapsed, systemResolver } from './world.ts'

const STANDARD_ERROR = 2

const log = createLog(destination({ fd: STANDARD_ERROR, sync: true })).child({ pid: process.pid })

let prepared: { readonly config: BrokerConfig; readonly broker: PreparedBroker } | undefined
let listening: Listening | undefined
let onAppended: ((failure: string | undefined) => void) | undefined

/** Resolves when it has been handed over. */
function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, undefined, {}, (error) => (error === null ? resolve() : reject(error)))
  })
}

/** One supervisor writes for all, so that no two records are ever in each other's lines. */
const supervisorWriter: LineWriter = {
  async append(text) {
    const appended = new Promise<string | undefined>((resolve) => {
      onAppended = resolve
    })
    await tell({ kind: 'append', text })
    const failure = await appended
    if (failure !== undefined) throw new Error(failure)
  },
  close: async () => undefined,
}

async function prepare(flags: Flags): Promise<void> {
  const config = readServeConfig(flags)
  const world = { log, now: systemClock, elapsed: systemElapsed, resolve: systemResolver }
  const writer = config.audit.kind === 'postgres' ? undefined : supervisorWriter
  prepared = { config, broker: await prepareBroker(config, world, writer) }
  await tell({ kind: 'prepared' })
}

async function listen(): Promise<void> {
  if (prepared === undefined) throw new Error('there is nothing to listen for yet')
  listening = await listenForRequests(prepared.config, prepared.broker.app, log)
  await tell({ kind: 'listening', address: listening.address })
}

async function tellMetrics(): Promise<void> {
  const metrics = await prepared?.broker.metrics.registry.getMetricsAsJSON()
  if (metrics !== undefined) await tell({ kind: 'metrics', metrics })
}

async function drain(): Promise<void> {
  await listening?.drain()
  await prepared?.broker.close()
  process.exit(EXIT.done)
}

/** What the operator can put right is told by the supervisor, once. */
async function refuse(error: unknown): Promise<void> {
  if (!(error instanceof SettingsError)) throw error
  const { problems } = error
  await tell({ kind: 'refused', problems, findings: error instanceof NoDocument ? error.findings : undefined })
  process.exit(EXIT.wrong)
}

function act(message: ToWorker): Promise<void> | undefined {
  switch (message.kind) {
    case 'prepare':
      return prepare(message.flags).catch(refuse)
    case 'listen':
      return listen().catch(refuse)
    case 'tell-metrics':
      return tellMetrics()
    case 'appended':
      onAppended?.(message.failure)
      return undefined
    case 'drain':
      return drain()
  }
}

/** Until requests are taken an error outside of any is one that it cannot start for; afterwards it is one to be told of. */
process.on('unhandledRejection', (error) => {
  if (listening === undefined) throw error
  log.error(describeBug(error), 'unexpected error outside of any request')
})
// A terminal or a service manager signals all of a group: the supervisor then says when to end.
for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => undefined)
process.on('message', (message) => void act(message as ToWorker))
