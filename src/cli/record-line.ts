/** An audit record as any version of the broker may have written it. */

import { z } from 'zod'
import { auditRecordSchema } from '../audit/record.ts'

/** Other members may stand beside these, and reasons may be ones that are not known here. */
export const anyRecordSchema = z.object({ ...auditRecordSchema.shape, reason: z.string().nullable() })

/** Gives what a schema asks of the record in a line; undefined where there is none. */
export function parseRecordLine<Schema extends z.ZodType>(line: string, schema: Schema): z.output<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}
