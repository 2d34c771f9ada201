/** One identity from every cloud, shown to a newcomer: stand-ins, the real broker, and two verifiers that know neither. */

import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuditRecord } from '../../src/audit/record.ts'
import { findFreePort, runChancery, startBroker } from './broker-process.ts'
import { type ExchangeReply, exchange } from './exchange.ts'
import { createStory } from './story.ts'
import { verifyWithJose, verifyWithJsonwebtoken } from './verify.ts'
import { type DemoWorkload, startStranger, startWorkloads } from './workloads.ts'

const directory = mkdtempSync(join(tmpdir(), 'chancery-demo-'))
const federation = join(directory, 'federation.json')
const audit = join(directory, 'audit.jsonl')
const issuer = `http://127.0.0.1:${await findFreePort()}`
const story = createStory()
const workloads = await startWorkloads()
const stranger = await startStranger()
const hosts = [...workloads, stranger].flatMap((workload) => workload.hosts)
let broker: ChildProcess | undefined
try {
  await tell()
} finally {
  broker?.kill('SIGTERM')
  await Promise.all([...workloads, stranger].map((workload) => workload.close()))
  rmSync(directory, { recursive: true, force: true })
}

async function tell(): Promise<void> {
  story.step('The clouds, each with one workload (stand-ins that the official SDKs take for the real ones)')
  for (const { title } of workloads) story.say(title)

  story.step('The federation document: who is who, written by the platform team. All of them are payments/api')
  writeFileSync(federation, JSON.stringify(documentFor(), null, 2))
  story.show(readFileSync(federation, 'utf8'))

  story.step('The broker, on its embedded store')
  broker = await startBroker(issuer, { directory, federation, audit }, hosts)
  story.say(`it is ready at ${issuer}`)

  const tokens: string[] = []
  for (const workload of workloads) tokens.push(await tellExchange(workload))
  const verified = await tellVerification(tokens)
  await tellRefusal()
  const clouds = new Set(workloads.map(({ cloud }) => cloud)).size
  story.close(`demo: ok: ${clouds} clouds, ${tokens.length} exchanged, ${verified} verified twice, 1 refused`)
}

async function tellExchange(workload: DemoWorkload): Promise<string> {
  story.step(workload.title)
  const reply = await prove(workload)
  if (reply.status !== 200 || reply.token === undefined) throw new Error(`no token: ${JSON.stringify(reply.body)}`)
  const record = recordOf(reply)
  story.say(`it came as     ${record.subject}`)
  story.say(`vouched for by ${record.trusted_issuer}`)
  story.say(`it matched     the binding ${record.binding}`)
  story.say(`so it is       the identity ${record.identity}`)
  return reply.token
}

async function tellVerification(tokens: readonly string[]): Promise<number> {
  story.step('What each was given: such claims, signed (the tokens themselves are never shown)')
  const [first = ''] = tokens
  story.show(JSON.stringify(await verifyWithJose(first, issuer, 'ledger'), null, 2))
  for (const token of tokens) {
    const claims = await verifyWithJose(token, issuer, 'ledger')
    const again = await verifyWithJsonwebtoken(token, issuer, 'ledger')
    if (again.jti !== claims.jti) throw new Error('the two verifiers disagree')
  }
  story.say('each verified with jose, from the published keys')
  story.say('and with jsonwebtoken and jwks-rsa, which know nothing of jose')
  return tokens.length
}

async function tellRefusal(): Promise<void> {
  story.step(`${stranger.title} comes too. Nobody has said who it is`)
  const reply = await prove(stranger)
  if (reply.status !== 400 || reply.token !== undefined) throw new Error('it was not refused')
  story.say(`it is told     ${reply.status} ${JSON.stringify(reply.body)}`)
  story.say(`and a request  id: ${reply.requestId}`)

  story.step('The platform team asks why')
  story.say(`$ chancery explain --federation federation.json --audit audit.jsonl --request-id ${reply.requestId}`)
  const insecure = hosts.flatMap((host) => ['--insecure-host', host])
  const flags = ['--federation', federation, ...insecure, '--audit', audit]
  const explained = await runChancery(['explain', ...flags, '--request-id', reply.requestId])
  if (explained.code !== 1 || !explained.out.includes('must be api')) throw new Error('it was not explained')
  story.show(explained.out)
}

async function prove(workload: DemoWorkload): Promise<ExchangeReply> {
  const { subjectToken, subjectTokenType = workload.subjectTokenType } = await workload.prove(issuer)
  return await exchange(issuer, subjectToken, subjectTokenType, 'ledger')
}

function documentFor(): object {
  const known = [
    ...workloads.map((workload) => [`our-${workload.cloud}`, workload] as const),
    ['other-cluster', stranger] as const,
  ]
  return {
    version: 1,
    trust_domain: 'corp.example',
    trusted_issuers: Object.fromEntries(
      known.map(([name, { trustedIssuer }]) => [name, { ...trustedIssuer, proof_audiences: [issuer] }]),
    ),
    audiences: { ledger: { scopes: ['entries:read', 'entries:write'] } },
    identities: { 'payments/api': { grants: { ledger: ['entries:read'] } } },
    bindings: Object.fromEntries(
      known.map(([name, { match }]) => [
        `payments-api-${name}`,
        { trusted_issuer: name, match, identity: 'payments/api' },
      ]),
    ),
  }
}

function recordOf(reply: ExchangeReply): AuditRecord {
  const lines = readFileSync(audit, 'utf8').trim().split('\n')
  const records = lines.map((line) => JSON.parse(line) as AuditRecord)
  const record = records.find((candidate) => candidate.request_id === reply.requestId)
  if (record === undefined) throw new Error('the exchange was not recorded')
  return record
}
