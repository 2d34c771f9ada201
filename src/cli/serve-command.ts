import { destination } from 'pino'
import { type Flags, readServeConfig } from '../config.ts'
import { createLog, describeBug } from '../log.ts'
import { EXIT, type Terminal } from './exit.ts'
import { tellFinding } from './finding-text.ts'
import { NoDocument, startBroker } from './serve.ts'
import { systemClock, systemElapsed, systemResolver } from './world.ts'

const STANDARD_ERROR = 2

/** Runs a broker until a signal ends it. Gives 0 once everything under way has finished. */
export async function runServe(flags: Flags, terminal: Terminal): Promise<number> {
  const config = readServeConfig(flags)
  const log = createLog(destination({ fd: STANDARD_ERROR, sync: true }))
  process.on('unhandledRejection', (error) => log.error(describeBug(error), 'unexpected error outside of any request'))
  const world = { log, now: systemClock, elapsed: systemElapsed, resolve: systemResolver }
  const broker = await startBroker(config, world).catch((error: unknown) => {
    if (error instanceof NoDocument) terminal.err(error.findings.map(tellFinding).join(''))
    throw error
  })
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, resolve)
  })
  log.info({ signal }, 'finishing what is under way')
  await broker.stop()
  log.info('stopped')
  return EXIT.done
}
