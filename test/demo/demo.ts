/** One exchange, shown to a newcomer: a stand-in cluster, the real broker, and two verifiers that know neither. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import type { AuditRecord } from '../../src/audit/record.ts'
import { type ExchangeReply, exchangeFile } from './exchange-file.ts'
import { createStory } from './story.ts'
import { verifyWithJose, verifyWithJsonwebtoken } from './verify.ts'

const CHANCERY = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

const directory = mkdtempSync(join(tmpdir(), 'chancery-demo-'))
const story = createStory()
const cluster = await startKubernetesStandIn()
let broker: ChildProcess | undefined
try {
  process.exitCode = await tell()
} finally {
  broker?.kill('SIGTERM')
  await cluster.close()
  rmSync(directory, { recursive: true, force: true })
}

async function tell(): Promise<number> {
  const issuer = `http://127.0.0.1:${await findFreePort()}`
  story.step('A cluster, with two pods in it (a stand-in that signs as a real one does)')
  cluster.createServiceAccount('payments', 'api')
  cluster.createPod('payments', 'api-7d9', 'api')
  cluster.createServiceAccount('payments', 'batch')
  cluster.createPod('payments', 'batch-1', 'batch')
  story.say(`it publishes its keys at ${cluster.issuer}`)

  story.step('The federation document: who is who, written by the platform team')
  const federation = join(directory, 'federation.json')
  writeFileSync(federation, JSON.stringify(documentFor(cluster.issuer), null, 2))
  story.show(readFileSync(federation, 'utf8'))

  story.step('The broker, on its embedded store')
  const audit = join(directory, 'audit.jsonl')
  broker = startBroker(issuer, federation, audit)
  await waitUntilReady(issuer)
  story.say(`it is ready at ${issuer}`)

  const exchanged = await tellExchange(issuer, audit)
  const refused = await tellRefusal(issuer, federation, audit)
  story.close(`demo: ok: ${exchanged} exchanged, ${exchanged} verified twice, ${refused} refused`)
  return 0
}

async function tellExchange(issuer: string, audit: string): Promise<number> {
  story.step('The pod payments/api-7d9 reads its projected token from a file, and exchanges it')
  const reply = await exchangeFile(issuer, await project('api', 'api-7d9', issuer), 'ledger')
  if (reply.status !== 200 || reply.token === undefined) throw new Error(`no token: ${JSON.stringify(reply.body)}`)
  const record = recordOf(audit, reply)
  story.say(`it came as     ${record.subject}, vouched for by ${record.trusted_issuer}`)
  story.say(`it matched     the binding ${record.binding}`)
  story.say(`so it is       the identity ${record.identity}`)

  story.step('What it was given: these claims, signed (the token itself is never shown)')
  const claims = await verifyWithJose(reply.token, issuer, 'ledger')
  story.show(JSON.stringify(claims, null, 2))
  story.say('verified with jose, from the published keys')
  const again = await verifyWithJsonwebtoken(reply.token, issuer, 'ledger')
  if (again.jti !== claims.jti) throw new Error('the two verifiers disagree')
  story.say('verified with jsonwebtoken and jwks-rsa, which know nothing of jose')
  return 1
}

async function tellRefusal(issuer: string, federation: string, audit: string): Promise<number> {
  story.step('The pod payments/batch-1 comes too. Nobody has said who it is')
  const reply = await exchangeFile(issuer, await project('batch', 'batch-1', issuer), 'ledger')
  if (reply.status !== 400 || reply.token !== undefined) throw new Error('it was not refused')
  story.say(`it is told     ${reply.status} ${JSON.stringify(reply.body)}`)
  story.say(`and a request  id: ${reply.requestId}`)

  story.step('The platform team asks why')
  story.say(`$ chancery explain --federation federation.json --insecure-host ${cluster.host} \\`)
  story.say(`    --audit audit.jsonl --request-id ${reply.requestId}`)
  const flags = ['--federation', federation, '--insecure-host', cluster.host, '--audit', audit]
  const explained = await run(['explain', ...flags, '--request-id', reply.requestId])
  if (explained.code !== 1 || !explained.out.includes('payments-api')) throw new Error('it was not explained')
  story.show(explained.out)
  return 1
}

/** Puts a pod's token into a file, as the kubelet does, and gives its path. */
async function project(serviceAccount: string, pod: string, audience: string): Promise<string> {
  const path = join(directory, `token-of-${pod}`)
  const token = await cluster.requestToken({ namespace: 'payments', serviceAccount, pod, audiences: [audience] })
  writeFileSync(path, `${token}\n`, { mode: 0o600 })
  return path
}

function documentFor(clusterIssuer: string): object {
  return {
    version: 1,
    trust_domain: 'corp.example',
    trusted_issuers: { 'prod-cluster': { provider: 'kubernetes', issuers: [clusterIssuer] } },
    audiences: { ledger: { scopes: ['entries:read', 'entries:write'] } },
    identities: { 'payments/api': { grants: { ledger: ['entries:read'] } } },
    bindings: {
      'payments-api': {
        trusted_issuer: 'prod-cluster',
        match: { 'kubernetes.namespace': 'payments', 'kubernetes.service_account': 'api' },
        identity: 'payments/api',
      },
    },
  }
}

function startBroker(issuer: string, federation: string, audit: string): ChildProcess {
  const listen = issuer.slice('http://'.length)
  const store = `sqlite:${join(directory, 'chancery.db')}`
  const flags = {
    issuer,
    listen,
    federation,
    store,
    audit: `file:${audit}`,
    'insecure-host': cluster.host,
    'metrics-listen': '127.0.0.1:0',
  }
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
  return spawn(process.execPath, [CHANCERY, 'serve', ...args], { stdio: ['ignore', 'ignore', 'ignore'] })
}

async function waitUntilReady(issuer: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const reply = await fetch(`${issuer}/readyz`).catch(() => undefined)
    if (reply?.status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the broker did not become ready')
}

function recordOf(audit: string, reply: ExchangeReply): AuditRecord {
  const lines = readFileSync(audit, 'utf8').trim().split('\n')
  const records = lines.map((line) => JSON.parse(line) as AuditRecord)
  const record = records.find((candidate) => candidate.request_id === reply.requestId)
  if (record === undefined) throw new Error('the exchange was not recorded')
  return record
}

function run(args: readonly string[]): Promise<{ code: number | null; out: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CHANCERY, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.on('close', (code) => resolve({ code, out }))
  })
}

function findFreePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
