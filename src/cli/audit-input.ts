/** Reads audit records, however many there are: nothing of them is kept. */

import type { z } from 'zod'
import { readLines } from './audit-lines.ts'
import { type Terminal, UsageError } from './exit.ts'
import { createProgress } from './progress.ts'
import { anyRecordSchema, parseRecordLine } from './record-line.ts'

/** What is needed of a record. */
const entrySchema = anyRecordSchema.pick({
  time: true,
  request_id: true,
  decision: true,
  reason: true,
  provider: true,
  trusted_issuer: true,
  issuer: true,
  attributes: true,
  identity: true,
  audience: true,
  scope: true,
  token_expires_at: true,
})

export type AuditEntry = z.output<typeof entrySchema>

/** What was read. */
export interface AuditTally {
  readonly records: number
  /** Lines that are no record. */
  readonly unreadable: number
  /** Whether the end breaks off, as it does while somebody writes it. */
  readonly isTorn: boolean
  /** Time of the earliest record; null where there is none. */
  readonly from: string | null
  readonly to: string | null
}

/**
 * Calls back for each record of an audit trail, and tells on the terminal how far it is.
 *
 * Throws {@link UsageError} where it cannot be read, or has something in it and no record: nobody is to take that for an empty one.
 */
export async function readAudit(
  path: string,
  terminal: Terminal,
  onEntry: (entry: AuditEntry) => void,
): Promise<AuditTally> {
  const progress = createProgress(terminal)
  const tally = { records: 0, unreadable: 0, isTorn: false, from: '', to: '' }
  const isTaken = (line: string | undefined): boolean => {
    if (line?.trim() === '') return true
    const entry = line === undefined ? undefined : parseRecordLine(line, entrySchema)
    if (entry === undefined) return false
    tally.records += 1
    if (tally.from === '' || entry.time < tally.from) tally.from = entry.time
    if (entry.time > tally.to) tally.to = entry.time
    onEntry(entry)
    return true
  }
  for await (const { whole, rest, isCut } of readLines(path)) {
    for (const line of whole) if (!isTaken(line)) tally.unreadable += 1
    tally.isTorn = isCut || !isTaken(rest)
    progress.tell(`${tally.records.toLocaleString('en')} records read`)
  }
  if (tally.records === 0 && (tally.unreadable > 0 || tally.isTorn))
    throw new UsageError(`${path} holds no audit records`)
  return { ...tally, from: tally.from || null, to: tally.to || null }
}
