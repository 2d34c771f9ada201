/** Exchanges a second on one pinned core, beside what the core's cryptography alone would allow in the same minute. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { formOf } from '../support/broker.ts'
import { documentFor } from '../support/document.ts'
import { findFreePort } from '../support/process.ts'

const SECONDS = Number(process.argv[2] ?? 10)
const WARM_UP_SECONDS = 5
const CONNECTIONS = 32
const BROKER_CORE = '0'
const LOAD_CORE = '1'

const isPinned = spawnSync('taskset', ['-c', LOAD_CORE, 'true']).status === 0
const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** Gives a command line that runs on one core, where the machine can do that. */
function on(core: string, command: string, args: readonly string[]): [string, string[]] {
  return isPinned ? ['taskset', ['-c', core, command, ...args]] : [command, [...args]]
}

function runtimeBound(): number {
  return Number(
    execFileSync(...on(BROKER_CORE, process.execPath, [fileOf('./crypto-bound.ts'), '3']), { encoding: 'utf8' }),
  )
}

/** By `openssl speed`: the time of one verification and one signature, added. Undefined where there is no openssl. */
function opensslBound(): number | undefined {
  const { status, stdout } = spawnSync(
    ...on(BROKER_CORE, 'openssl', ['speed', '-mr', '-seconds', '2', 'rsa2048', 'ecdsap256']),
    {
      encoding: 'utf8',
    },
  )
  // +F2:<n>:<bits>:<sign>:<verify> for RSA, +F4:… for ECDSA: seconds in some versions, repetitions a second in others.
  const secondsFor = (line: string, column: number): number => {
    const value = Number(stdout.match(new RegExp(`^\\+${line}:.*$`, 'm'))?.[0].split(':')[column] ?? Number.NaN)
    return value > 1 ? 1 / value : value
  }
  const bound = 1 / (secondsFor('F2', 4) + secondsFor('F4', 3))
  return status === 0 && Number.isFinite(bound) ? bound : undefined
}

async function waitUntilReady(origin: string): Promise<void> {
  while ((await fetch(`${origin}/readyz`).catch(() => undefined))?.status !== 200) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

interface Load {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly failed: number
}

/** Loads the token endpoint from another core, and gives what came back. */
function load(origin: string, bodyFile: string, seconds: number): Promise<Load> {
  const autocannon = fileOf('../../node_modules/autocannon/autocannon.js')
  const args = ['-j', '-n', '-c', `${CONNECTIONS}`, '-d', `${seconds}`, '-m', 'POST', '-i', bodyFile]
  const header = ['-H', 'content-type=application/x-www-form-urlencoded']
  const child = spawn(...on(LOAD_CORE, process.execPath, [autocannon, ...args, ...header, `${origin}/token`]))
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  return new Promise((resolve) =>
    child.on('close', () => {
      const result = JSON.parse(out) as {
        '2xx': number
        non2xx: number
        errors: number
        duration: number
        latency: { p50: number; p99: number }
      }
      const { latency } = result
      const perSecond = result['2xx'] / result.duration
      resolve({ perSecond, p50: latency.p50, p99: latency.p99, failed: result.non2xx + result.errors })
    }),
  )
}

async function startBroker(directory: string, origin: string, host: string): Promise<ChildProcess> {
  const flags = {
    issuer: origin,
    listen: origin.slice('http://'.length),
    federation: join(directory, 'federation.json'),
    store: `sqlite:${join(directory, 'chancery.db')}`,
    audit: `file:${join(directory, 'audit.jsonl')}`,
    'insecure-host': host,
    'metrics-listen': '127.0.0.1:0',
  }
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
  const broker = spawn(...on(BROKER_CORE, process.execPath, [fileOf('../../src/main.ts'), 'serve', ...args]), {
    stdio: 'ignore',
  })
  await waitUntilReady(origin)
  return broker
}

const directory = mkdtempSync(join(tmpdir(), 'chancery-bench-'))
const cluster = await startKubernetesStandIn()
cluster.createServiceAccount('payments', 'api')
cluster.createPod('payments', 'api-1', 'api')
const origin = `http://127.0.0.1:${await findFreePort()}`
writeFileSync(join(directory, 'federation.json'), JSON.stringify(documentFor(cluster.issuer)))
const wish = { namespace: 'payments', serviceAccount: 'api', pod: 'api-1', audiences: ['https://broker.example'] }
const bodyFile = join(directory, 'body')
writeFileSync(bodyFile, formOf(await cluster.requestToken(wish)).toString())
const broker = await startBroker(directory, origin, cluster.host)
try {
  say(
    `one exchange: RS256 proof in, ES256 token out, audit record synced; ${isPinned ? 'one pinned core' : 'NOT pinned: no taskset'}`,
  )
  say(`warming up for ${WARM_UP_SECONDS} s …`)
  await load(origin, bodyFile, WARM_UP_SECONDS)
  const before = runtimeBound()
  say(`measuring for ${SECONDS} s with ${CONNECTIONS} connections …`)
  const { perSecond, p50, p99, failed } = await load(origin, bodyFile, SECONDS)
  const bound = (before + runtimeBound()) / 2
  const openssl = opensslBound()
  say(`exchanges                 ${perSecond.toFixed(0)} /s   p50 ${p50} ms   p99 ${p99} ms   failed ${failed}`)
  say(`crypto bound, runtime     ${bound.toFixed(0)} /s   ratio ${(perSecond / bound).toFixed(3)}`)
  if (openssl !== undefined)
    say(`crypto bound, openssl     ${openssl.toFixed(0)} /s   ratio ${(perSecond / openssl).toFixed(3)}`)
  process.exitCode = failed === 0 ? 0 : 1
} finally {
  broker.kill('SIGTERM')
  await cluster.close()
  rmSync(directory, { recursive: true, force: true })
}
