/** `chancery replay`: what a new document would have decided of the requests that were recorded. */

import { verifiers } from '../../providers/verifiers.ts'
import type { Federation } from '../federation/federation.ts'
import { type AuditEntry, readAudit } from './audit-input.ts'
import type { DocumentOptions } from './document-options.ts'
import { EXIT, type Terminal } from './exit.ts'
import { openDocuments } from './open-documents.ts'
import { decideAnew, readRequest } from './replay-decision.ts'
import { createGroupTable, judge } from './replay-groups.ts'
import { createIssuerFinder } from './replay-issuers.ts'
import { EFFECTS, type Effect, type ReplayReport } from './replay-report.ts'
import { tellReplay } from './replay-text.ts'

export interface ReplayOptions extends DocumentOptions {
  readonly json?: boolean
  readonly allow: readonly Effect[]
}

/**
 * Decides recorded requests anew, and gives the exit code: 0 where all goes on as it was, but for effects that are allowed; 1 where
 * it does not, or the document is refused.
 */
export async function runReplay(
  audit: string,
  next: string,
  options: ReplayOptions,
  terminal: Terminal,
): Promise<number> {
  const opened = await openDocuments(next, options, terminal)
  if (opened === undefined || opened.errors.length > 0) return EXIT.refused
  const report = await replay(audit, opened.side.federation, terminal)
  terminal.out(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : tellReplay(report))
  const isExpected = EFFECTS.every((effect) => report.decisions[effect] === 0 || options.allow.includes(effect))
  return isExpected ? EXIT.done : EXIT.refused
}

async function replay(audit: string, federation: Federation, terminal: Terminal): Promise<ReplayReport> {
  const decisions = { replayed: 0, unchanged: 0, loses: 0, changes: 0, gains: 0 }
  const skipped = { unverified: 0, not_of_mapping: 0, incomplete: 0 }
  const findIssuer = createIssuerFinder(federation)
  const table = createGroupTable(createPins())
  const { from, to, unreadable, isTorn } = await readAudit(audit, terminal, (entry) => {
    const request = readRequest(entry)
    if (typeof request === 'string') {
      skipped[request] += 1
      return
    }
    const consequence = judge(entry, request, decideAnew(request, federation, findIssuer).outcome)
    decisions.replayed += 1
    decisions[consequence?.effect ?? 'unchanged'] += 1
    if (consequence !== undefined) table.add(entry, request, consequence)
  })
  return {
    version: 1,
    document: federation.digest,
    from,
    to,
    decisions,
    skipped: { ...skipped, unreadable, torn: isTorn },
    groups: [...table.groups()],
    ungrouped: table.ungrouped(),
  }
}

/** What pins a workload is what makes it that workload and no other, whatever the bindings ask for beside it. */
function createPins(): (entry: AuditEntry) => ReadonlySet<string> {
  const pins = new Map<string | null, ReadonlySet<string>>(
    verifiers.map(({ name, pins }) => [name, new Set(pins.flat())]),
  )
  return ({ provider }) => pins.get(provider) ?? new Set()
}
