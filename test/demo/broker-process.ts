/** The real broker, as a process of its own. */

import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CHANCERY = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export interface BrokerFiles {
  readonly directory: string
  readonly federation: string
  readonly audit: string
}

/** Starts `chancery serve` and waits until it is ready. */
export async function startBroker(
  issuer: string,
  { directory, federation, audit }: BrokerFiles,
  insecureHosts: readonly string[],
): Promise<ChildProcess> {
  const flags = {
    issuer,
    listen: issuer.slice('http://'.length),
    federation,
    store: `sqlite:${join(directory, 'chancery.db')}`,
    audit: `file:${audit}`,
    'metrics-listen': '127.0.0.1:0',
  }
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
  const hosts = insecureHosts.flatMap((host) => ['--insecure-host', host])
  const broker = spawn(process.execPath, [CHANCERY, 'serve', ...args, ...hosts], { stdio: 'ignore' })
  for (let attempt = 0; attempt < 300; attempt++) {
    const reply = await fetch(`${issuer}/readyz`).catch(() => undefined)
    if (reply?.status === 200) return broker
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  broker.kill('SIGTERM')
  throw new Error('the broker did not become ready')
}

/** Runs one `chancery` command to its end. */
export function runChancery(args: readonly string[]): Promise<{ code: number | null; out: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CHANCERY, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.on('close', (code) => resolve({ code, out }))
  })
}

export function findFreePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
