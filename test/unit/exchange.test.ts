/** The pipeline: the order of its steps, and that every outcome is recorded before it is told. */

import { createLocalJWKSet, jwtVerify } from 'jose'
import { describe, expect, test, vi } from 'vitest'
import { ProofError } from '../../providers/contract/errors.ts'
import { auditRecordSchema } from '../../src/audit/record.ts'
import { Refusal } from '../../src/exchange/refusal.ts'
import { OAuthError } from '../../src/oauth/errors.ts'
import { ACCESS_TOKEN_TYPE, JWT_TYPE } from '../../src/oauth/vocabulary.ts'
import { BROKER, bindingFor } from '../support/document.ts'
import { type BenchOptions, createBench, keys, NOW, verifierSaying } from '../support/exchange-bench.ts'
import { federationFor, proofOf } from '../support/federation-parts.ts'
import { createTestWriter, turn, watchOutcome } from '../support/test-writer.ts'

type Request = Parameters<ReturnType<typeof createBench>['exchange']>[0]

/** Runs an exchange that is refused, and gives the reason with the one record of it. */
async function refusedWith(options: BenchOptions, request: Request = {}) {
  const bench = createBench(options)
  const refusal = await bench.exchange(request).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(refusal instanceof Refusal)) throw new Error('not refused', { cause: refusal })
  const [record, ...others] = bench.records()
  expect(others).toEqual([])
  expect(auditRecordSchema.safeParse(record).success).toBe(true)
  expect(record).toMatchObject({ decision: 'refused', reason: refusal.reason, token_id: null, token_expires_at: null })
  return { refusal, reason: refusal.reason, record, outcomes: bench.outcomes }
}

describe('a token', () => {
  test('is answered with these members, verifies, and is recorded with what it says', async () => {
    const bench = createBench()

    const response = await bench.exchange()

    expect(response).toEqual({
      access_token: expect.any(String),
      issued_token_type: ACCESS_TOKEN_TYPE,
      token_type: 'Bearer',
      expires_in: 900,
      scope: 'entries:read',
    })
    const { payload } = await jwtVerify(response.access_token, createLocalJWKSet({ keys: [...keys.jwks.keys] }), {
      issuer: BROKER,
      audience: 'ledger',
      typ: 'at+jwt',
      currentDate: new Date(NOW * 1_000),
    })
    expect(bench.records()).toMatchObject([
      {
        decision: 'issued',
        reason: null,
        token_id: payload.jti,
        identity: 'payments/api',
        request_id: bench.call.requestId,
      },
    ])
  })

  test('of an audience without scopes has none in the answer', async () => {
    const identities = { 'payments/api': { grants: { 'https://orders.example': [] } } }
    const bench = createBench({ document: { identities } })

    expect(Object.keys(await bench.exchange({ targets: [] }))).not.toContain('scope')
  })

  test.each([
    [{}, undefined, ACCESS_TOKEN_TYPE],
    [{}, JWT_TYPE, JWT_TYPE],
    [{ token_type: 'JWT' }, undefined, JWT_TYPE],
    [{ token_type: 'JWT' }, ACCESS_TOKEN_TYPE, JWT_TYPE],
  ] as const)('of an audience with %j, asked for as %s, is answered as %s', async (audience, requested, expected) => {
    const identities = { 'payments/api': { grants: { plain: [] } } }
    const bench = createBench({ document: { audiences: { plain: audience }, identities } })

    const { issued_token_type } = await bench.exchange({ targets: ['plain'], requestedTokenType: requested })

    expect(issued_token_type).toBe(expected)
  })

  test('is signed by the algorithm of its audience', async () => {
    const audiences = { plain: { signing_alg: 'RS256' } }
    const bench = createBench({ document: { audiences, identities: { 'payments/api': { grants: { plain: [] } } } } })

    const { access_token } = await bench.exchange({ targets: ['plain'] })

    const header: unknown = JSON.parse(Buffer.from(access_token.split('.')[0] ?? '', 'base64url').toString())
    expect(header).toMatchObject({ alg: 'RS256', kid: keys.signerFor('RS256').keyId })
  })

  test('lives no longer than what its proof has left', async () => {
    const bench = createBench({ verifier: verifierSaying(proofOf(NOW, { expiresAt: NOW + 61 })) })

    expect((await bench.exchange()).expires_in).toBe(61)
  })
})

describe('the record of a token', () => {
  test('is written before the token is answered', async () => {
    const writer = createTestWriter()
    const answered = watchOutcome(createBench({ writer }).exchange())
    await vi.waitFor(() => expect(writer.appended).toHaveLength(1))
    await turn()
    expect(answered()).toBe('pending')

    await writer.succeed()
    expect(answered()).toBe('fulfilled')
  })

  test('that cannot be written leaves no token', async () => {
    const writer = createTestWriter()
    const bench = createBench({ writer })
    const refused = expect(bench.exchange()).rejects.toMatchObject({
      reason: 'audit_unavailable',
      cause: { message: 'disk full' },
    })

    await writer.fail()
    await writer.fail()

    await refused
    expect(bench.outcomes).toMatchObject([{ refusal: { reason: 'audit_unavailable' }, isRecorded: false }])
  })
})

describe('is refused', () => {
  test('whatever is asked while there is no document or no key', async () => {
    const { reason, record } = await refusedWith({ ports: { snapshot: () => undefined } })

    expect(reason).toBe('not_ready')
    expect(record).toMatchObject({ document: null, proof_digest: null, provider: null })
  })

  test('a request that cannot be read, though it is recorded under the document', async () => {
    const { reason, record } = await refusedWith({}, new OAuthError('scope_malformed'))

    expect(reason).toBe('scope_malformed')
    expect(record).toMatchObject({ proof_digest: null, document: federationFor().digest })
  })

  test.each<[string, BenchOptions, Request]>([
    ['target_ambiguous', {}, { targets: ['ledger', 'https://orders.example'] }],
    ['subject_token_type_unsupported', {}, { subjectTokenType: 'urn:ietf:params:oauth:token-type:saml2' }],
    ['proof_too_large', {}, { subjectToken: 'x'.repeat(16_385) }],
    ['binding_missing', { document: { bindings: {} } }, {}],
    ['binding_missing', { verifier: verifierSaying(proofOf(NOW, { trustedIssuer: 'west' })) }, {}],
    ['target_missing', { document: { identities: { 'payments/api': { grants: {} } } } }, { targets: [] }],
    ['target_refused', {}, { targets: ['https://orders.example'] }],
    ['scope_refused', {}, { scopes: ['entries:write'] }],
    ['proof_expired', { verifier: verifierSaying(proofOf(NOW, { expiresAt: NOW })) }, {}],
  ])('what may not be: %s', async (expected, options, request) => {
    expect((await refusedWith(options, request)).reason).toBe(expected)
  })

  test('a binding to an identity that is not there, though no document has one', async () => {
    const federation = { ...federationFor(), identities: new Map() }
    const snapshot = { ...createBench().snapshot, federation }

    expect((await refusedWith({ ports: { snapshot: () => snapshot } })).reason).toBe('binding_missing')
  })

  test('a refused proof with its trusted issuer, and nothing that it says of itself', async () => {
    const origin = { trustedIssuer: 'cluster', issuer: 'https://cluster.example' }
    const verifier = verifierSaying(new ProofError('signature_invalid', 'no', { origin }))

    const { record, outcomes } = await refusedWith({ verifier }, { scopes: ['entries:read'] })

    expect(record).toMatchObject({
      reason: 'signature_invalid',
      provider: 'kubernetes',
      trusted_issuer: 'cluster',
      issuer: 'https://cluster.example',
      subject: null,
      attributes: null,
      audience: null,
      scope: null,
    })
    expect(outcomes).toMatchObject([{ provider: 'kubernetes', isRecorded: true }])
  })

  test('a bug as a bug, with its cause for the log alone', async () => {
    const bug = new TypeError('secret of a proof')

    const { refusal, record } = await refusedWith({ verifier: verifierSaying(bug) })

    expect(refusal).toMatchObject({ reason: 'internal', cause: bug })
    expect(JSON.stringify(record)).not.toContain('secret')
  })
})

describe('one exchange', () => {
  test('uses the document and keys that it began with, whatever is in force when it ends', async () => {
    const [before, after] = [createBench().snapshot, createBench({ document: { bindings: {} } }).snapshot]
    const snapshots = [before, after]
    const snapshot = vi.fn(() => snapshots.shift())
    const bench = createBench({ ports: { snapshot } })

    await bench.exchange()

    expect(snapshot).toHaveBeenCalledTimes(1)
    expect(bench.records()).toMatchObject([{ decision: 'issued', document: before.federation.digest }])
  })

  test('hands the proof, its target as it is spelled, and who waits to the verifier', async () => {
    const verifier = verifierSaying(proofOf(NOW))
    const bench = createBench({ verifier })

    await bench.exchange()
    await bench.exchange({ targets: [] })

    await bench.exchange({ targets: [`${BROKER}/audiences/ledger`, `${BROKER}/audiences/ledger`] })
    await bench.exchange({ targets: ['ledger', `${BROKER}/audiences/ledger`] })

    const { signal, clientAddress } = bench.call
    expect(clientAddress).toEqual(expect.any(String))
    expect(verifier.asked).toEqual([
      { proof: 'proof', request: { target: 'ledger', clientAddress }, signal },
      { proof: 'proof', request: { clientAddress }, signal },
      { proof: 'proof', request: { target: `${BROKER}/audiences/ledger`, clientAddress }, signal },
      { proof: 'proof', request: { clientAddress }, signal },
    ])
  })

  test('takes two spellings of one target for one', async () => {
    const targets = ['ledger', `${BROKER}/audiences/ledger`, `${BROKER}/audiences/%6Cedger`]

    await expect(createBench().exchange({ targets })).resolves.toMatchObject({ scope: 'entries:read' })
  })

  test('verifies nothing where the target is not clear', async () => {
    const verifier = verifierSaying(proofOf(NOW))

    await refusedWith({ verifier }, { targets: ['a', 'b'] })

    expect(verifier.asked).toEqual([])
  })

  test('is told of once, when it is over', async () => {
    const bench = createBench({
      document: { bindings: { b: bindingFor('payments', 'api', 'payments/api') } },
      verifier: verifierSaying(proofOf(NOW)),
    })

    await bench.exchange()

    const { requestId } = bench.call
    expect(bench.outcomes).toEqual([
      { requestId, provider: 'kubernetes', refusal: undefined, isRecorded: true, seconds: expect.any(Number) },
    ])
    expect(bench.outcomes[0]?.seconds).toBeGreaterThan(0)
  })

  test('is of no provider where none recognised the proof', async () => {
    const verifier = verifierSaying(proofOf(NOW), { recognises: () => false })

    const { reason, record, outcomes } = await refusedWith({ verifier })

    expect(reason).toBe('issuer_not_trusted')
    expect(record?.provider).toBeNull()
    expect(outcomes).toMatchObject([{ provider: 'none' }])
  })
})
