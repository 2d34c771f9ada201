/** From whatever was thrown to the answer that a caller gets. */

import { describe, expect, test } from 'vitest'
import { PROOF_OUTAGES, PROOF_REFUSALS, ProofError } from '../../providers/contract/errors.ts'
import { REFUSAL_REASONS, type RefusalReason } from '../../src/audit/reasons.ts'
import { Refusal, toRefusal, toWireError } from '../../src/exchange/refusal.ts'
import { DESCRIPTIONS, OAuthError, REQUEST_FAULTS, type WireError } from '../../src/oauth/errors.ts'

describe('what was thrown', () => {
  test('as a refusal stays that one', () => {
    const refusal = new Refusal('binding_missing')

    expect(toRefusal(refusal)).toBe(refusal)
  })

  test.each(REQUEST_FAULTS)('as the fault %s of a request keeps its name and its cause', (fault) => {
    const error = new OAuthError(fault)

    expect(toRefusal(error)).toMatchObject({ reason: fault, origin: undefined, facts: {}, cause: error })
  })

  test('about a proof keeps its code, its facts and whose it was', () => {
    const origin = { trustedIssuer: 'cluster', issuer: 'https://cluster.example' }
    const error = new ProofError('key_unknown', 'no such key', { facts: { keys: 3 }, origin })

    expect(toRefusal(error)).toMatchObject({ reason: 'key_unknown', origin, facts: { keys: 3 }, cause: error })
  })

  test.each([[new TypeError('bug')], ['a string'], [undefined], [null], [{ reason: 'binding_missing' }]])(
    'by accident is a bug: %s',
    (thrown) => {
      const { reason, cause } = toRefusal(thrown)

      expect(reason).toBe('internal')
      expect(cause).toBe(thrown)
    },
  )
})

describe('the answer', () => {
  const answerTo = (reason: RefusalReason, facts = {}) => toWireError(new Refusal(reason, { facts }))
  const REFUSED: WireError = { status: 400, error: 'invalid_request', description: 'subject_token_refused' }

  test.each([
    ...PROOF_REFUSALS,
    'proof_predates_store',
    'issuer_suspended',
    'binding_missing',
    'binding_suspended',
    'identity_malformed',
    'identity_suspended',
  ] as const)('to %s is the same as to every refused proof', (reason) => {
    expect(answerTo(reason, { claim: 'x', retry_after_seconds: 9 })).toEqual(REFUSED)
  })

  test.each(PROOF_OUTAGES)('to %s is to try again, soon or when upstream says', (reason) => {
    const outage = { status: 503, error: 'temporarily_unavailable', description: 'upstream_unavailable' }

    expect(answerTo(reason)).toEqual({ ...outage, retryAfterSeconds: 2 })
    expect(answerTo(reason, { retry_after_seconds: 7.2 })).toEqual({ ...outage, retryAfterSeconds: 8 })
    expect(answerTo(reason, { retry_after_seconds: 'soon' })).toEqual({ ...outage, retryAfterSeconds: 2 })
  })

  test.each([
    ['audit_unavailable', 503, 'broker_unavailable'],
    ['not_ready', 503, 'broker_unavailable'],
    ['key_unavailable', 503, 'broker_unavailable'],
    ['store_unavailable', 503, 'broker_unavailable'],
    ['store_full', 503, 'broker_unavailable'],
    ['too_busy', 429, 'too_busy'],
  ] as const)('to trouble of ours is to try again: %s', (reason, status, description) => {
    expect(answerTo(reason)).toEqual({ status, error: 'temporarily_unavailable', description, retryAfterSeconds: 2 })
  })

  test.each([
    ['target_ambiguous', 400, 'invalid_target'],
    ['target_missing', 400, 'invalid_target'],
    ['target_refused', 400, 'invalid_target'],
    ['scope_malformed', 400, 'invalid_scope'],
    ['scope_refused', 400, 'invalid_scope'],
    ['grant_type_unsupported', 400, 'unsupported_grant_type'],
    ['method_not_allowed', 405, 'invalid_request'],
    ['media_type_unsupported', 415, 'invalid_request'],
    ['body_too_large', 413, 'invalid_request'],
    ['body_unreadable', 400, 'invalid_request'],
    ['parameter_repeated', 400, 'invalid_request'],
    ['parameter_in_query', 400, 'invalid_request'],
    ['parameter_missing', 400, 'invalid_request'],
    ['subject_token_type_unsupported', 400, 'invalid_request'],
    ['requested_token_type_unsupported', 400, 'invalid_request'],
    ['actor_unsupported', 400, 'invalid_request'],
    ['authorization_unsupported', 400, 'invalid_request'],
    ['internal', 500, 'server_error'],
  ] as const)('to %s is %i %s, in its own sentence', (reason, status, error) => {
    expect(answerTo(reason)).toEqual({ status, error, description: reason })
  })

  test('exists for every reason, and says nothing that is not ours', () => {
    for (const reason of REFUSAL_REASONS) {
      const { status, description, retryAfterSeconds } = answerTo(reason)

      expect(Object.keys(DESCRIPTIONS)).toContain(description)
      expect(retryAfterSeconds !== undefined).toBe(status === 503 || status === 429)
    }
  })
})

test('no reason stands in the list twice', () => {
  expect(new Set(REFUSAL_REASONS).size).toBe(REFUSAL_REASONS.length)
})
