/** `chancery serve`: the only place that listens. */

import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import { createServer as createHttpServer, type Server } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { getSystemErrorMessage } from 'node:util'
import { SettingsError } from '../../providers/contract/errors.ts'
import type { LineWriter } from '../audit/sink.ts'
import { type BrokerConfig, findProxyVariables } from '../config.ts'
import type { ListenAddress } from '../config-values.ts'
import type { Finding } from '../federation/finding.ts'
import { prepareDrain } from '../http/drain.ts'
import { createServer, type TlsFiles } from '../http/server.ts'
import { describeBug, type Log } from '../log.ts'
import { type Composed, compose } from './compose.ts'
import type { World } from './world.ts'

/** Time that requests under way get to finish after a signal to end, in milliseconds: as long as one may take. */
export const DRAIN_MS = 10_000

/** How often the certificate's files are looked at, in milliseconds. */
const TLS_POLL_MS = 2_000

/** A broker that takes requests. */
export interface RunningBroker {
  readonly address: ListenAddress
  readonly metricsAddress: ListenAddress | undefined
  /** Looks at the document now. */
  readonly reload: () => Promise<void>
  /** Takes no more connections, lets the requests under way finish, and closes everything. */
  readonly stop: () => Promise<void>
}

/** There is no document to serve, not even one that was kept. */
export class NoDocument extends SettingsError {
  readonly findings: readonly Finding[]

  constructor(path: string, findings: readonly Finding[]) {
    const message = `--federation: ${path} cannot be used, and the store keeps no older document`
    super([{ path: ['--federation'], code: 'document_refused', message }])
    this.findings = findings
  }
}

/** A broker that needs but to listen. */
export type PreparedBroker = Pick<Composed, 'app' | 'metrics' | 'source' | 'close'>

/** A listener's address, and what ends it once the requests under way have finished. */
export interface Listening {
  readonly address: ListenAddress
  readonly drain: () => Promise<void>
}

/** Starts a broker. Throws {@link SettingsError} where it cannot be started as it is configured, with nothing left open. */
export async function startBroker(config: BrokerConfig, world: World): Promise<RunningBroker> {
  warnOfStrangeness(config, world.log)
  const { app, metrics, source, close } = await prepareBroker(config, world)
  const listening: Listening[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(listening.map(({ drain }) => drain()))
    await close()
  }
  try {
    const requests = await listenForRequests(config, app, world.log)
    listening.push(requests)
    const exposed = await listenForMetrics(config.metricsListen, metrics.registry, world.log)
    if (exposed !== undefined) listening.push(exposed)
    const addresses = { address: requests.address, metricsAddress: exposed?.address }
    tellReady(config, addresses, world.log)
    return { ...addresses, reload: source.poll, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * Does all that comes before listening. Records go to `auditWriter`, where there is one. Throws {@link SettingsError} as
 * {@link startBroker} does, with nothing left open.
 */
export async function prepareBroker(
  config: BrokerConfig,
  world: World,
  auditWriter?: LineWriter,
): Promise<PreparedBroker> {
  const composed = await compose(config, world, auditWriter)
  try {
    const findings = await composed.source.start()
    if (findings !== undefined) throw new NoDocument(config.federationPath, findings)
    if (composed.believedFrom === world.now() + 1) await nextSecond()
    return composed
  } catch (error) {
    await composed.close()
    throw error
  }
}

/** Tells that requests are taken, and where. */
export function tellReady(
  { issuer }: BrokerConfig,
  { address, metricsAddress }: Pick<RunningBroker, 'address' | 'metricsAddress'>,
  log: Log,
): void {
  log.info({ issuer, listen: address, metrics: metricsAddress ?? null, pid: process.pid }, 'ready')
}

/** A store that was made this second takes no proof of this second: nobody is let in to be refused for that. */
async function nextSecond(): Promise<void> {
  await setTimeout(1_000 - (Date.now() % 1_000))
}

/** Takes requests. Throws {@link SettingsError} where the address cannot be had. */
export async function listenForRequests(config: BrokerConfig, app: Composed['app'], log: Log): Promise<Listening> {
  const server = createServer(app, config.tls === undefined ? undefined : readTls(config.tls))
  const drain = prepareDrain(server, DRAIN_MS)
  const address = await listen(server, config.listen, '--listen')
  const unfollow = config.tls === undefined ? () => undefined : followTls(server as TlsServer, config.tls, log)
  return {
    address,
    drain: () => {
      unfollow()
      return drain()
    },
  }
}

function listen(server: Server, { host, port }: ListenAddress, flag: string): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(wrongSetting(flag, `cannot listen on ${host} port ${port}: ${describeListening(error)}`)),
    )
    server.listen({ host, port }, () => {
      const bound = server.address() as AddressInfo
      resolve({ host: bound.address, port: bound.port })
    })
  })
}

/** A worker's listener fails with words of its own, for the same thing; and Bun's with a number that is no system's. */
function describeListening({ code, errno = 0, message }: NodeJS.ErrnoException): string {
  return errno < 0 ? `${code}: ${getSystemErrorMessage(errno)}` : message
}

/**
 * Answers Prometheus. Two brokers on one machine need not be told apart for this: whoever asked for no address gets by without one,
 * and whoever asked for one that cannot be had gets a {@link SettingsError}.
 */
export async function listenForMetrics(
  address: BrokerConfig['metricsListen'],
  source: MetricsSource,
  log: Log,
): Promise<Listening | undefined> {
  const server = createMetricsServer(source)
  const drain = prepareDrain(server, DRAIN_MS)
  try {
    return { address: await listen(server, address, '--metrics-listen'), drain }
  } catch (error) {
    if (!address.isDefault) throw error
    log.warn(
      { listen: address.port },
      'metrics are not served: the default port is taken; choose one with --metrics-listen',
    )
    return undefined
  }
}

/** What Prometheus is answered with. */
export interface MetricsSource {
  readonly contentType: string
  metrics(): Promise<string>
}

function createMetricsServer(source: MetricsSource): Server {
  return createHttpServer((request, response) => {
    if (request.url?.split('?', 1)[0] !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    source.metrics().then(
      (text) =>
        response
          .writeHead(200, {
            'content-type': source.contentType,
            'cache-control': 'no-store',
            'x-content-type-options': 'nosniff',
          })
          .end(text),
      () => response.writeHead(500).end(),
    )
  })
}

function readTls({ certFile, keyFile }: NonNullable<BrokerConfig['tls']>): TlsFiles {
  return { cert: readFileSync(certFile), key: readFileSync(keyFile) }
}

/** New connections get a renewed certificate; a pair that does not fit together is reported, and the old one stays. */
function followTls(server: TlsServer, files: NonNullable<BrokerConfig['tls']>, log: Log): () => void {
  const renew = (): void => {
    try {
      server.setSecureContext(readTls(files))
      log.info('certificate renewed')
    } catch (error) {
      log.error(describeBug(error), 'the renewed certificate cannot be used; the old one stays')
    }
  }
  for (const file of [files.certFile, files.keyFile])
    watchFile(file, { interval: TLS_POLL_MS, persistent: false }, renew)
  return () => {
    for (const file of [files.certFile, files.keyFile]) unwatchFile(file, renew)
  }
}

/** Warns of what may be meant as it is, and is seldom. */
export function warnOfStrangeness(config: BrokerConfig, log: Log): void {
  const proxies = findProxyVariables()
  if (proxies.length > 0) log.warn({ variables: proxies }, 'proxies of the environment are ignored: use --egress-proxy')
  if (config.insecureHosts.size > 0) {
    log.warn(
      { hosts: [...config.insecureHosts] },
      'INSECURE: these hosts may be plain http or private; for development and tests only',
    )
  }
  if (config.keyEncryptionKeys.length === 0) {
    log.warn('signing keys are kept unencrypted: set CHANCERY_KEY_ENCRYPTION_KEY anywhere but on a developer’s machine')
  }
}

function wrongSetting(name: string, message: string): SettingsError {
  return new SettingsError([{ path: [name], code: 'setting_wrong', message: `${name}: ${message}` }])
}
