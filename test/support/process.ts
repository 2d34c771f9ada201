/** Runs the `chancery` command as a process of its own, as an operator does. */

import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

const SOURCE = new URL('../../src/', import.meta.url)
/** What runs the command: `npm run test:bun` names another runtime than this one. */
const RUNTIME = process.env.TEST_RUNTIME
const COMMAND = fileURLToPath(new URL(RUNTIME === undefined ? 'launch.mjs' : 'main.ts', SOURCE))

export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs a command to its end. The environment is this process's, less our own settings, plus `env`. */
export async function runChancery(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return await startChancery(args, env).finished
}

export interface Running {
  readonly child: ChildProcess
  readonly finished: Promise<Finished>
  /** What it has written to standard output so far. */
  readonly out: () => string
  /** What it has written to standard error so far. */
  readonly err: () => string
}

/** Starts a command and leaves it running. */
export function startChancery(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  return start([RUNTIME ?? process.execPath, COMMAND, ...args], env)
}

/** As {@link startChancery}, with a pipe of the system's at its standard output: what Node gives its children is a socket. */
export function startPiped(args: readonly string[]): Running {
  return start(['sh', '-c', '"$@" | cat', 'sh', RUNTIME ?? process.execPath, COMMAND, ...args], {})
}

function start([program = '', ...args]: readonly string[], env: Readonly<Record<string, string>>): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !/^CHANCERY_|proxy$/i.test(name))
  const child = spawn(program, args, {
    env: { ...Object.fromEntries(inherited), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => {
    texts.out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    texts.err += chunk.toString()
  })
  const finished = new Promise<Finished>((resolve) => child.on('close', (code) => resolve({ code, ...texts })))
  return { child, finished, out: () => texts.out, err: () => texts.err }
}

/** Waits until a broker answers that it is ready. Throws what it wrote where it ends before that. */
export async function waitUntilReady(origin: string, running: Running): Promise<void> {
  let ended: Finished | undefined
  void running.finished.then((finished) => {
    ended = finished
  })
  for (let attempt = 0; attempt < 200; attempt++) {
    if (ended !== undefined) throw new Error(`it ended with ${ended.code}: ${ended.err}`)
    const reply = await fetch(`${origin}/readyz`).catch(() => undefined)
    if (reply?.status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`not ready: ${running.err()}`)
}

/** Gives a port that was free a moment ago. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
