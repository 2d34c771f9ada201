/**
 * What an exchange of a signed AWS request costs beyond what STS itself takes: the same calls are made to the stand-in directly and
 * through the broker, in the same run, and the difference is the broker's own time. Arguments: seconds of each load, and a store.
 */

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startAwsStandIn } from '../../providers/aws/stand-in/stand-in.ts'
import { formOf } from '../support/broker.ts'
import { documentFor } from '../support/document.ts'
import { findFreePort } from '../support/process.ts'

const SECONDS = Number(process.argv[2] ?? 5)
const CONCURRENCIES = [50, 100, 200, 300]
const FIGURE = 200
const ACCOUNT = '123456789012'
const AWS4_REQUEST = 'urn:ietf:params:aws:token-type:aws4_request'

const isPinned = spawnSync('taskset', ['-c', '0', 'true']).status === 0
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const now = (): number => Math.floor(Date.now() / 1_000)

const aws = await startAwsStandIn({ now })
aws.createAccount(ACCOUNT)
const role = aws.createRole(ACCOUNT, 'payments-api')

interface Post {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A request that no other is like: single use forbids the same one twice. */
function signNext(index: number, audience: string) {
  const session = aws.assumeRole(role, `task-${index}`)
  return aws.signedRequest(session, { audience, date: now() })
}

function toSts({ url, headers, body = '' }: ReturnType<typeof signNext>): Post {
  const own = Object.fromEntries(headers.map(({ key, value }) => [key, value]))
  return { url: `${aws.origin}${new URL(url).pathname}`, headers: { ...own, accept: 'application/json' }, body }
}

function toBroker(origin: string, signed: ReturnType<typeof signNext>): Post {
  const proof = encodeURIComponent(JSON.stringify(signed))
  const body = formOf(proof, { subject_token_type: AWS4_REQUEST }).toString()
  return { url: `${origin}/token`, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body }
}

/** Sends, and gives the status. */
function send({ url, headers, body }: Post, agent: Agent): Promise<number> {
  return new Promise((resolve) => {
    const sent = request(
      url,
      { method: 'POST', agent, headers: { ...headers, 'content-length': Buffer.byteLength(body) } },
      (response) => response.on('end', () => resolve(response.statusCode ?? 0)).resume(),
    )
    sent.on('error', () => resolve(0))
    sent.end(body)
  })
}

interface Load {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly failed: number
}

/** Keeps so many requests under way until time or requests are used up. */
async function load(posts: readonly Post[], concurrency: number, seconds: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const waiting = posts.values()
  const times: number[] = []
  let failed = 0
  const began = performance.now()
  const worker = async (): Promise<void> => {
    for (const post of waiting) {
      if (performance.now() - began > seconds * 1_000) return
      const started = performance.now()
      if ((await send(post, agent)) !== 200) failed++
      times.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  const elapsed = (performance.now() - began) / 1_000
  agent.destroy()
  const sorted = times.toSorted((one, other) => one - other)
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0
  return { perSecond: (times.length - failed) / elapsed, p50: at(0.5), p99: at(0.99), failed }
}

function tell(name: string, concurrency: number, { perSecond, p50, p99, failed }: Load): void {
  const figures = `${perSecond.toFixed(0)} /s   p50 ${p50.toFixed(1)} ms   p99 ${p99.toFixed(1)} ms   failed ${failed}`
  say(`${name.padEnd(18)} ${String(concurrency).padStart(4)} at a time   ${figures}`)
}

const directory = mkdtempSync(join(tmpdir(), 'chancery-bench-'))
const origin = `http://127.0.0.1:${await findFreePort()}`
const trusted = { provider: 'aws', sts_endpoint: aws.origin, accounts: { [ACCOUNT]: {} }, proof_audiences: [origin] }
const match = { 'aws.account_id': ACCOUNT, 'aws.role_name': 'payments-api' }
const document = documentFor(aws.origin, {
  trusted_issuers: { aws: trusted },
  bindings: { 'payments-api': { trusted_issuer: 'aws', match, identity: 'payments/api' } },
})
writeFileSync(join(directory, 'federation.json'), JSON.stringify(document))
const flags = {
  issuer: origin,
  listen: origin.slice('http://'.length),
  federation: join(directory, 'federation.json'),
  store: process.argv[3] ?? `sqlite:${join(directory, 'chancery.db')}`,
  audit: `file:${join(directory, 'audit.jsonl')}`,
  'insecure-host': aws.host,
  'metrics-listen': '127.0.0.1:0',
}
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const args = [main, 'serve', ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])]
const [command, ...more] = isPinned ? ['taskset', '-c', '0', process.execPath] : [process.execPath]
const broker = spawn(command, [...more, ...args], { stdio: 'ignore' })
try {
  while ((await fetch(`${origin}/readyz`).catch(() => undefined))?.status !== 200) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  say(`signed AWS requests, each used once; broker ${isPinned ? 'on one pinned core' : 'NOT pinned: no taskset'}`)
  let index = 0
  const make = (count: number) => Array.from({ length: count }, () => signNext(index++, origin))
  const perLoad = 1_500 * SECONDS
  await load(
    make(1_000).map((signed) => toBroker(origin, signed)),
    FIGURE,
    SECONDS,
  )
  let failures = 0
  let sustained = 0
  for (const concurrency of CONCURRENCIES) {
    const direct = await load(make(perLoad).map(toSts), concurrency, SECONDS)
    const through = await load(
      make(perLoad).map((signed) => toBroker(origin, signed)),
      concurrency,
      SECONDS,
    )
    tell('stand-in alone', concurrency, direct)
    tell('through the broker', concurrency, through)
    failures += direct.failed + through.failed
    if (through.failed === 0) sustained = concurrency
    if (concurrency !== FIGURE) continue
    const own = { p50: through.p50 - direct.p50, p99: through.p99 - direct.p99 }
    say(`own time           ${FIGURE} at a time   p50 ${own.p50.toFixed(1)} ms   p99 ${own.p99.toFixed(1)} ms`)
    say(
      `ratio to the stand-in alone        p50 ${(through.p50 / direct.p50).toFixed(2)}   p99 ${(through.p99 / direct.p99).toFixed(2)}`,
    )
  }
  say(`highest sustained without a failure: ${sustained} at a time`)
  process.exitCode = failures === 0 ? 0 : 1
} finally {
  broker.kill('SIGTERM')
  await aws.close()
  rmSync(directory, { recursive: true, force: true })
}
