/**
 * What a workload pays for its token: the time of `chancery token` without the broker's, part by part, and the memory of an agent
 * after a minute of more work than it ever has.
 */

import { spawn, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleCommand } from '../../infra/build/bundle.ts'
import { askSocket } from '../support/ask-socket.ts'
import { openCommandScene } from '../support/command-scene.ts'

const SECONDS = Number(process.argv[2] ?? 60)
const RUNS = 21
const FIGURES = { tokenMs: 150, agentMiB: 80 }
const SOURCE = fileURLToPath(new URL('../../src/launch.mjs', import.meta.url))
const LAUNCH = fileURLToPath(new URL('../../infra/build/launch.mjs', import.meta.url))

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const median = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[values.length >> 1] ?? 0

const directory = mkdtempSync(join(tmpdir(), 'chancery-bench-'))
mkdirSync(join(directory, 'bin'))
await bundleCommand(join(directory, 'bin'))
const bundle = join(directory, 'bin/chancery.js')
copyFileSync(LAUNCH, bundle)
const scene = await openCommandScene({ lifeSeconds: 10 })
const env = { PATH: process.env.PATH ?? '', ...scene.env }

/** Runs a process, and gives its time from start to end less what it waited for the broker, in milliseconds. */
async function time(args: readonly string[]): Promise<number> {
  const waitedBefore = scene.gate.waitedMs()
  const start = performance.now()
  const code = await new Promise<number | null>((resolve) => {
    spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).on('exit', resolve)
  })
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`)
  return performance.now() - start - (scene.gate.waitedMs() - waitedBefore)
}

/** In turns, so that whatever else the machine does befalls all of them alike. The fastest run is the one that it disturbed least. */
async function timesOf<Lists extends readonly (readonly string[])[]>(
  lists: readonly [...Lists],
): Promise<{ [At in keyof Lists]: { median: number; fastest: number } }> {
  const times = lists.map((): number[] => [])
  for (let run = 0; run < RUNS; run++) {
    for (const [at, args] of lists.entries()) times[at]?.push(await time(args))
  }
  const told = times.map((each) => ({ median: median(each), fastest: Math.min(...each) }))
  return told as { [At in keyof Lists]: { median: number; fastest: number } }
}

async function tellToken(): Promise<void> {
  const post = `require('http').request('${scene.gate.origin}/token', { method: 'POST' }, (answer) => answer.resume()).end()`
  const [node, request, help, token, source] = await timesOf([
    ['-e', '0'],
    ['-e', post],
    [bundle, 'token', '--help'],
    [bundle, 'token'],
    [SOURCE, 'token'],
  ])
  const parts = [
    { name: 'Node’s own start', ms: node.median },
    { name: 'the command’s words: commander, and reading our pieces of the bundle', ms: help.median - node.median },
    { name: 'the client: the proof, the exchange, the answer', ms: token.median - help.median },
  ]
  const tell = ({ median: usual, fastest }: typeof token): string =>
    `${usual.toFixed(0)} ms without the broker’s (median of ${RUNS}), ${fastest.toFixed(0)} at best`
  say(`chancery token, bundled: ${tell(token)}; at most ${FIGURES.tokenMs} wanted`)
  for (const { name, ms } of parts) say(`  ${ms.toFixed(0).padStart(4)} ms  ${name}`)
  say(`  (Node’s HTTP client and one request alone: ${(request.median - node.median).toFixed(0)} ms)`)
  const [largest] = [...parts].sort((one, other) => other.ms - one.ms)
  say(`  largest: ${largest?.name}`)
  say(`chancery token, from source: ${tell(source)}`)
}

/** Gives what the kernel says of a process's memory, in MiB. */
function memoryOf(pid: number | undefined, name: string): number {
  const [, kib] = new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1_024
}

/** An agent with two files, whose tokens live ten seconds, and ten requests a second at its socket. */
async function tellAgent(name: string, main: string): Promise<void> {
  const socket = join(directory, `${name}.sock`)
  const outputs = ['ledger', 'orders'].flatMap((each) => ['--output', `${each}=${join(directory, each)}`])
  const args = [main, 'agent', ...outputs, '--listen', `unix:${socket}`]
  const agent = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  agent.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString()
  })
  const end = Date.now() + SECONDS * 1_000
  let answered = 0
  while (Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const { status } = await askSocket(socket, '/token?audience=ledger').catch(() => ({ status: 0 }))
    if (status === 200) answered++
  }
  const [now, most] = [memoryOf(agent.pid, 'VmRSS'), memoryOf(agent.pid, 'VmHWM')]
  const shared = memoryOf(agent.pid, 'RssFile')
  const written = log.split('token written').length - 1
  agent.kill('SIGTERM')
  await new Promise((resolve) => agent.on('exit', resolve))
  say(
    `chancery agent, ${name}: ${now.toFixed(1)} MiB after ${SECONDS} s, ${most.toFixed(1)} at most (at most ${FIGURES.agentMiB} wanted); ` +
      `${shared.toFixed(1)} of it are files, Node’s own for the most part; ${written} tokens written, ${answered} given`,
  )
}

const { stdout } = spawnSync(process.execPath, ['-p', 'process.memoryUsage.rss() / 2 ** 20'])
say(`Node ${process.version}, doing nothing: ${Number(stdout).toFixed(1)} MiB`)
try {
  await tellToken()
  await tellAgent('bundled', bundle)
  await tellAgent('from source', SOURCE)
} finally {
  await scene.close()
  rmSync(directory, { recursive: true })
}
