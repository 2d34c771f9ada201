/** `chancery dev`: a broker, a stand-in for each cloud, and what is decided, in one terminal. */

import { join } from 'node:path'
import { styleText } from 'node:util'
import type { AuditRecord } from '../audit/record.ts'
import { readServeConfig } from '../config.ts'
import { createLog } from '../log.ts'
import { writeAtomically } from './delivery/atomic-file.ts'
import { tellLogLine } from './dev/broker-log.ts'
import { type Cloud, closeClouds, startClouds } from './dev/clouds.ts'
import { type Screen, toDecisionLine } from './dev/decision-line.ts'
import { type DevDirectory, openDirectory, writeMarkedFile } from './dev/directory.ts'
import { toShellLines } from './dev/environment-text.ts'
import { followLines } from './dev/follow-lines.ts'
import { findFreePort } from './dev/free-port.ts'
import { environmentOf, explainCommand, greet, type Scene } from './dev/greeting.ts'
import { createSampleDocument } from './dev/sample-document.ts'
import { EXIT, type Terminal } from './exit.ts'
import { printable } from './printable.ts'
import { NoDocument, startBroker } from './serve.ts'
import { systemClock, systemElapsed, systemResolver } from './world.ts'

/** The options as commander gives them. */
export interface DevOptions {
  readonly port: number
  readonly directory?: string
  readonly environment?: string
}

/** How often what a platform keeps in a file is renewed, in milliseconds. The kubelet does it at most once in 48 minutes. */
const RENEWAL_MS = 300_000

/** It has colours where standard output is a terminal and nobody said `NO_COLOR`. */
const SCREEN: Screen = { paint: (colour, text) => styleText(colour, text, { stream: process.stdout }), printable }

/** The first line of a file that we may write over. */
const MARK = '# Written by chancery dev, and written over at its next start.'

/**
 * Runs until a signal ends it, and gives 0. Listens on loopback alone. Throws {@link SettingsError} where a port is taken, a
 * file is in the way or the document cannot be used; nothing is left running then.
 */
export async function runDev(options: DevOptions, terminal: Terminal): Promise<number> {
  const ended = untilSignal()
  await using opened = new AsyncDisposableStack()
  const port = options.port === 0 ? await findFreePort() : options.port
  const issuer = `http://127.0.0.1:${port}`
  const clouds = await startClouds(options.port === 0 ? undefined : port + 1, systemClock)
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
  await writeMarkedFile(scene.environment, MARK, toShellLines(environmentOf(scene)))
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
  terminal.out(toDecisionLine(record, (requestId) => explainCommand(scene, requestId), SCREEN))
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
  const log = createLog({ write: (line) => terminal.out(tellLogLine(line, SCREEN)) })
  const world = { log, now: systemClock, elapsed: systemElapsed, resolve: systemResolver }
  return await startBroker(readServeConfig(flags, {}), world).catch((error: unknown) => {
    if (error instanceof NoDocument) {
      for (const { path, message, code } of error.findings)
        terminal.err(`${path === '' ? federation : path}: ${message} [${code}]\n`)
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
      await writeAtomically(path, `${token}\n`)
      paths.set(name, path)
    }
    return paths
  }
  const paths = await renew()
  const timer = setInterval(() => void renew().catch(() => undefined), RENEWAL_MS)
  return { paths, stop: () => clearInterval(timer) }
}
