/** Attacks through a team's document: nothing beyond its delegation takes effect, and nobody else is harmed. */

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { check } from '../../src/cli/check.ts'
import type { Finding } from '../../src/federation/finding.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { bindingFor } from '../support/document.ts'
import { forgeAttributes } from '../support/forge-attributes.ts'
import { openScene, type Scene } from '../support/scene.ts'
import {
  ACCOUNT,
  delegationOf,
  type Files,
  NAMESPACE,
  platformFor,
  teamFor,
  textOf,
} from '../support/team-documents.ts'

const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/2F331C82755EF3E43731C8D6E299FAEF'

function makeDirectory(files: Files): string {
  const directory = mkdtempSync(join(tmpdir(), 'chancery-teams-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  for (const [name, document] of Object.entries(files)) writeFileSync(join(directory, name), textOf(document))
  return directory
}

/** Documents of the platform and of two teams, and a broker that is served from them. */
async function openTeams(flags: Readonly<Record<string, string>> = {}) {
  const directory = makeDirectory({ 'payments.json': teamFor('payments'), 'orders.json': teamFor('orders') })
  const document = ({ issuer }: { issuer: string }) => {
    writeFileSync(join(directory, 'platform.json'), textOf(platformFor(issuer)))
    return {}
  }
  const scene = await openScene({ document, broker: { flags: { federation: directory, ...flags } } })
  const put = async (name: string, text: object | string | undefined): Promise<void> => {
    const file = join(directory, name)
    if (text === undefined) rmSync(file)
    else {
      writeFileSync(`${file}.new`, textOf(text))
      renameSync(`${file}.new`, file)
    }
    await scene.broker.reload()
  }
  return { scene, directory, put, issuer: scene.cluster.issuer }
}

async function exchangeAs({ broker, ...scene }: Scene, namespace: string, account: string, audience = 'ledger') {
  const proof = await forgeAttributes({ broker, ...scene }, { [NAMESPACE]: namespace, [ACCOUNT]: account })
  return broker.exchange(proof, { audience })
}

async function expectServed(scene: Scene, namespace: string, account = 'api'): Promise<void> {
  expectIssued(scene.broker, await exchangeAs(scene, namespace, account))
}

async function expectUnserved(scene: Scene, namespace: string, account = 'api'): Promise<void> {
  expectProofRefused(scene.broker, await exchangeAs(scene, namespace, account), 'binding_missing')
}

const API = { grants: { ledger: ['entries:read'] } }

/** What a team could write to get more than it was given, with what is told of it. The victim is `tools/scanner` or the team `orders`. */
const ATTACKS: readonly (readonly [
  string,
  { readonly delegation?: string; readonly [member: string]: unknown },
  string,
])[] = [
  [
    'an identity of the platform’s',
    { identities: { 'tools/scanner': API }, bindings: {} },
    '/identities/tools~1scanner identity_outside_delegation',
  ],
  [
    'an identity of another team’s',
    { identities: { 'orders/api': API }, bindings: {} },
    '/identities/orders~1api identity_outside_delegation',
  ],
  [
    'an identity that begins alike',
    { identities: { 'payments-evil/api': API }, bindings: {} },
    '/identities/payments-evil~1api identity_outside_delegation',
  ],
  [
    'a binding to another document’s identity',
    { bindings: { b: bindingFor('payments', 'api', 'tools/scanner') } },
    '/bindings/b/identity identity_unknown',
  ],
  [
    'a binding of another namespace',
    { bindings: { b: bindingFor('orders', 'evil', 'payments/api') } },
    `/bindings/b/match/${NAMESPACE} match_outside_delegation`,
  ],
  [
    'a binding of its own namespace and others',
    { bindings: { b: bindingFor(['payments', 'orders'], 'evil', 'payments/api') } },
    `/bindings/b/match/${NAMESPACE} match_outside_delegation`,
  ],
  [
    'a binding of names that begin alike',
    { bindings: { b: bindingFor('payments-*', 'evil', 'payments/api') } },
    `/bindings/b/match/${NAMESPACE} match_outside_delegation`,
  ],
  [
    'a binding of the platform’s workload',
    { bindings: { b: bindingFor('payments', 'agent', 'payments/api') } },
    '/bindings/b documents_overlap',
  ],
  [
    'a narrower binding of the platform’s workload',
    { bindings: { b: bindingFor('payments', 'agent', 'payments/api', { 'kubernetes.pod_name': 'p' }) } },
    '/bindings/b documents_overlap',
  ],
  [
    'a trusted issuer that it was not given',
    { bindings: { b: { ...bindingFor('payments', 'evil', 'payments/api'), trusted_issuer: 'other' } } },
    '/bindings/b/trusted_issuer trusted_issuer_outside_delegation',
  ],
  [
    'a trusted issuer of its own',
    { trusted_issuers: { mine: { provider: 'kubernetes', issuers: ['https://mine.example'] } } },
    '/trusted_issuers member_unknown',
  ],
  ['an audience of its own', { audiences: { mine: {} } }, '/audiences member_unknown'],
  [
    'an audience that it was not given',
    { identities: { 'payments/api': { grants: { 'https://orders.example': [] } } } },
    '/identities/payments~1api/grants/https:~1~1orders.example audience_outside_delegation',
  ],
  [
    'a scope that it was not given',
    { identities: { 'payments/api': { grants: { ledger: ['entries:write'] } } } },
    '/identities/payments~1api/grants/ledger/0 scope_outside_delegation',
  ],
  [
    'a claim that it was not given',
    { identities: { 'payments/api': { ...API, claims: { admin: true } } } },
    '/identities/payments~1api/claims/admin claim_outside_delegation',
  ],
  ['more delegations', { delegations: { payments: delegationOf('tools') } }, '/delegations member_unknown'],
  ['another team’s delegation', { delegation: 'orders' }, '/delegation delegation_repeated'],
  ['a delegation that nobody gave', { delegation: 'platform' }, '/delegation delegation_unknown'],
]

/** The platform's document of the attacks: it has a workload in the delegated namespace, and a second trusted issuer. */
function victimFor(issuer: string): object {
  return platformFor(issuer, {
    trusted_issuers: {
      cluster: { provider: 'kubernetes', issuers: [issuer] },
      other: { provider: 'kubernetes', issuers: ['https://other.example'] },
    },
    bindings: {
      scanner: bindingFor('tools', 'scanner', 'tools/scanner'),
      agent: bindingFor('payments', 'agent', 'tools/scanner'),
    },
  })
}

async function checkDirectory(directory: string): Promise<{ code: number; findings: readonly Finding[] }> {
  const written: string[] = []
  const terminal = { out: (text: string) => void written.push(text), err: () => undefined }
  const code = await check(directory, { insecureHost: [], json: true }, terminal)
  return { code, findings: JSON.parse(written.join('')) as readonly Finding[] }
}

describe('a team that takes more than it was given', () => {
  test.each(ATTACKS)('MAP-11 is refused, with file and path: %s', async (_what, parts, expected) => {
    const directory = makeDirectory({
      'platform.json': victimFor(ISSUER),
      'orders.json': teamFor('orders'),
      'payments.json': teamFor('payments', parts),
    })

    const { code, findings } = await checkDirectory(directory)

    expect(code).toBe(1)
    const told = findings.filter(({ file }) => file === join(directory, 'payments.json'))
    expect(told.map(({ severity, path, code: what }) => `${severity} ${path} ${what}`)).toContain(`error ${expected}`)
    expect(findings.filter(({ file }) => file === join(directory, 'platform.json'))).toEqual([])
  })

  test('MAP-11 gets none of it, keeps what it had, and harms nobody, whatever it tries', async () => {
    const { scene, put, issuer } = await openTeams()
    onTestFinished(() => scene.close())
    await put('platform.json', victimFor(issuer))

    for (const [, parts] of ATTACKS.filter(([, { delegation }]) => delegation === undefined)) {
      await put('payments.json', teamFor('payments', parts))

      await expectServed(scene, 'tools', 'scanner')
      await expectServed(scene, 'payments', 'agent')
      await expectServed(scene, 'orders')
      await expectServed(scene, 'payments')
      await expectUnserved(scene, 'payments', 'evil')
      await expectUnserved(scene, 'orders', 'evil')
    }
    expect(await scene.broker.metrics()).toMatch(/chancery_document_stale 1\n/)
  }, 120_000)

  test('MAP-11 gives up its own place where it claims another’s, and takes nothing from that one', async () => {
    const { scene, put } = await openTeams()
    onTestFinished(() => scene.close())

    for (const delegation of ['orders', 'nobody']) {
      await put('payments.json', teamFor('payments', { delegation }))
      await put(
        'orders.json',
        teamFor('orders', { bindings: { batch: bindingFor('orders', delegation, 'orders/api') } }),
      )

      await expectUnserved(scene, 'payments')
      await expectServed(scene, 'orders', delegation)
    }
  })
})

describe('a team’s document over time', () => {
  test('MAP-11 takes effect, is replaced, breaks, is mended and is removed without anybody else noticing', async () => {
    const { scene, put } = await openTeams()
    onTestFinished(() => scene.close())
    const batch = teamFor('payments', { bindings: { batch: bindingFor('payments', 'batch', 'payments/api') } })
    const digests = new Set<unknown>()
    const digestNow = async () => {
      const { record } = expectIssued(scene.broker, await exchangeAs(scene, 'orders', 'api'))
      digests.add(record?.document)
    }

    const { record } = expectIssued(scene.broker, await exchangeAs(scene, 'payments', 'api'))
    expect(record).toMatchObject({ binding: 'payments:api', identity: 'payments/api' })
    await digestNow()
    await put('payments.json', batch)
    await expectServed(scene, 'payments', 'batch')
    await expectUnserved(scene, 'payments')
    await digestNow()
    await put('payments.json', '{')
    await expectServed(scene, 'payments', 'batch')
    await digestNow()
    expect(digests.size).toBe(2)
    await put('payments.json', teamFor('payments'))
    await expectServed(scene, 'payments')
    await put('payments.json', undefined)
    await expectUnserved(scene, 'payments')
    await digestNow()
    expect(digests.size).toBe(3)
    expect(await scene.broker.metrics()).toMatch(/chancery_document_stale 0\n/)
  })

  test('MAP-11 loses what the platform takes back, though it cannot be read at the time', async () => {
    const { scene, put, issuer } = await openTeams()
    onTestFinished(() => scene.close())
    await put('payments.json', '{')
    await expectServed(scene, 'payments')

    await put('platform.json', platformFor(issuer, { delegations: { orders: delegationOf('orders') } }))

    await expectUnserved(scene, 'payments')
    await expectServed(scene, 'orders')
  })

  test('MAP-11 changes nothing while the platform document is broken', async () => {
    const { scene, put, issuer } = await openTeams()
    onTestFinished(() => scene.close())
    await put('platform.json', { ...platformFor(issuer), surprise: true })

    await put('payments.json', undefined)
    await put('orders.json', teamFor('orders', { bindings: {} }))
    await expectServed(scene, 'payments')
    await expectServed(scene, 'orders')

    await put('platform.json', platformFor(issuer))
    await expectUnserved(scene, 'payments')
    await expectUnserved(scene, 'orders')
  })
})
