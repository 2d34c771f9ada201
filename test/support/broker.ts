/** A real broker on a real socket, with a clock of the test's, and everything that it writes caught. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ResolvedAddress } from '../../providers/contract/provider.ts'
import type { AuditRecord } from '../../src/audit/record.ts'
import { startBroker } from '../../src/cli/serve.ts'
import { systemResolver } from '../../src/cli/world.ts'
import { type Flags, readServeConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { makeAgedStore } from './aged-store.ts'
import type { TestClock } from './clock.ts'
import { BROKER } from './document.ts'
import { createLeakWatch } from './leaks.ts'

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt'
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'

/** An answer, read whole. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Readonly<Record<string, unknown>>
  readonly requestId: string
}

/** Parameters of an exchange; a list repeats one, undefined leaves it out. */
export type Parameters = Readonly<Record<string, string | readonly string[] | undefined>>

export interface TestBrokerOptions {
  readonly clock: TestClock
  readonly document: object
  /** `host:port` of stand-ins that it may talk to. */
  readonly insecureHosts?: readonly string[]
  readonly flags?: Flags
  readonly env?: Readonly<Record<string, string>>
  readonly resolve?: (hostname: string) => Promise<readonly ResolvedAddress[]>
  /** Files below `--secrets-dir`, by name. */
  readonly secrets?: Readonly<Record<string, string>>
}

export interface TestBroker {
  readonly issuer: string
  /** Where it listens: `http://127.0.0.1:PORT`. */
  readonly origin: string
  readonly directory: string
  /** Sends a proof as a workload would, for the audience `ledger` unless told otherwise. */
  exchange(subjectToken: string, parameters?: Parameters): Promise<Reply>
  send(path: string, init?: RequestInit): Promise<Reply>
  /** Every audit record so far. */
  records(): readonly AuditRecord[]
  logs(): readonly Readonly<Record<string, unknown>>[]
  metrics(): Promise<string>
  /** Puts another document in place and looks at it at once. */
  replaceDocument(document: object | string): Promise<void>
  /** Looks at what lies at `--federation` at once. */
  reload(): Promise<void>
  /** Says that something secret was handed to the broker, or came from it. */
  watch(secret: string): void
  /** Stops it, and fails where anything secret is found in what it has written. */
  stop(): Promise<void>
}

/** Starts a broker with its own directory, audit file and a store that has been there for a while. Its issuer is {@link BROKER}, wherever it listens. */
export async function startTestBroker(options: TestBrokerOptions): Promise<TestBroker> {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-test-'))
  const federation = join(directory, 'federation.json')
  const auditFile = join(directory, 'audit.jsonl')
  writeFileSync(federation, JSON.stringify(options.document))
  writeFileSync(auditFile, '')
  for (const [name, text] of Object.entries(options.secrets ?? {})) writeFileSync(join(directory, name), text)
  const storeFile = join(directory, 'store.db')
  await makeAgedStore(storeFile, options.clock.now())
  const written: string[] = []
  const flags = {
    issuer: BROKER,
    federation,
    listen: '127.0.0.1:0',
    'metrics-listen': '127.0.0.1:0',
    store: `sqlite:${storeFile}`,
    audit: `file:${auditFile}`,
    'secrets-dir': directory,
    'insecure-host': options.insecureHosts ?? [],
    ...options.flags,
  }
  const world = {
    log: createLog({ write: (line) => void written.push(line) }),
    now: options.clock.now,
    elapsed: options.clock.now,
    resolve: options.resolve ?? systemResolver,
  }
  const running = await startBroker(readServeConfig(flags, options.env ?? {}), world).catch((error: unknown) => {
    rmSync(directory, { recursive: true, force: true })
    throw error
  })
  const origin = `${flags['tls-cert' as keyof typeof flags] === undefined ? 'http' : 'https'}://127.0.0.1:${running.address.port}`
  const leaks = createLeakWatch()
  const send = async (path: string, init: RequestInit = {}): Promise<Reply> => {
    const response = await fetch(origin + path, { redirect: 'manual', ...init })
    const text = await response.text()
    const json = parseObject(text)
    leaks.watch(json.access_token)
    return {
      status: response.status,
      headers: response.headers,
      text,
      json,
      requestId: response.headers.get('x-request-id') ?? '',
    }
  }
  const readMetrics = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${running.metricsAddress?.port}/metrics`)).text()
  return {
    issuer: BROKER,
    origin,
    directory,
    send,
    metrics: readMetrics,
    watch: leaks.watch,
    exchange(subjectToken, parameters = {}) {
      leaks.watch(subjectToken)
      return send('/token', { method: 'POST', body: formOf(subjectToken, parameters) })
    },
    records: () => linesOf(readFileSync(auditFile, 'utf8')) as unknown as readonly AuditRecord[],
    logs: () => linesOf(written.join('')),
    async replaceDocument(document) {
      writeFileSync(federation, typeof document === 'string' ? document : JSON.stringify(document))
      await running.reload()
    },
    reload: running.reload,
    async stop() {
      const metrics = await readMetrics()
      await running.stop()
      leaks.check({ log: written.join(''), audit: readFileSync(auditFile, 'utf8'), metrics })
      rmSync(directory, { recursive: true })
    },
  }
}

/** Gives the form of an exchange, as a client sends it. */
export function formOf(subjectToken: string, parameters: Parameters = {}): URLSearchParams {
  const all: Parameters = {
    grant_type: TOKEN_EXCHANGE,
    subject_token: subjectToken,
    subject_token_type: JWT_TYPE,
    audience: 'ledger',
    ...parameters,
  }
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(all)) {
    for (const text of value === undefined ? [] : [value].flat()) form.append(name, text)
  }
  return form
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    return {}
  }
}

/** Gives every whole line. One that is being written has no end yet. */
function linesOf(text: string): readonly Readonly<Record<string, unknown>>[] {
  return text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
}
