/**
 * What mapping costs at 100,000 bindings and beyond, all in one run: a lookup, with a scan of all bindings beside it; checking,
 * loading and reloading; and what exchanges notice of a reload.
 */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, constants, loadavg, setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { formOf } from '../support/broker.ts'
import { BROKER } from '../support/document.ts'
import { type Cost, measureCheck, startBenchBroker } from './mapping-broker.ts'
import { textOf } from './mapping-documents.ts'
import { measureLookups } from './mapping-lookup.ts'
import { quantile, startTraffic } from './mapping-traffic.ts'

const BINDINGS = Number(process.argv[2] ?? 100_000)
const SIZES = [10, 1_000, 100_000, 1_000_000]
const RELOADS = 6
const PER_SECOND = 250
const QUIET_MS = 4_000
const SHARES = [0.5, 0.9, 0.99, 1]

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const load = (): string => loadavg()[0]?.toFixed(1) ?? '?'
const row = (...cells: readonly (string | number)[]): void =>
  say(cells.map((cell, index) => (index === 0 ? String(cell).padEnd(34) : String(cell).padStart(14))).join(''))
const seconds = (value: number): string => `${value.toFixed(2)} s`
const mebibytes = (value: number): string => `${value.toFixed(0)} MiB`
const times = (value: number): string => `${value.toFixed(2)}×`

function tellLookups(): void {
  say('\none lookup, attributes to identity, in memory; a scan of all bindings beside it')
  row('bindings', 'ten proofs', 'to 10', 'any proof', 'to 10', 'naive scan', 'to a lookup')
  const costs = measureLookups(SIZES)
  const [least] = costs
  for (const { bindings, hot, anywhere, scan } of costs) {
    const micros = (value: number): string => `${(value / 1_000).toFixed(2)} µs`
    const cells = [
      micros(hot),
      times(hot / (least?.hot ?? 1)),
      micros(anywhere),
      times(anywhere / (least?.anywhere ?? 1)),
    ]
    row(bindings.toLocaleString('en'), ...cells, micros(scan), times(scan / anywhere))
  }
}

function tellCost(what: string, { seconds: taken, cpuSeconds, broker, loader }: Cost): void {
  row(what, seconds(taken), seconds(cpuSeconds), mebibytes(broker), loader === 0 ? '–' : mebibytes(loader))
}

async function tellChecks(issuer: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-mapping-'))
  const text = textOf(BINDINGS, issuer)
  say(`\n${BINDINGS.toLocaleString('en')} bindings, one identity each: ${mebibytes(text.length / 1_048_576)} of JSON`)
  row('', 'time', 'processor', 'process', 'loader')
  for (const name of ['federation.json', 'federation.json.gz']) {
    const file = join(directory, name)
    writeFileSync(file, name.endsWith('.gz') ? gzipSync(text) : text)
    tellCost(`check ${name}`, await measureCheck(file))
  }
  rmSync(directory, { recursive: true })
}

say(`${availableParallelism()} cores, load ${load()} before`)
/** What any other process costs that wants a processor: the machine's doing, and not the broker's. */
async function compute(milliseconds: number): Promise<void> {
  const loop = spawn(process.execPath, ['-e', 'for (;;) {}'], { stdio: 'ignore' })
  setPriority(loop.pid ?? 0, constants.priority.PRIORITY_BELOW_NORMAL)
  await new Promise((resolve) => setTimeout(resolve, milliseconds))
  loop.kill()
}

const cluster = await startKubernetesStandIn()
cluster.createServiceAccount('payments', 'api')
cluster.createPod('payments', 'api-1', 'api')
await tellChecks(cluster.issuer.replace('http://127.0.0.1', 'https://cluster.example').replace(/:\d+$/, ''))
const broker = await startBenchBroker(textOf(BINDINGS, cluster.issuer), cluster.host)
try {
  tellCost('serve, until it is in force', broker.load)
  const wish = { namespace: 'payments', serviceAccount: 'api', pod: 'api-1', audiences: [BROKER] }
  const body = formOf(await cluster.requestToken(wish)).toString()
  const latencies = { quiet: [] as number[], computing: [] as number[], loading: [] as number[] }
  const during = async (what: keyof typeof latencies, work: () => Promise<unknown>): Promise<void> => {
    const traffic = startTraffic(broker.origin, body, PER_SECOND)
    await work()
    latencies[what].push(...(await traffic.stop()))
  }
  const rest = () => new Promise((resolve) => setTimeout(resolve, QUIET_MS))
  await rest()
  // In turns, so that whatever else the machine does befalls both.
  for (let edition = 1; edition <= RELOADS; edition++) {
    broker.prepare(textOf(BINDINGS, cluster.issuer, edition))
    await during('quiet', rest)
    await during('computing', () => compute(QUIET_MS / 2))
    await during('loading', async () => {
      tellCost(`reload ${edition}, under ${PER_SECOND} exchanges/s`, await broker.reload())
    })
  }
  say(`\n${PER_SECOND} exchanges a second`)
  row('', 'p50', 'p90', 'p99', 'longest', 'exchanges')
  const { quiet, computing, loading } = latencies
  const named = { 'nothing else runs': quiet, 'a loop runs, lower priority': computing, 'a document loads': loading }
  for (const [what, all] of Object.entries(named)) {
    row(what, ...SHARES.map((share) => `${quantile(all, share).toFixed(2)} ms`), all.length)
  }
  const ratios = (to: readonly number[]) => SHARES.map((share) => times(quantile(loading, share) / quantile(to, share)))
  row('loading, to nothing', ...ratios(quiet))
  row('loading, to a loop', ...ratios(computing))
} finally {
  await broker.stop()
  await cluster.close()
}
tellLookups()
say(`\nload ${load()} after`)
