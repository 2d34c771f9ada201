/** A broker of several workers, as an operator runs it, and a way to speak to each of them. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'
import { type AwsStandIn, startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { makeAgedStore } from './aged-store.ts'
import { ACCOUNT, bindRole, ROLE, trustAccounts } from './aws-scene.ts'
import { formOf, type Parameters } from './broker.ts'
import { BROKER, bindingFor, documentFor } from './document.ts'
import { findFreePort, type Running, startChancery, startPiped } from './process.ts'

/** An answer, and nothing else of the connection. */
export interface WorkerReply {
  readonly status: number
  readonly json: Readonly<Record<string, unknown>>
  readonly requestId: string
}

/** One connection, which is one worker's. */
export interface Connection {
  exchange(proof: string, parameters?: Parameters): Promise<WorkerReply>
  close(): void
}

export interface WorkersScene extends Running {
  readonly cluster: KubernetesStandIn
  readonly aws: AwsStandIn
  readonly directory: string
  readonly origin: string
  /** Those that took requests when the broker became ready. */
  readonly pids: readonly number[]
  /** Tells the supervisor to stop. */
  stop(): void
  connect(): Connection
  /** Does something while only one of the workers can answer: the others stand still. One at a time. */
  alone(pid: number, act: () => Promise<unknown>): Promise<void>
  /** Opens a connection to one of the workers. One at a time. */
  connectTo(pid: number): Promise<Connection>
  /** A proof that may come again. */
  proof(): Promise<string>
  metrics(): Promise<string>
  logs(): readonly Readonly<Record<string, unknown>>[]
  /** Waits for a line of the log, and gives it. */
  logged(message: string): Promise<Readonly<Record<string, unknown>>>
  close(): Promise<void>
}

export interface WorkersOptions {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Whether standard output is a pipe of the system's. */
  readonly isPiped?: boolean
}

/** Starts one with two workers, on a store that believes proofs of today. */
export async function openWorkersScene({
  args = [],
  env,
  isPiped = false,
}: WorkersOptions = {}): Promise<WorkersScene> {
  const cluster = await startKubernetesStandIn()
  cluster.createServiceAccount('payments', 'api')
  const aws = await startAwsStandIn()
  aws.createAccount(ACCOUNT, {})
  aws.createRole(ACCOUNT, ROLE)
  const directory = mkdtempSync(join(tmpdir(), 'chancery-workers-'))
  const document = documentFor(cluster.issuer, {
    trusted_issuers: {
      cluster: { provider: 'kubernetes', issuers: [cluster.issuer] },
      'aws-prod': trustAccounts(aws),
    },
    bindings: {
      'payments-api': bindingFor('payments', 'api', 'payments/api'),
      'payments-aws': bindRole(ACCOUNT, ROLE, 'payments/api'),
    },
  })
  writeFileSync(join(directory, 'federation.json'), JSON.stringify(document))
  await makeAgedStore(join(directory, 'chancery.db'), Math.floor(Date.now() / 1_000))
  const ports = { listen: await findFreePort(), metrics: await findFreePort() }
  const line = [
    ...['serve', '--workers', '2', '--issuer', BROKER, '--listen', `127.0.0.1:${ports.listen}`],
    ...['--metrics-listen', `127.0.0.1:${ports.metrics}`, '--federation', join(directory, 'federation.json')],
    ...['--store', `sqlite:${join(directory, 'chancery.db')}`, '--audit', `file:${join(directory, 'audit.jsonl')}`],
    ...['--insecure-host', cluster.host, '--insecure-host', aws.host, ...args],
  ]
  const running = isPiped ? startPiped(line) : startChancery(line, env)
  const logs = () => parseLines(running.err())
  const logged = (message: string) =>
    vi.waitFor(() => logs().find(({ msg }) => msg === message) ?? expect.fail(`${message}: ${running.err()}`), {
      timeout: 20_000,
      interval: 10,
    })
  const { workers, pid: supervisor } = await logged('ready')
  const pids = workers as readonly number[]
  const origin = `http://127.0.0.1:${ports.listen}`
  const connect = () => openConnection(origin)
  const alone = async (pid: number, act: () => Promise<unknown>): Promise<void> => {
    const others = pids.filter((other) => other !== pid)
    for (const other of others) await pause(other)
    await act()
    for (const other of others) process.kill(other, 'SIGCONT')
  }
  return {
    ...running,
    ...{ cluster, aws, directory, origin, logs, logged, connect },
    pids,
    stop: () => void process.kill(Number(supervisor), 'SIGTERM'),
    alone,
    async connectTo(pid) {
      const connection = connect()
      await alone(pid, () => connection.exchange('anything'))
      return connection
    },
    proof: () => cluster.requestToken({ namespace: 'payments', serviceAccount: 'api', audiences: [BROKER] }),
    metrics: async () => (await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).text(),
    async close() {
      const { exitCode, signalCode } = running.child
      if (exitCode === null && signalCode === null) process.kill(Number(supervisor), 'SIGKILL')
      await running.finished
      await Promise.all([cluster.close(), aws.close()])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Stops a process where it is, and waits until it stands. */
export async function pause(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  // One that stands still would outlive its supervisor, and the test.
  onTestFinished(() => {
    try {
      process.kill(pid, 'SIGCONT')
    } catch {
      // It has ended.
    }
  })
  await vi.waitFor(() => expect(stateOf(pid)).toMatch(/^T/), { interval: 5 })
}

/** Gives the letter of what a process does, as `ps` prints it. Linux tells it without `ps`, which small images do not have. */
function stateOf(pid: number): string {
  return process.platform === 'linux'
    ? readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')
    : execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' })
}

/** Gives the records of a file. Throws where a line is not one. */
export function readRecords(file: string): readonly Readonly<Record<string, unknown>>[] {
  return parseRecords(readFileSync(file, 'utf8'))
}

/** Gives the records in a text. Throws where a line is not one, or not whole. */
export function parseRecords(text: string): readonly Readonly<Record<string, unknown>>[] {
  const lines = text.split('\n')
  expect(lines.pop()).toBe('')
  return lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}

function parseLines(text: string): readonly Readonly<Record<string, unknown>>[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}

function openConnection(origin: string): Connection {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    exchange: (proof, parameters) =>
      new Promise((resolve, reject) => {
        const headers = { 'content-type': 'application/x-www-form-urlencoded' }
        const sent = request(`${origin}/token`, { agent, method: 'POST', headers }, (response) => {
          response.setEncoding('utf8')
          let text = ''
          response.on('data', (chunk: string) => {
            text += chunk
          })
          response.on('error', reject)
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              json: JSON.parse(text) as WorkerReply['json'],
              requestId: String(response.headers['x-request-id']),
            }),
          )
        })
        sent.on('error', reject)
        sent.end(formOf(proof, parameters).toString())
      }),
    close: () => agent.destroy(),
  }
}
