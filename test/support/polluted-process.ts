/**
 * A process whose every object inherits what an attacker would like it to. It starts a broker, then spoils Object.prototype, then
 * brings proofs made beforehand, and prints what became of each. Run as a child, with the spoiled members as JSON in its first
 * argument, and `enumerable` in its second where loops over members shall find them too.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { startBroker } from '../../src/cli/serve.ts'
import { systemClock, systemElapsed, systemResolver } from '../../src/cli/world.ts'
import { readServeConfig } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { BROKER, documentFor } from './document.ts'

/** What became of one request: the answer, and the reason that was recorded. */
export interface Outcome {
  readonly status: number
  readonly reason: string | null
  readonly claims: Readonly<Record<string, unknown>> | null
}

const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt'
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

type Members = Readonly<Record<string, unknown>>

function without(members: Members, ...names: readonly string[]): Members {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)))
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

const directory = mkdtempSync(join(tmpdir(), 'chancery-polluted-'))
const fileOf = (name: string): string => join(directory, name)
const cluster = await startKubernetesStandIn({ algorithm: 'ES256' })
for (const name of ['api', 'web']) cluster.createServiceAccount('payments', name)
writeFileSync(fileOf('federation.json'), JSON.stringify(documentFor(cluster.issuer)))
const flags = {
  issuer: BROKER,
  federation: fileOf('federation.json'),
  listen: '127.0.0.1:0',
  'metrics-listen': '127.0.0.1:0',
  store: `sqlite:${fileOf('store.db')}`,
  audit: `file:${fileOf('audit.jsonl')}`,
  'secrets-dir': directory,
  'insecure-host': [cluster.host],
}
const log = createLog({ write: () => undefined })
const world = { log, now: systemClock, elapsed: systemElapsed, resolve: systemResolver }
const broker = await startBroker(readServeConfig(flags, {}), world)

const claims = cluster.claimsFor({ namespace: 'payments', serviceAccount: 'api', audiences: [BROKER] })
const unmapped = cluster.claimsFor({ namespace: 'payments', serviceAccount: 'web', audiences: [BROKER] })
const header = { alg: 'ES256', kid: cluster.key.keyId }

/** Signs any header, which no library would. */
async function sign(members: Members, head: Members = header): Promise<string> {
  const input = `${encode(head)}.${encode(members)}`
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
  const signature = await crypto.subtle.sign(algorithm, cluster.key.privateKey, Buffer.from(input))
  return `${input}.${Buffer.from(signature).toString('base64url')}`
}

const good = await sign(claims)
const request = { grant_type: TOKEN_EXCHANGE, subject_token_type: JWT_TYPE, audience: 'ledger' }
const requests: Record<string, Readonly<Record<string, string>>> = {
  good: { ...request, subject_token: good },
  'no alg': { ...request, subject_token: await sign(claims, without(header, 'alg')) },
  'alg none': { ...request, subject_token: await sign(claims, { ...header, alg: 'none' }) },
  'alg none, no signature': { ...request, subject_token: `${encode({ ...header, alg: 'none' })}.${encode(claims)}.` },
  'no kid': { ...request, subject_token: await sign(claims, without(header, 'kid')) },
  'wrong signature': { ...request, subject_token: `${good.slice(0, -86)}${Buffer.alloc(64, 1).toString('base64url')}` },
  'no kubernetes.io': { ...request, subject_token: await sign(without(claims, 'kubernetes.io')) },
  'other audience': { ...request, subject_token: await sign({ ...claims, aud: ['https://somebody.else.example'] }) },
  unmapped: { ...request, subject_token: await sign(unmapped) },
  'no grant_type': { ...without(request, 'grant_type'), subject_token: good },
  'no subject_token_type': { ...without(request, 'subject_token_type'), subject_token: good },
  'no subject_token': request,
  'other target': { ...request, subject_token: good, audience: 'https://orders.example' },
  'other scope': { ...request, subject_token: good, scope: 'entries:write' },
}
for (const name of ['iss', 'aud', 'exp', 'iat', 'sub']) {
  requests[`no ${name}`] = { ...request, subject_token: await sign(without(claims, name)) }
}

async function send(parameters: Readonly<Record<string, string>>): Promise<Outcome> {
  const url = `http://127.0.0.1:${broker.address.port}/token`
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(Object.entries(parameters)) })
  const body = (await response.json()) as Record<string, string>
  const token = Object.hasOwn(body, 'access_token') ? body.access_token : undefined
  const id = response.headers.get('x-request-id')
  const lines = readFileSync(fileOf('audit.jsonl'), 'utf8').split('\n')
  const line = lines.find((text) => id !== null && text.includes(id))
  const record = line === undefined ? undefined : (JSON.parse(line) as { reason: string | null })
  const payload =
    token === undefined ? null : (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Members)
  return { status: response.status, reason: record?.reason ?? null, claims: payload }
}

const names = Object.entries(requests)
const filled = (process.argv[2] ?? '{}').replaceAll('ISSUER', cluster.issuer).replaceAll('KEY_ID', cluster.key.keyId)
const spoiled = Object.entries(JSON.parse(filled) as Members)
const enumerable = process.argv[3] === 'enumerable'
for (const [name, value] of spoiled) {
  // Without a prototype of its own, or the description itself would be spoiled.
  const descriptor = Object.assign(Object.create(null), { value, enumerable, writable: true, configurable: true })
  Object.defineProperty(Object.prototype, name, descriptor as PropertyDescriptor)
}
const outcomes: (readonly [string, Outcome])[] = []
for (const [name, parameters] of names) outcomes.push([name, await send(parameters)])
for (const [name] of spoiled) Reflect.deleteProperty(Object.prototype, name)

process.stdout.write(JSON.stringify(Object.fromEntries(outcomes)))
await broker.stop()
await cluster.close()
rmSync(directory, { recursive: true })
