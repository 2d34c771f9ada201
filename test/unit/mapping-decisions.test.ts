/** From a verified proof to whom it is for, through the pipeline: templates, suspension and shadow. */

import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import type { VerifiedProof } from '../../providers/contract/proof.ts'
import { auditRecordSchema } from '../../src/audit/record.ts'
import { Refusal } from '../../src/exchange/refusal.ts'
import { bindingFor, type DocumentParts } from '../support/document.ts'
import { createBench, NOW, verifierSaying } from '../support/exchange-bench.ts'
import { CLUSTER, proofOf } from '../support/federation-parts.ts'

type Request = Parameters<ReturnType<typeof createBench>['exchange']>[0]

const READ = { grants: { ledger: ['entries:read'] } }
const WRITE = { grants: { ledger: ['entries:read', 'entries:write'] } }
const PREVIEW = bindingFor('preview-*', 'web', 'preview/{kubernetes.namespace}')

function proofFrom(namespace: string, account: string, parts: Partial<VerifiedProof> = {}): VerifiedProof {
  const attributes = new Map([
    ['kubernetes.namespace', namespace],
    ['kubernetes.service_account', account],
  ])
  return proofOf(NOW, { attributes, ...parts })
}

/** Runs one exchange, and gives how it ended with its one record. */
async function decide(document: DocumentParts, proof: VerifiedProof, request: Request = {}) {
  const bench = createBench({ document, verifier: verifierSaying(proof) })
  const ended = await bench.exchange(request).catch((error: unknown) => error)
  if (!(ended instanceof Refusal) && ended instanceof Error) throw ended
  const [record, ...others] = bench.records()
  expect(others).toEqual([])
  expect(auditRecordSchema.safeParse(record).error).toBeUndefined()
  const [outcome] = bench.outcomes
  const claims = ended instanceof Error ? undefined : decodeJwt((ended as { access_token: string }).access_token)
  return { reason: ended instanceof Refusal ? ended.reason : undefined, record, outcome, claims }
}

describe('a template', () => {
  const identities = { 'preview/*': { ...READ, lifetime_seconds: 300, claims: { stage: 'preview' } } }
  const bindings = { preview: PREVIEW }

  test('names the identity in token and record, and its entry says what it may have', async () => {
    const { record, claims } = await decide({ identities, bindings }, proofFrom('preview-7', 'web'))

    expect(claims).toMatchObject({
      sub: 'spiffe://corp.example/preview/preview-7',
      client_id: 'preview/preview-7',
      scope: 'entries:read',
      stage: 'preview',
      exp: NOW + 300,
      proof: { binding: 'preview' },
    })
    expect(record).toMatchObject({ decision: 'issued', binding: 'preview', identity: 'preview/preview-7' })
  })

  test('that makes no name refuses, by its binding and for nobody', async () => {
    const proof = proofFrom('preview-../admin', 'web')

    expect(await decide({ identities, bindings }, proof)).toMatchObject({
      reason: 'identity_malformed',
      record: { binding: 'preview', identity: null },
    })
  })

  test('of an attribute that the proof does not have refuses', async () => {
    const binding = bindingFor('preview-*', 'web', 'preview/{kubernetes.pod_name}')
    const { reason } = await decide({ identities, bindings: { binding } }, proofFrom('preview-7', 'web'))

    expect(reason).toBe('identity_malformed')
  })

  test('refuses as a binding does: what was asked for is in the record, under the name that it made', async () => {
    const asked = { scopes: ['entries:write'] }

    expect(await decide({ identities, bindings }, proofFrom('preview-7', 'web'), asked)).toMatchObject({
      reason: 'scope_refused',
      record: { binding: 'preview', identity: 'preview/preview-7', scope: 'entries:write' },
    })
  })
})

describe('suspended', () => {
  const wide = bindingFor('preview-*', 'web', 'wide')
  const narrow = bindingFor('preview-7', 'web', 'narrow')
  const identities = { wide: WRITE, narrow: READ }

  test('a binding refuses what it decides, and no wider one decides instead', async () => {
    const bindings = { wide, narrow: { ...narrow, suspended: true } }

    expect(await decide({ identities, bindings }, proofFrom('preview-7', 'web'))).toMatchObject({
      reason: 'binding_suspended',
      record: { binding: 'narrow', identity: 'narrow' },
    })
    expect((await decide({ identities, bindings }, proofFrom('preview-8', 'web'))).reason).toBeUndefined()
  })

  test('a wider binding suspends nothing of a narrower one', async () => {
    const bindings = { wide: { ...wide, suspended: true }, narrow }

    expect((await decide({ identities, bindings }, proofFrom('preview-7', 'web'))).record?.identity).toBe('narrow')
  })

  test('one of two bindings that are as narrow refuses what both match, and nothing else', async () => {
    const bindings = {
      one: bindingFor(['a', 'b'], 'web', 'wide'),
      two: { ...bindingFor(['b', 'c'], 'web', 'wide'), suspended: true },
    }
    const reasons = await Promise.all(
      ['a', 'b', 'c'].map(async (name) => (await decide({ identities, bindings }, proofFrom(name, 'web'))).reason),
    )

    expect(reasons).toEqual([undefined, 'binding_suspended', 'binding_suspended'])
  })

  test('an identity refuses by every binding', async () => {
    const document = { identities: { ...identities, narrow: { ...READ, suspended: true } }, bindings: { wide, narrow } }

    expect(await decide(document, proofFrom('preview-7', 'web'))).toMatchObject({
      reason: 'identity_suspended',
      record: { binding: 'narrow', identity: 'narrow' },
    })
    expect((await decide(document, proofFrom('preview-8', 'web'))).reason).toBeUndefined()
  })

  test('an entry for all names below it refuses each of them', async () => {
    const document = { identities: { 'preview/*': { ...READ, suspended: true } }, bindings: { preview: PREVIEW } }

    expect(await decide(document, proofFrom('preview-7', 'web'))).toMatchObject({
      reason: 'identity_suspended',
      record: { binding: 'preview', identity: 'preview/preview-7' },
    })
  })

  test('a binding is suspended whether or not its template makes a name', async () => {
    const document = { identities: { 'preview/*': READ }, bindings: { preview: { ...PREVIEW, suspended: true } } }

    expect((await decide(document, proofFrom('preview-7/x', 'web'))).reason).toBe('binding_suspended')
  })

  test('false is as if nothing stood there', async () => {
    const bindings = { narrow: { ...narrow, suspended: false } }
    const document = { identities: { narrow: { ...READ, suspended: false } }, bindings }

    expect((await decide(document, proofFrom('preview-7', 'web'))).reason).toBeUndefined()
  })
})

describe('a suspended trusted issuer', () => {
  const trusted_issuers = {
    cluster: { provider: 'kubernetes', issuers: [CLUSTER], suspended: true },
    west: { provider: 'kubernetes', issuers: ['https://west.example'] },
  }
  const inspecting = (trustedIssuer: string | undefined) => () => ({
    trustedIssuer,
    attributes: new Map(),
    trouble: undefined,
    facts: {},
  })

  test('is refused before anybody is asked, and nothing of the proof is recorded', async () => {
    const verifier = verifierSaying(proofOf(NOW), { inspect: inspecting('cluster') })
    const bench = createBench({ document: { trusted_issuers }, verifier })

    await expect(bench.exchange()).rejects.toMatchObject({ reason: 'issuer_suspended' })

    expect(verifier.asked).toEqual([])
    expect(bench.records()).toMatchObject([
      { reason: 'issuer_suspended', provider: 'kubernetes', trusted_issuer: 'cluster', issuer: null, subject: null },
    ])
  })

  test('is refused once it is known, where a proof does not say whose it is or says another', async () => {
    for (const said of [undefined, 'west']) {
      const verifier = verifierSaying(proofOf(NOW), { inspect: inspecting(said) })
      const bench = createBench({ document: { trusted_issuers }, verifier })

      await expect(bench.exchange()).rejects.toMatchObject({ reason: 'issuer_suspended' })

      expect(verifier.asked).toHaveLength(1)
      expect(bench.records()).toMatchObject([{ subject: proofOf(NOW).subject, binding: null, identity: null }])
    }
  })

  test('leaves the others alone', async () => {
    const binding = { ...bindingFor('payments', 'api', 'payments/api'), trusted_issuer: 'west' }
    const document = { trusted_issuers, bindings: { binding } }
    const verifier = verifierSaying(proofOf(NOW, { trustedIssuer: 'west' }), { inspect: inspecting('west') })

    await expect(createBench({ document, verifier }).exchange()).resolves.toMatchObject({ scope: 'entries:read' })
  })

  test('costs a proof nothing more where none is suspended', async () => {
    const inspect = () => {
      throw new Error('nobody looks')
    }

    await expect(createBench({ verifier: verifierSaying(proofOf(NOW), { inspect }) }).exchange()).resolves.toBeDefined()
  })
})
