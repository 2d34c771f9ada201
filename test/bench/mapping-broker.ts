/** A broker on documents of a size, watched from outside: how long it takes to load them, in how much memory. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { findFreePort } from '../support/process.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** How long something took, how much of a processor, and the most memory that the broker and the process that loads had, each by itself. */
export interface Cost {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly broker: number
  readonly loader: number
}

/** Runs `chancery check`, and gives what it cost. */
export async function measureCheck(file: string): Promise<Cost> {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [MAIN, 'check', file], { stdio: 'ignore' })
  const watched = watch(child)
  const code = await new Promise((resolve) => child.once('exit', resolve))
  const seconds = (performance.now() - startedAt) / 1_000
  if (code !== 0) throw new Error(`check ended with ${String(code)}`)
  return { seconds, ...watched.stop() }
}

export interface BenchBroker {
  readonly origin: string
  readonly pid: number
  /** From the command's start until the documents are in force. */
  readonly load: Cost
  /** Lays another document ready. */
  prepare(text: string): void
  /** Puts what is ready in place and waits until it is in force. The time begins with the loading process. */
  reload(): Promise<Cost>
  stop(): Promise<void>
}

/** Starts a broker on a document, compressed. */
export async function startBenchBroker(text: string, insecureHost: string): Promise<BenchBroker> {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-mapping-'))
  const file = join(directory, 'federation.json.gz')
  const origin = `http://127.0.0.1:${await findFreePort()}`
  const flags = {
    issuer: origin,
    listen: origin.slice('http://'.length),
    federation: file,
    store: `sqlite:${join(directory, 'chancery.db')}`,
    audit: `file:${join(directory, 'audit.jsonl')}`,
    'insecure-host': insecureHost,
    'metrics-listen': '127.0.0.1:0',
  }
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
  await makeKeys(args, file)
  writeFileSync(file, gzipSync(text, { level: 1 }))
  const startedAt = performance.now()
  const broker = spawn(process.execPath, [MAIN, 'serve', ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  const hear = listenFor(broker)
  const first = watch(broker)
  await hear('document in force')
  const load = { seconds: (performance.now() - startedAt) / 1_000, ...first.stop() }
  await hear('ready')
  return {
    origin,
    pid: broker.pid ?? 0,
    load,
    prepare(next) {
      writeFileSync(`${file}.new`, gzipSync(next, { level: 1 }))
    },
    async reload() {
      const watched = watch(broker)
      renameSync(`${file}.new`, file)
      await hear('document in force')
      const { since, ...peaks } = watched.stop()
      return { seconds: (performance.now() - (since ?? Number.NaN)) / 1_000, ...peaks }
    },
    async stop() {
      const ended = new Promise((resolve) => broker.once('exit', resolve))
      broker.kill('SIGTERM')
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** A store's first keys take a while, and that has nothing to do with mapping. */
async function makeKeys(args: readonly string[], file: string): Promise<void> {
  writeFileSync(file, gzipSync(JSON.stringify({ version: 1, trust_domain: 'corp.example', trusted_issuers: {} })))
  const broker = spawn(process.execPath, [MAIN, 'serve', ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  await listenFor(broker)('ready')
  const ended = new Promise((resolve) => broker.once('exit', resolve))
  broker.kill('SIGTERM')
  await ended
}

/** Hears what a broker says, time after time. Rejects where it ends. */
function listenFor(broker: ChildProcess): (message: string) => Promise<void> {
  let text = ''
  let hasEnded = false
  let wake = (): void => undefined
  broker.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    wake()
  })
  broker.once('exit', () => {
    hasEnded = true
    wake()
  })
  return async (message) => {
    const said = `"msg":"${message}"`
    while (!text.includes(said)) {
      if (hasEnded) throw new Error(`the broker has ended: ${text}`)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    text = text.slice(text.indexOf(said) + said.length)
  }
}

interface Seen {
  readonly cpuSeconds: number
  readonly broker: number
  readonly loader: number
  /** When there first was a child. */
  readonly since: number | undefined
}

/** Looks every few milliseconds at what a process and its children need. */
function watch(broker: ChildProcess): { stop(): Seen } {
  const before = cpuOf(broker.pid)
  const children = new Map<number, number>()
  const peaks = { broker: 0, loader: 0 }
  let cpu = before
  let since: number | undefined
  const look = (): void => {
    peaks.broker = Math.max(peaks.broker, peakOf(broker.pid))
    cpu = Math.max(cpu, cpuOf(broker.pid))
    for (const child of childrenOf(broker.pid)) {
      since ??= performance.now()
      peaks.loader = Math.max(peaks.loader, peakOf(child))
      children.set(child, Math.max(children.get(child) ?? 0, cpuOf(child)))
    }
  }
  const timer = setInterval(look, 5)
  return {
    stop() {
      clearInterval(timer)
      const cpuSeconds = [...children.values()].reduce((sum, each) => sum + each, cpu - before)
      return { ...peaks, cpuSeconds, since }
    },
  }
}

/** In MiB. */
function peakOf(pid: number | undefined): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readProc(`/proc/${pid}/status`))?.[1] ?? 0) / 1_024
}

/** In seconds, of user and system: a hundredth at a time. */
function cpuOf(pid: number | undefined): number {
  const fields = readProc(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100
}

function childrenOf(pid: number | undefined): readonly number[] {
  return readProc(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
}

/** A process that has ended by now has nothing to say. */
function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
