/** The audit record: what was decided about one request, in one line of JSON. */

import { z } from 'zod'
import { REFUSAL_REASONS } from './reasons.ts'

const text = z.string()
const dateTime = z.iso.datetime({ precision: 3 })

const shadow = z
  .strictObject({
    binding: text,
    identity: text.nullable().describe('Null where its template made no name.'),
    decision: z.enum(['issued', 'refused']),
    reason: z.enum(REFUSAL_REASONS).nullable(),
    audience: text.nullable(),
    scope: text
      .nullable()
      .describe('What would have been granted; where it would have been refused, what was asked for.'),
  })
  .describe('What a binding in shadow would have decided.')

/** Every member but `shadow` is there in every record; what does not apply is null. */
export const auditRecordSchema = z
  .strictObject({
    time: dateTime.describe('When it was decided.'),
    request_id: z.uuid().describe('The x-request-id of the answer.'),
    decision: z.enum(['issued', 'refused']),
    reason: z.enum(REFUSAL_REASONS).nullable().describe('Why it was refused; null where a token was issued.'),
    provider: z.enum(['aws', 'azure', 'gcp', 'kubernetes']).nullable(),
    trusted_issuer: text.nullable().describe('Its name in the federation document.'),
    issuer: text.nullable().describe('The exact iss; null where it is not a trusted one.'),
    subject: text.nullable().describe('The platform’s name for the workload; null where it is not verified.'),
    attributes: z
      .record(z.string(), text)
      .nullable()
      .describe('Verified attributes; null where the proof was not verified.'),
    proof_digest: text.nullable().describe('SHA-256 of the subject token, in hex.'),
    binding: text.nullable(),
    identity: text.nullable(),
    audience: text.nullable().describe('The target, as far as it is known and its asker verified.'),
    scope: text.nullable().describe('What was granted; where it was refused, what was asked for.'),
    token_id: text.nullable().describe('The jti of the token.'),
    token_expires_at: dateTime.nullable(),
    document: text.nullable().describe('Digest of the federation document that decided.'),
    shadow: shadow.optional(),
    client_address: text.nullable(),
  })
  .describe('Chancery audit record')

export type AuditRecord = z.output<typeof auditRecordSchema>

/** Gives the published JSON Schema of a record. */
export function toAuditJsonSchema(): object {
  return z.toJSONSchema(auditRecordSchema, { target: 'draft-2020-12' })
}
