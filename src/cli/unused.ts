/** `chancery unused`: which parts of a document no recorded request needed. */

import type { Federation } from '../federation/federation.ts'
import { readAudit } from './audit-input.ts'
import type { DocumentOptions } from './document-options.ts'
import { EXIT, type Terminal } from './exit.ts'
import { openDocuments } from './open-documents.ts'
import { decideAnew, readRequest } from './replay-decision.ts'
import { createIssuerFinder } from './replay-issuers.ts'
import { createUsedParts } from './unused-parts.ts'
import type { UnusedItem, UnusedReport } from './unused-report.ts'

export interface UnusedOptions extends DocumentOptions {
  readonly json?: boolean
  readonly exitCode?: boolean
}

/**
 * Says what nothing needed, and gives the exit code: 0, or 1 where there is such a thing and that was asked for, or the document is
 * refused. Requests are decided anew, so that a binding which took over yesterday counts for what came before it, too.
 */
export async function runUnused(
  audit: string,
  path: string,
  options: UnusedOptions,
  terminal: Terminal,
): Promise<number> {
  const opened = await openDocuments(path, options, terminal)
  if (opened === undefined || opened.errors.length > 0) return EXIT.refused
  const report = await findUnused(audit, opened.side.federation, terminal)
  terminal.out(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : tell(report))
  return options.exitCode === true && report.unused.length > 0 ? EXIT.refused : EXIT.done
}

async function findUnused(audit: string, federation: Federation, terminal: Terminal): Promise<UnusedReport> {
  const parts = createUsedParts(federation)
  const findIssuer = createIssuerFinder(federation)
  let decisions = 0
  const { from, to } = await readAudit(audit, terminal, (entry) => {
    const request = readRequest(entry)
    if (typeof request === 'string') return
    decisions += 1
    parts.use(request, decideAnew(request, federation, findIssuer))
  })
  return { version: 1, document: federation.digest, from, to, decisions, unused: [...parts.unused()] }
}

function tell({ from, to, decisions, unused }: UnusedReport): string {
  const span = from === null ? 'in no records' : `from ${from} to ${to}`
  return [
    ...unused.map((item) => `${item.kind.replace('_', ' ')} ${tellItem(item)}`),
    `${unused.length} unused in ${decisions} decisions, ${span}`,
    '',
  ].join('\n')
}

function tellItem({ name, audience, scope }: UnusedItem): string {
  if (audience === null) return name
  return scope === null ? `${name} at ${audience}` : `${name} at ${audience}: ${scope}`
}
