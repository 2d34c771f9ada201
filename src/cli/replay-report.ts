/** What `chancery replay --json` prints. */

import { z } from 'zod'
import { UsageError } from './exit.ts'

/** What a document does to whoever made a recorded request. */
export const EFFECTS = ['loses', 'changes', 'gains'] as const

export type Effect = (typeof EFFECTS)[number]

const text = z.string()
const count = z.int().min(0)

const sideSchema = z.strictObject({
  decision: z.enum(['issued', 'refused']),
  reason: text.nullable().describe('Why it is refused; null where a token is issued.'),
  identity: text.nullable(),
  scope: text.nullable(),
  lifetime_seconds: count.nullable().describe('Of several, the longest.'),
})

const groupSchema = z.strictObject({
  effect: z.enum(EFFECTS),
  changes: z
    .array(z.enum(['access', 'identity', 'scopes', 'lifetime']))
    .describe('What is other than it was: whether there is a token at all, or what is in it.'),
  trusted_issuer: text,
  workload: z.record(z.string(), text).describe('The attributes that pin it.'),
  audience: text.nullable().describe('The target; null where none was named.'),
  count: count.describe('Decisions.'),
  first: text.describe('Time of the earliest.'),
  last: text.describe('Time of the latest.'),
  example_request_id: text,
  old: sideSchema.describe('As it was recorded.'),
  new: sideSchema.describe('As the new document decides.'),
})

/** Every member is there; what does not apply is null. */
export const replaySchema = z
  .strictObject({
    version: z.literal(1),
    document: text.describe('Digest of the new document.'),
    from: text.nullable().describe('Time of the earliest record.'),
    to: text.nullable(),
    decisions: z
      .strictObject({ replayed: count, unchanged: count, loses: count, changes: count, gains: count })
      .describe('Recorded decisions that were made anew.'),
    skipped: z.strictObject({
      unverified: count.describe('Refusals of proofs that were never verified.'),
      not_of_mapping: count.describe('Refusals that no document could have changed, such as of a spent proof.'),
      incomplete: count.describe('Records that do not say what was asked for.'),
      unreadable: count.describe('Lines that are no record.'),
      torn: z.boolean().describe('Whether the last record breaks off.'),
    }),
    groups: z.array(groupSchema),
    ungrouped: count.describe('Decisions beyond the groups that are kept. They are counted above.'),
  })
  .describe('Chancery replay')

export type ReplayReport = z.output<typeof replaySchema>
export type ReplayGroup = z.output<typeof groupSchema>

/** Reads effects as they are typed after `--allow`. Throws {@link UsageError}. */
export function parseEffects(list: string): readonly Effect[] {
  return list.split(',').map((word) => {
    const effect = EFFECTS.find((known) => known === word.trim())
    if (effect === undefined) throw new UsageError(`--allow: "${word}" is none of ${EFFECTS.join(', ')}`)
    return effect
  })
}

/** Gives the published JSON Schema of a replay. */
export function toReplayJsonSchema(): object {
  return z.toJSONSchema(replaySchema, { target: 'draft-2020-12' })
}
