/** What `chancery unused --json` prints. */

import { z } from 'zod'

const text = z.string()
const count = z.int().min(0)

const unusedItemSchema = z.strictObject({
  kind: z.enum(['trusted_issuer', 'identity', 'grant', 'scope', 'binding']),
  name: text.describe('Of a grant or a scope, its identity’s.'),
  audience: text.nullable(),
  scope: text.nullable(),
})

/** Every member is there; what does not apply is null. */
export const unusedSchema = z
  .strictObject({
    version: z.literal(1),
    document: text.describe('Digest of the document.'),
    from: text.nullable().describe('Time of the earliest record.'),
    to: text.nullable(),
    decisions: count.describe('Recorded decisions that were made anew.'),
    unused: z
      .array(unusedItemSchema)
      .describe('The grants of an unused identity, and the scopes of an unused grant, are not told beside it.'),
  })
  .describe('Chancery unused')

export type UnusedReport = z.output<typeof unusedSchema>
export type UnusedItem = z.output<typeof unusedItemSchema>

/** Gives the published JSON Schema. */
export function toUnusedJsonSchema(): object {
  return z.toJSONSchema(unusedSchema, { target: 'draft-2020-12' })
}
