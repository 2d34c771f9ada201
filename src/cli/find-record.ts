import type { z } from 'zod'
import { readLines } from './audit-lines.ts'
import { anyRecordSchema, parseRecordLine } from './record-line.ts'

/** What is told of a record. */
const foundSchema = anyRecordSchema.pick({
  time: true,
  request_id: true,
  decision: true,
  binding: true,
  identity: true,
  audience: true,
  scope: true,
  document: true,
  shadow: true,
  trusted_issuer: true,
  attributes: true,
  reason: true,
})

type Found = Omit<z.output<typeof foundSchema>, 'request_id'>

/** What was decided when a recorded request came. */
export type Recorded = Omit<Found, 'trusted_issuer' | 'attributes'>

/**
 * Finds the record of a request in an audit trail of any size, compressed or not, or on standard input where the path is `-`.
 * Undefined where there is none. Throws {@link UsageError} where it cannot be read.
 */
export async function findRecord(path: string, requestId: string): Promise<Found | undefined> {
  for await (const { whole, rest } of readLines(path)) {
    for (const line of [...whole, rest]) {
      const record = line?.includes(requestId) === true ? parseRecordLine(line, foundSchema) : undefined
      if (record?.request_id !== requestId) continue
      const { request_id: _, ...found } = record
      return found
    }
  }
  return undefined
}
