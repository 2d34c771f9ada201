/** `chancery dev`: a broker, a stand-in for each cloud, and what is decided, in one terminal. */

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { AuditRecord } from '../../audit/record.ts'
import { readServeConfig } from '../../config.ts'
import { createLog } from '../../log.ts'
import { EXIT, type Terminal } from '../exit.ts'
import { NoDocument, startBroker } from '../serve.ts'
import { systemClock, systemElapsed, systemResolver } from '../world.ts'
import { tellLogLine } from './broker-log.ts'
import { type Cloud, closeClouds, startClouds } from './clouds.ts'
import { paintForTerminal, toDecisionLine } from './decision-line.ts'
import { type DevDirectory, openDirectory, replaceFile, writeMarkedFile } from './directory.ts'
import { toShellLines } from './environment-text.ts'
import { followLines } from './follow-lines.ts'
import { environmentOf, explainCommand, greet, type Scene } from './greeting.ts'
import { createSampleDocument } from './sample-document.ts'

/** The options as commander gives them. */
export interface DevOptions {
  readonly port: number
  readonly directory?: string
  readonly environment?: string
}

/** How often what a platform keeps in a file is renewed, in milliseconds. The kubelet does it at most once in 48 minutes. */
const RENEWAL_MS = 300_000

/** The first line of a file that we may write over. */
const MARK = '# Written by chancery dev, and written over at its next start.'

/**
 * Runs until a signal ends it, and gives 0. Listens on loopback alone. Throws {@link UsageError} where a port is taken or a file is in
 * the way, and {@link SettingsError} where the document cannot be used; nothing is left running then.
 */
export async function runDev(options: DevOptions, terminal: Terminal): Promise<number> {
  const ended = untilSignal()
  await using opened = new AsyncDisposableStack()
  const port = options.port === 0 ? await findFreePort() : options.port
  const issuer = `http://127.0.0.1:${port}`
  const clouds = await startClouds(options.port === 0 ? undefined : port + 1)
  opened.defer(() => closeClouds(clouds))
  const directory = openDirectory(options.directory, createSampleDocument(clouds, issuer))
  opened.defer(() => {
    if (directory.release()) terminal.out(`${directory.federation} is still there\n`)
  })
  const files = await keepProofFiles(clouds, directory, issuer)
  opened.defer(files.stop)
  const scene = {
    issuer,
    clouds,
    proofFiles: files.paths,
    federation: directory.federation,
    audit: join(directory.run, 'audit.jsonl'),
    environment: options.environment ?? join(directory.run, 'environment'),
  }
  writeMarkedFile(scene.environment, MARK, toShellLines(environmentOf(scene)))
  const broker = await startDevBroker(scene, directory, terminal)
  opened.defer(() => broker.stop())
  terminal.out(greet(scene))
  opened.defer(await followLines(scene.audit, (line) => tellRecord(line, scene, terminal)))
  await ended
  return EXIT.done
}

/** One that comes while everything starts ends it in order too. */
async function untilSignal(): Promise<void> {
  await new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, resolve)
  })
}

function tellRecord(line: string, scene: Scene, terminal: Terminal): void {
  const record = JSON.parse(line) as AuditRecord
  terminal.out(toDecisionLine(record, (requestId) => explainCommand(scene, requestId), paintForTerminal))
}

/** The real broker, with the settings that `chancery serve` would be given. Its own environment is not read. */
async function startDevBroker({ issuer, clouds, federation, audit }: Scene, { run }: DevDirectory, terminal: Terminal) {
  const flags = {
    issuer,
    federation,
    listen: new URL(issuer).host,
    store: `sqlite:${join(run, 'chancery.db')}`,
    audit: `file:${audit}`,
    'metrics-listen': '127.0.0.1:0',
    'secrets-dir': run,
    'insecure-host': clouds.flatMap(({ standIn }) => standIn.hosts),
  }
  const log = createLog({ write: (line) => terminal.out(tellLogLine(line, paintForTerminal)) })
  const world = { log, now: systemClock, elapsed: systemElapsed, resolve: systemResolver }
  return await startBroker(readServeConfig(flags, {}), world).catch((error: unknown) => {
    if (error instanceof NoDocument) {
      for (const { path, message, code } of error.findings) terminal.err(`${path}: ${message} [${code}]\n`)
    }
    throw error
  })
}

/** Writes what the platforms keep in files for their workloads, and keeps it fresh. */
async function keepProofFiles(clouds: readonly Cloud[], { run }: DevDirectory, proofAudience: string) {
  const renew = async (): Promise<ReadonlyMap<string, string>> => {
    const paths = new Map<string, string>()
    for (const { name, standIn } of clouds) {
      // A cloud may have to be told of the broker, as Entra of an application, before it makes proofs for it.
      await standIn.prover.ports(proofAudience)
      const token = await standIn.projectedToken?.(proofAudience)
      if (token === undefined) continue
      const path = join(run, `${name}-token`)
      replaceFile(path, `${token}\n`)
      paths.set(name, path)
    }
    return paths
  }
  const paths = await renew()
  const timer = setInterval(() => void renew().catch(() => undefined), RENEWAL_MS)
  return { paths, stop: () => clearInterval(timer) }
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
