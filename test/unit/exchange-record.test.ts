/** The record of one exchange: all that is known and verified, and nothing that a stranger wrote. */

import { createHash, randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { auditRecordSchema } from '../../src/audit/record.ts'
import { type Call, issuedRecord, type Progress, refusedRecord } from '../../src/exchange/record.ts'
import { Refusal } from '../../src/exchange/refusal.ts'
import { toIdentity } from '../../src/federation/identity.ts'
import { JWT_TYPE } from '../../src/oauth/vocabulary.ts'
import { claimsOf } from '../../src/tokens/claims.ts'
import { BROKER } from '../support/document.ts'
import { CLUSTER, federationFor, identityOf, proofOf } from '../support/federation-parts.ts'
import { bindingOf } from '../support/made-bindings.ts'

const NOW = 1_768_478_400
const SUBJECT_TOKEN = 'a proof that nobody else may read'
const call: Call = { requestId: randomUUID(), clientAddress: '192.0.2.1', signal: new AbortController().signal }
const proof = proofOf(NOW)
const binding = bindingOf('payments-api', {}, 'payments/api')

/** How far an exchange came: everything, unless told otherwise. */
function progressOf(parts: Partial<Progress> = {}, request: Partial<Progress['request']> = {}): Progress {
  return {
    document: 'sha256:0',
    request: {
      subjectToken: SUBJECT_TOKEN,
      subjectTokenType: JWT_TYPE,
      targets: ['ledger'],
      scopes: ['entries:read', 'entries:write'],
      requestedTokenType: undefined,
      ...request,
    },
    target: 'ledger',
    provider: 'kubernetes',
    proof,
    binding,
    identity: 'payments/api',
    ...parts,
  }
}

function recordOfRefusal(progress: Progress, refusal = new Refusal('scope_refused')) {
  const record = refusedRecord(refusal, progress, call, NOW)
  expect(auditRecordSchema.parse(record)).toEqual(record)
  return record
}

const KNOWN = {
  request_id: call.requestId,
  provider: 'kubernetes',
  trusted_issuer: 'cluster',
  issuer: CLUSTER,
  subject: 'system:serviceaccount:payments:api',
  attributes: { 'kubernetes.namespace': 'payments', 'kubernetes.service_account': 'api' },
  proof_digest: createHash('sha256').update(SUBJECT_TOKEN).digest('hex'),
  binding: 'payments-api',
  identity: 'payments/api',
  audience: 'ledger',
  client_address: '192.0.2.1',
}

test('of a token says all that the token says, and when it ends', () => {
  const federation = federationFor()
  const grant = {
    audience: 'ledger',
    scopes: ['entries:read'],
    lifetimeSeconds: 600,
    signingAlgorithm: 'ES256',
    tokenType: 'at+jwt',
  } as const
  const facts = {
    brokerIssuer: BROKER,
    federation,
    identity: toIdentity(identityOf()),
    binding,
    proof,
    now: NOW,
    identityName: 'payments/api',
  }
  const claims = claimsOf({ ...facts, grant })

  const record = issuedRecord(claims, proof, progressOf(), call)

  expect(auditRecordSchema.parse(record)).toEqual({
    ...KNOWN,
    time: '2026-01-15T12:00:00.000Z',
    decision: 'issued',
    reason: null,
    scope: 'entries:read',
    token_id: claims.jti,
    token_expires_at: '2026-01-15T12:10:00.000Z',
    document: federation.digest,
  })
  const unscoped = claimsOf({ ...facts, grant: { ...grant, scopes: undefined } })
  expect(issuedRecord(unscoped, proof, progressOf(), call).scope).toBeNull()
})

test('of a refusal says how far it came', () => {
  expect(recordOfRefusal(progressOf())).toEqual({
    ...KNOWN,
    time: '2026-01-15T12:00:00.000Z',
    decision: 'refused',
    reason: 'scope_refused',
    scope: 'entries:read entries:write',
    token_id: null,
    token_expires_at: null,
    document: 'sha256:0',
  })
})

test('of a refusal before anything was known has every member, and null in most', () => {
  const record = recordOfRefusal({}, new Refusal('not_ready'))

  const known = Object.entries(record).filter(([, value]) => value !== null)
  expect(Object.fromEntries(known)).toEqual({
    time: '2026-01-15T12:00:00.000Z',
    request_id: call.requestId,
    decision: 'refused',
    reason: 'not_ready',
    client_address: '192.0.2.1',
  })
})

describe('of a proof that was not verified', () => {
  const { proof: _verified, binding: _bound, identity: _named, ...unverified } = progressOf()

  test('repeats nothing that its bearer wrote', () => {
    const record = recordOfRefusal(unverified, new Refusal('signature_invalid'))

    expect(record).toMatchObject({ subject: null, attributes: null, audience: null, scope: null, identity: null })
    expect(record).toMatchObject({ trusted_issuer: null, issuer: null, provider: 'kubernetes' })
    expect(record.proof_digest).toBe(KNOWN.proof_digest)
  })

  test('names the trusted issuer, as far as it got', () => {
    const origin = { trustedIssuer: 'cluster', issuer: CLUSTER }

    expect(recordOfRefusal(unverified, new Refusal('signature_invalid', { origin }))).toMatchObject({
      trusted_issuer: 'cluster',
      issuer: CLUSTER,
    })
  })
})

test('believes the verified proof and not the refusal about whose it was', () => {
  const origin = { trustedIssuer: 'west', issuer: 'https://west.example' }

  expect(recordOfRefusal(progressOf(), new Refusal('internal', { origin }))).toMatchObject({
    trusted_issuer: 'cluster',
    issuer: CLUSTER,
  })
})

test('leaves out a target and scopes of more than 255 characters, even of a verified caller', () => {
  const fitting = recordOfRefusal(progressOf({ target: 'a'.repeat(255) }, { scopes: ['s'.repeat(255)] }))
  const long = recordOfRefusal(progressOf({ target: 'a'.repeat(256) }, { scopes: ['s'.repeat(256)] }))

  expect([fitting.audience?.length, fitting.scope?.length]).toEqual([255, 255])
  expect([long.audience, long.scope]).toEqual([null, null])
})

test('never holds the proof', () => {
  expect(JSON.stringify(recordOfRefusal(progressOf()))).not.toContain(SUBJECT_TOKEN)
})

test('has no client address where nobody knows one', () => {
  const record = refusedRecord(new Refusal('not_ready'), {}, { ...call, clientAddress: undefined }, NOW)

  expect(record.client_address).toBeNull()
})
