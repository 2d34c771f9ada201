/** What `chancery explain` says in words: every line is read at three in the morning. */

import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import type { AuditRecord } from '../../src/audit/record.ts'
import { type ExplainOptions, runExplain } from '../../src/cli/explain.ts'
import { BROKER, bindingFor, type DocumentParts, documentFor } from '../support/document.ts'
import { CLUSTER } from '../support/federation-parts.ts'
import { recordOf } from '../support/made-records.ts'
import { makeScratch } from '../support/scratch.ts'

const READ = { grants: { ledger: ['entries:read'] } }

/** Gives the exit code and the lines, without the one that names the document. */
async function explain(parts: DocumentParts, options: Partial<ExplainOptions>) {
  const federation = join(makeScratch(), `${randomUUID()}.json`)
  writeFileSync(federation, JSON.stringify(documentFor(CLUSTER, parts)))
  const written: string[] = []
  const terminal = { out: (text: string) => void written.push(text), err: (text: string) => void written.push(text) }
  const code = await runExplain({ federation, insecureHost: [], ...options }, terminal)
  return {
    code,
    lines: written
      .join('')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('document: ')),
  }
}

async function explainAttributes(parts: DocumentParts, namespace: string, account = 'web') {
  const attributes = JSON.stringify({ 'kubernetes.namespace': namespace, 'kubernetes.service_account': account })
  const { code, lines } = await explain(parts, { attributes })
  return { code, lines: lines.slice(3) }
}

const previews = bindingFor('preview-*', 'web', 'preview/{kubernetes.namespace}')
const templates = { identities: { 'preview/*': READ }, bindings: { previews } }

test('a template is shown with what it made', async () => {
  expect(await explainAttributes(templates, 'preview-7')).toEqual({
    code: 0,
    lines: [
      'cluster: previews matches: identity preview/preview-7',
      '  preview/preview-7 is made from preview/{kubernetes.namespace}, and may have what preview/* may',
      '  may have ledger: entries:read',
    ],
  })
})

test('a template that makes no name is shown with the value that it cannot take', async () => {
  const { code, lines } = await explainAttributes(templates, 'preview-../admin')

  expect(code).toBe(1)
  expect(lines).toEqual([
    'cluster: previews matches: REFUSED: identity_malformed',
    expect.stringContaining('Explain shows which'),
    '  preview/{kubernetes.namespace} makes no name: kubernetes.namespace is preview-../admin, and a segment is a-z, 0-9, ".", "_" and "-", at most 63 of them, a letter or digit first',
  ])
})

test.each([
  ['pods/{kubernetes.pod_name}', 'the proof has no kubernetes.pod_name'],
  [
    `pods/${'a'.repeat(63)}/${'b'.repeat(63)}/${'c'.repeat(62)}/{kubernetes.namespace}/{kubernetes.namespace}`,
    'longer than 255 characters',
  ],
])('%s that makes none says why', async (identity, why) => {
  const bindings = { b: bindingFor('preview-*', 'web', identity) }
  const { lines } = await explainAttributes({ identities: { 'pods/*': READ }, bindings }, `preview-${'7'.repeat(50)}`)

  expect(lines.join('\n')).toContain(why)
})

describe('suspended', () => {
  test('bindings are named, with who it would be, and what they are narrower than', async () => {
    const bindings = {
      all: { ...bindingFor('prod-*', ['web', 'api'], 'all'), mode: 'shadow' },
      most: { ...bindingFor('prod-*', 'web', 'all'), suspended: true },
      one: { ...bindingFor(['prod-1', 'prod-2'], 'web', 'one'), suspended: true },
      also: bindingFor(['prod-1', 'prod-3'], 'web', 'one'),
    }

    expect(await explainAttributes({ identities: { all: READ, one: READ }, bindings }, 'prod-1')).toEqual({
      code: 1,
      lines: [
        'cluster: also matches: REFUSED: binding_suspended',
        expect.stringContaining('A wider one never takes its place.'),
        '  suspended: one',
        '  the identity would be one',
        '  as narrow, and of the same identity: one (suspended)',
        '  narrower than most (suspended), all (in shadow)',
      ],
    })
  })

  test('a trusted issuer is named first, and exits with 1', async () => {
    const trusted_issuers = { cluster: { provider: 'kubernetes', issuers: [CLUSTER], suspended: true } }
    const { code, lines } = await explainAttributes({ ...templates, trusted_issuers }, 'preview-7')

    expect(code).toBe(1)
    expect(lines.slice(0, 2)).toEqual([
      'cluster: SUSPENDED: every proof of it is refused, whatever its bindings say',
      'cluster: previews matches: identity preview/preview-7',
    ])
  })
})

describe('in shadow', () => {
  const trial = { ...bindingFor('preview-7', 'web', 'trial'), mode: 'shadow' }

  test('what would decide follows what does', async () => {
    const parts = { identities: { 'preview/*': READ, trial: READ }, bindings: { previews, trial } }

    expect(await explainAttributes(parts, 'preview-7')).toEqual({
      code: 0,
      lines: [
        'cluster: previews matches: identity preview/preview-7',
        '  preview/preview-7 is made from preview/{kubernetes.namespace}, and may have what preview/* may',
        '  may have ledger: entries:read',
        '  in shadow: trial matches: identity trial',
        '    may have ledger: entries:read',
      ],
    })
  })

  test('alone it decides nothing', async () => {
    const parts = { identities: { trial: READ }, bindings: { trial } }

    expect(await explainAttributes(parts, 'preview-7')).toEqual({
      code: 1,
      lines: [
        'cluster: no binding in force matches',
        '  in shadow: trial matches: identity trial',
        '    may have ledger: entries:read',
      ],
    })
    expect((await explainAttributes(parts, 'preview-8')).lines).toEqual([
      'cluster: no binding matches; the nearest:',
      '  trial (in shadow): kubernetes.namespace must be preview-7, and the proof has preview-8',
    ])
  })
})

test('an issuer without bindings says so', async () => {
  expect((await explainAttributes({ bindings: {} }, 'preview-7')).lines).toEqual([
    'cluster: no binding matches',
    '  it has no bindings at all',
  ])
})

test.each([
  ['p\u0430yments', '"p\\u0430yments"'],
  ['payments\u200d', '"payments\\u200d"'],
  ['\u202epayments', '"\\u202epayments"'],
  ['payments ', '"payments "'],
  ['\u001b[31m', '"\\u001b[31m"'],
  ['', '""'],
  ['\u009b1m', '"\\u009b1m"'],
])('a value that looks like another is told from it: %j', async (namespace, shown) => {
  const { lines } = await explainAttributes({}, namespace, 'api')

  expect(lines.at(-1)).toBe(`  payments-api: kubernetes.namespace must be payments, and the proof has ${shown}`)
})

test('a proof is explained as its attributes are, though nobody has verified it', async () => {
  const cluster = await startKubernetesStandIn()
  onTestFinished(() => cluster.close())
  cluster.createServiceAccount('preview-7', 'web')
  cluster.createPod('preview-7', 'web-1', 'web')
  const token = await cluster.requestToken({
    namespace: 'preview-7',
    serviceAccount: 'web',
    pod: 'web-1',
    audiences: [BROKER],
  })
  const proof = join(makeScratch(), 'token')
  writeFileSync(proof, token)
  const trusted = { provider: 'kubernetes', issuers: [cluster.issuer], suspended: true }
  const shadow = { ...bindingFor('preview-7', 'web', 'preview/{kubernetes.pod_name}'), mode: 'shadow' }
  const parts = { ...templates, bindings: { previews, shadow }, trusted_issuers: { cluster: trusted } }

  const { code, lines } = await explain(parts, { proof, insecureHost: [cluster.host] })

  expect(code).toBe(1)
  expect(lines[0]).toMatch(/^UNVERIFIED/)
  expect(lines).toContain('cluster: SUSPENDED: every proof of it is refused, whatever its bindings say')
  expect(lines).toContain('cluster: previews matches: identity preview/preview-7')
  expect(lines).toContain('  in shadow: shadow matches: identity preview/web-1')
})

test.each([
  ['as it was made', (token: string) => token, 'attributes (verified proof):', 0],
  [
    'with another signature',
    (token: string) => `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(342)}`,
    'attributes (unverified proof):',
    1,
  ],
])('a proof %s is called verified only where it is', async (_how, bend, told, expected) => {
  const cluster = await startKubernetesStandIn()
  onTestFinished(() => cluster.close())
  cluster.createServiceAccount('payments', 'api')
  const proof = join(makeScratch(), 'token')
  const audiences = [BROKER]
  writeFileSync(proof, bend(await cluster.requestToken({ namespace: 'payments', serviceAccount: 'api', audiences })))
  const parts = { trusted_issuers: { cluster: { provider: 'kubernetes', issuers: [cluster.issuer] } } }

  const { code, lines } = await explain(parts, { proof, verify: true, insecureHost: [cluster.host] })

  expect(code).toBe(expected)
  expect(lines).toContain(told)
  expect(lines[0] === 'UNVERIFIED: anybody may have written what this proof says').toBe(expected === 1)
})

describe('a recorded request', () => {
  async function explainRecord(parts: DocumentParts, record: Partial<AuditRecord>) {
    const whole = recordOf({ provider: 'kubernetes', trusted_issuer: 'cluster', document: 'sha256:0', ...record })
    const audit = join(makeScratch(), `${randomUUID()}.jsonl`)
    writeFileSync(audit, `${JSON.stringify(whole)}\n`)
    return await explain(parts, { audit, requestId: whole.request_id })
  }
  const attributes = { 'kubernetes.namespace': 'preview-7', 'kubernetes.service_account': 'web' }
  const suspended = { ...templates, bindings: { previews: { ...previews, suspended: true } } }

  test.each(['binding_missing', 'binding_suspended', 'identity_malformed', 'identity_suspended'] as const)(
    'that was refused as %s is explained by the document as it is now',
    async (reason) => {
      const { code, lines } = await explainRecord(templates, { reason, attributes, binding: 'previews' })

      expect(code).toBe(0)
      expect(lines[0]).toBe(`recorded at 2026-01-15T12:00:00.000Z: refused: ${reason} (by previews), under sha256:0`)
      expect(lines).toContain('cluster: previews matches: identity preview/preview-7')
      expect((await explainRecord(suspended, { reason, attributes })).code).toBe(1)
    },
  )

  test('of a suspended issuer, unverified, has the reason’s meaning', async () => {
    const { code, lines } = await explainRecord(templates, { reason: 'issuer_suspended' })

    expect(code).toBe(1)
    expect(lines).toEqual([
      'recorded at 2026-01-15T12:00:00.000Z: refused: issuer_suspended, under sha256:0',
      'refused: issuer_suspended',
      expect.stringContaining('whether this one is genuine was not looked into'),
    ])
  })

  test.each([
    [{ decision: 'issued', reason: null }, 'issued to other'],
    [{ decision: 'refused', reason: 'scope_refused' }, 'scope_refused'],
  ] as const)('shows what the shadow had decided: %j', async (decided, told) => {
    const shadow = { binding: 'trial', identity: 'other', audience: 'ledger', scope: null, ...decided }
    const { lines } = await explainRecord(templates, { reason: 'binding_missing', attributes, shadow })

    expect(lines[1]).toBe(`  in shadow, trial: ${told}`)
  })
})
