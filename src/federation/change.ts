/** One thing that changes between two federations, as `chancery diff --json` prints it. */

import { z } from 'zod'
import type { FederationDocument } from './document.ts'
import type { Federation } from './federation.ts'

const text = z.string()

/** What can change, in the order in which it is told. */
export const KINDS = ['federation', 'trusted_issuer', 'audience', 'delegation', 'identity', 'grant', 'binding'] as const

const CHANGES = [
  ...(['added', 'removed', 'widened', 'narrowed', 'changed'] as const),
  ...(['renamed', 'moved', 'suspended', 'resumed', 'shadowed', 'unshadowed'] as const),
] as const

const changeSchema = z.strictObject({
  kind: z.enum(KINDS),
  name: text.describe('The name in the new document, or in the old one where it is gone; of a grant, its identity’s.'),
  audience: text.nullable().describe('Of a grant: for whom its tokens are.'),
  change: z
    .enum(CHANGES)
    .describe('"widened" and "narrowed" say that one side holds the other whole; "changed", that neither does.'),
  member: text.nullable().describe('What of it changed, such as "match" or "keys/url"; null for all of it.'),
  old: z.json().describe('Null where there was nothing.'),
  new: z.json().describe('Null where there is nothing.'),
  fallback: z
    .strictObject({ binding: text, identity: text })
    .nullable()
    .describe('Of a binding that comes or goes: what decides its proofs on the other side; null where nothing does.'),
})

/** Every member is there in every change; what does not apply is null. */
export const differenceSchema = z
  .strictObject({
    version: z.literal(1),
    old: text.describe('Digest of the old document.'),
    new: text.describe('Digest of the new document.'),
    changes: z.array(changeSchema),
  })
  .describe('Chancery difference')

export type Change = z.output<typeof changeSchema>
export type Difference = z.output<typeof differenceSchema>

/** One of the two federations: what is decided by, and what the platform team wrote of it. */
export interface Side {
  readonly federation: Federation
  readonly platform: FederationDocument
}

/** Makes a change of what applies to it. */
export function changeOf(parts: Pick<Change, 'kind' | 'name' | 'change'> & Partial<Change>): Change {
  return { audience: null, member: null, old: null, new: null, fallback: null, ...parts }
}

/** Gives what was read from a document as JSON; null for what is not there. */
export function jsonOf(value: unknown): Change['old'] {
  return value === undefined ? null : z.json().parse(value)
}

/** Gives the published JSON Schema of a difference. */
export function toDifferenceJsonSchema(): object {
  return z.toJSONSchema(differenceSchema, { target: 'draft-2020-12' })
}
