import { destination } from 'pino'
import { type BrokerConfig, type Flags, readServeConfig } from '../config.ts'
import { createLog, describeBug, type Log } from '../log.ts'
import { EXIT, type Terminal } from './exit.ts'
import { tellFinding } from './finding-text.ts'
import { NoDocument, startBroker } from './serve.ts'
import { WorkerEnded } from './serve-worker-handle.ts'
import { systemClock, systemElapsed, systemResolver } from './world.ts'

const STANDARD_ERROR = 2

/** Requests are taken, by this process or by its workers. */
interface Serving {
  /** Gives the exit code. */
  readonly stop: () => Promise<number>
  /** Rejects where nothing serves any more. */
  readonly gaveUp?: Promise<never>
}

/** Runs a broker until a signal ends it. Gives 0 once everything under way has finished; where workers ended otherwise, their code. */
export async function runServe(flags: Flags, terminal: Terminal): Promise<number> {
  const config = readServeConfig(flags)
  const output = destination({ fd: STANDARD_ERROR, sync: true })
  const log = createLog(output)
  process.on('unhandledRejection', (error) => log.error(describeBug(error), 'unexpected error outside of any request'))
  try {
    const serving =
      config.workers === 1
        ? await serveAlone(config, log)
        : await serveTogether(config, flags, { log, writeLog: (line) => void output.write(line) })
    const signal = await Promise.race([nextSignal(), ...(serving.gaveUp === undefined ? [] : [serving.gaveUp])])
    log.info({ signal }, 'finishing what is under way')
    const code = await serving.stop()
    log.info('stopped')
    return code
  } catch (error) {
    if (error instanceof NoDocument) terminal.err(error.findings.map(tellFinding).join(''))
    if (!(error instanceof WorkerEnded)) throw error
    terminal.err(`chancery: ${error.message}, and none is left that serves\n`)
    return error.code
  }
}

async function serveAlone(config: BrokerConfig, log: Log): Promise<Serving> {
  const world = { log, now: systemClock, elapsed: systemElapsed, resolve: systemResolver }
  const broker = await startBroker(config, world)
  return {
    async stop() {
      await broker.stop()
      return EXIT.done
    },
  }
}

async function serveTogether(
  config: BrokerConfig,
  flags: Flags,
  ports: { readonly log: Log; readonly writeLog: (line: string) => void },
): Promise<Serving> {
  const { startWorkers } = await import('./serve-workers.ts')
  return await startWorkers(config, flags, ports)
}

async function nextSignal(): Promise<NodeJS.Signals> {
  return await new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, resolve)
  })
}
