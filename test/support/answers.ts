/** The answers of the attack catalogue, and what must hold of every refusal. */

import { expect } from 'vitest'
import { REFUSAL_REASONS, type RefusalReason } from '../../src/audit/reasons.ts'
import { auditRecordSchema } from '../../src/audit/record.ts'
import { DESCRIPTIONS } from '../../src/oauth/errors.ts'
import type { Reply, TestBroker } from './broker.ts'

/** By the catalogue's abbreviations. */
const ANSWERS = {
  IR: { status: 400, error: 'invalid_request' },
  IT: { status: 400, error: 'invalid_target' },
  IS: { status: 400, error: 'invalid_scope' },
  UG: { status: 400, error: 'unsupported_grant_type' },
  TL: { status: 413, error: 'invalid_request' },
  TU: { status: 503, error: 'temporarily_unavailable' },
  RL: { status: 429, error: 'temporarily_unavailable' },
} as const

export type AnswerCode = keyof typeof ANSWERS

/** What a refused proof is always answered with. */
export const REFUSED_BODY = '{"error":"invalid_request","error_description":"subject token refused"}'

/**
 * Asserts a refusal: the whole answer, no token, nothing to cache, a description of ours, and exactly one audit record whose
 * reason is this one.
 */
export function expectRefusal(broker: TestBroker, reply: Reply, answer: AnswerCode, reason: RefusalReason): void {
  expect({ status: reply.status, error: reply.json.error }).toEqual(ANSWERS[answer])
  expectErrorShape(reply)
  if (answer === 'TU' || answer === 'RL') expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0)
  const records = broker.records().filter((record) => record.request_id === reply.requestId)
  expect(records.map((record) => ({ decision: record.decision, reason: record.reason }))).toEqual([
    { decision: 'refused', reason },
  ])
  expect(auditRecordSchema.safeParse(records[0]).error).toBeUndefined()
  expect(REFUSAL_REASONS).toContain(reason)
}

/** Asserts that a proof was refused, with the one answer that every refused proof gets. */
export function expectProofRefused(broker: TestBroker, reply: Reply, reason: RefusalReason): void {
  expectRefusal(broker, reply, 'IR', reason)
  expect(reply.text).toBe(REFUSED_BODY)
}

/** Asserts what every error answer has, whatever it is about. */
export function expectErrorShape(reply: Reply): void {
  expect(Object.keys(reply.json)).toEqual(['error', 'error_description'])
  expect(Object.values(DESCRIPTIONS)).toContain(reply.json.error_description)
  expect(reply.text).not.toContain('access_token')
  expect(Object.fromEntries(reply.headers)).toMatchObject({
    'cache-control': 'no-store',
    pragma: 'no-cache',
    'content-type': 'application/json',
    'x-content-type-options': 'nosniff',
    'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
  })
}

/** Asserts a token, and gives it with its record. */
export function expectIssued(broker: TestBroker, reply: Reply) {
  expect({ status: reply.status, error: reply.json.error_description }).toEqual({ status: 200, error: undefined })
  const records = broker.records().filter((record) => record.request_id === reply.requestId)
  expect(records.map((record) => record.decision)).toEqual(['issued'])
  expect(auditRecordSchema.safeParse(records[0]).error).toBeUndefined()
  const [record] = records
  return { token: String(reply.json.access_token), record }
}
