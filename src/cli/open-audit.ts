/** Opens the place that audit records go to. */

import { SettingsError } from '../../providers/contract/errors.ts'
import type { LineWriter } from '../audit/sink.ts'
import { createDescriptorWriter, createFileWriter, createTableWriter } from '../audit/writers.ts'
import type { AuditLocation } from '../config-values.ts'
import type { RecordTable } from '../store/store.ts'

/** Standard output's file descriptor. */
const STANDARD_OUTPUT = 1

/** Opens it. `records` is the store's table, where it has one. Throws {@link SettingsError} where records cannot be written there. */
export async function openAuditWriter(audit: AuditLocation, records: RecordTable | undefined): Promise<LineWriter> {
  const refuse = (text: string) =>
    new SettingsError([{ path: ['--audit'], code: 'setting_wrong', message: `--audit: ${text}` }])
  if (audit.kind === 'stdout') return createDescriptorWriter(STANDARD_OUTPUT)
  if (audit.kind === 'postgres') {
    if (records === undefined) throw refuse('the store keeps no records')
    return createTableWriter(records)
  }
  return await createFileWriter(audit.path).catch((cause: unknown) => {
    throw refuse(`${audit.path} cannot be opened: ${cause instanceof Error ? cause.message : 'unknown error'}`)
  })
}
