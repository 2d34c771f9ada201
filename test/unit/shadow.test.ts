/** Bindings in shadow, through the pipeline: what they would have decided is recorded, and changes nothing. */

import { describe, expect, test } from 'vitest'
import type { VerifiedProof } from '../../providers/contract/proof.ts'
import { auditRecordSchema } from '../../src/audit/record.ts'
import { bindingFor, type DocumentParts } from '../support/document.ts'
import { createBench, NOW, verifierSaying } from '../support/exchange-bench.ts'
import { proofOf } from '../support/federation-parts.ts'

type Request = Exclude<NonNullable<Parameters<ReturnType<typeof createBench>['exchange']>[0]>, Error>

const SHADOW = { mode: 'shadow' }
const live = bindingFor('payments', ['api', 'web'], 'payments/api')
const narrower = { ...bindingFor('payments', 'api', 'other'), ...SHADOW }
const identities = {
  'payments/api': { grants: { ledger: ['entries:read'] } },
  other: { grants: { ledger: ['entries:write'], 'https://orders.example': [] } },
}

/** Gives the answer's own words, and what the record says of the shadow. */
async function decide(document: DocumentParts, request: Request = {}, proof: VerifiedProof = proofOf(NOW)) {
  const bench = createBench({ document: { identities, ...document }, verifier: verifierSaying(proof) })
  const answer = await bench.exchange(request).then(
    ({ scope, expires_in }) => ({ scope, expires_in }),
    ({ reason }: { reason: string }) => ({ reason }),
  )
  const [record] = bench.records()
  expect(auditRecordSchema.safeParse(record).error).toBeUndefined()
  const { shadow, ...rest } = record ?? {}
  const {
    time: _time,
    request_id: _id,
    token_id: _token,
    document: _digest,
    ...recorded
  } = rest as typeof rest & Record<string, unknown>
  return { answer, shadow, recorded, outcome: bench.outcomes[0] }
}

test('what would have been issued is recorded beside what was', async () => {
  const { answer, shadow, recorded } = await decide({ bindings: { live, narrower } })

  expect(answer).toEqual({ scope: 'entries:read', expires_in: 900 })
  expect(recorded).toMatchObject({ decision: 'issued', binding: 'live', identity: 'payments/api' })
  expect(shadow).toEqual({
    binding: 'narrower',
    identity: 'other',
    decision: 'issued',
    reason: null,
    audience: 'ledger',
    scope: 'entries:write',
  })
})

test('a proof that nothing in force matches is refused as before, and the shadow recorded', async () => {
  const { answer, shadow, recorded } = await decide({ bindings: { narrower } })

  expect(answer).toEqual({ reason: 'binding_missing' })
  expect(recorded).toMatchObject({ decision: 'refused', binding: null, identity: null })
  expect(shadow).toMatchObject({ binding: 'narrower', decision: 'issued' })
})

describe('where it would have been refused, the record says why and what was asked for:', () => {
  const asked = { targets: ['ledger'], scopes: ['entries:read'] }

  test.each<[string, DocumentParts, Request]>([
    ['scope_refused', { bindings: { live, narrower } }, {}],
    ['target_refused', { bindings: { live, narrower }, identities: { ...identities, other: {} } }, {}],
    ['target_missing', { bindings: { live, narrower } }, { targets: [], scopes: undefined }],
    ['binding_suspended', { bindings: { live, narrower: { ...narrower, suspended: true } } }, {}],
    [
      'identity_suspended',
      { bindings: { live, narrower }, identities: { ...identities, other: { suspended: true } } },
      {},
    ],
    [
      'identity_malformed',
      {
        bindings: { live, narrower: { ...bindingFor('payments', 'api', 'pods/{kubernetes.pod_name}'), ...SHADOW } },
        identities: { ...identities, 'pods/*': {} },
      },
      {},
    ],
  ])('%s', async (reason, document, more) => {
    const request = { ...asked, ...more }
    const { answer, shadow } = await decide(document, request)

    expect(answer).toEqual({ scope: 'entries:read', expires_in: 900 })
    expect(shadow).toEqual({
      binding: 'narrower',
      identity: reason === 'identity_malformed' ? null : 'other',
      decision: 'refused',
      reason,
      audience: request.targets[0] ?? null,
      scope: request.scopes?.join(' ') ?? null,
    })
  })
})

test('of an audience without scopes it has none', async () => {
  const { shadow } = await decide({ bindings: { narrower } }, { targets: ['https://orders.example'] })

  expect(shadow).toMatchObject({ decision: 'issued', audience: 'https://orders.example', scope: null })
})

test('a request that is refused in force says what the shadow would have given', async () => {
  const { answer, shadow } = await decide({ bindings: { live, narrower } }, { scopes: ['entries:write'] })

  expect(answer).toEqual({ reason: 'scope_refused' })
  expect(shadow).toMatchObject({ decision: 'issued', scope: 'entries:write' })
})

test('nothing but its own member of the record changes with a binding in shadow', async () => {
  const requests: readonly Request[] = [{}, { scopes: ['entries:write'] }, { targets: ['nowhere'] }, { targets: [] }]
  const shadows = [narrower, { ...narrower, suspended: true }]
  for (const request of requests) {
    const without = await decide({ bindings: { live } }, request)
    for (const shadow of shadows) {
      const { answer, recorded } = await decide({ bindings: { live, narrower: shadow } }, request)

      expect({ answer, recorded }).toEqual({ answer: without.answer, recorded: without.recorded })
    }
    expect(without.shadow).toBeUndefined()
  }
})

test('a wider one than what decides is not heard', async () => {
  const wider = { ...bindingFor('payments', ['api', 'web', 'job'], 'other'), ...SHADOW }

  expect((await decide({ bindings: { live, wider } })).shadow).toBeUndefined()
})

test('a proof that was not verified has no shadow', async () => {
  const document = { bindings: { live, narrower } }
  const suspended = { cluster: { provider: 'kubernetes', issuers: ['https://cluster.example'], suspended: true } }

  expect((await decide({ ...document, trusted_issuers: suspended })).shadow).toBeUndefined()
})

test('whoever counts is told of it with the outcome', async () => {
  const { outcome } = await decide({ bindings: { live, narrower } })

  expect(outcome?.shadow).toMatchObject({
    binding: { name: 'narrower' },
    identity: 'other',
    verdict: { allowed: true },
  })
  expect((await decide({ bindings: { live } })).outcome?.shadow).toBeUndefined()
})

test('what its caller asked for is not repeated where a terminal could take it for a command', async () => {
  const { shadow } = await decide({ bindings: { narrower } }, { targets: ['\u001b[2J'] })

  expect(shadow).toMatchObject({ reason: 'target_refused', audience: null })
})
