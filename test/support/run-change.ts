/** What `chancery diff`, `replay` and `unused` say, run as the commands do but for the process. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifiers } from '../../providers/verifiers.ts'
import type { AuditRecord } from '../../src/audit/record.ts'
import { runDiff } from '../../src/cli/diff.ts'
import { runReplay } from '../../src/cli/replay.ts'
import { type Effect, type ReplayReport, replaySchema } from '../../src/cli/replay-report.ts'
import { runUnused } from '../../src/cli/unused.ts'
import { type UnusedReport, unusedSchema } from '../../src/cli/unused-report.ts'
import { type Change, differenceSchema, type Side } from '../../src/federation/change.ts'
import { compareFederations } from '../../src/federation/difference.ts'
import { buildFederation } from '../../src/federation/federation.ts'
import { parseDocument } from '../../src/federation/parse-document.ts'
import { proveDocuments } from '../../src/federation/prove-documents.ts'
import { type DocumentParts, documentFor } from './document.ts'
import { CLUSTER, CONTEXT, located } from './federation-parts.ts'
import { makeScratch } from './scratch.ts'

/** Exit code, and what was written. */
export interface Told {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Gives one side of a comparison: the document of {@link documentFor} with these parts. Throws what is wrong with it. */
export function sideOf(parts: DocumentParts = {}): Side {
  const side = sideOfText(JSON.stringify(documentFor(CLUSTER, parts)))
  if ('findings' in side) throw new Error(JSON.stringify(side.findings))
  return side
}

/** Gives one side, or what is wrong with the text. */
export function sideOfText(text: string): Side | { readonly findings: readonly unknown[] } {
  const { findings, proven } = proveDocuments(located(text), CONTEXT)
  const parsed = parseDocument(text, verifiers)
  if (proven === undefined || parsed.kind !== 'platform' || parsed.document === undefined) return { findings }
  return { federation: buildFederation(proven, CONTEXT), platform: parsed.document }
}

/** Compares two documents of these parts. Whatever comes is of the published shape. */
export function changesBetween(old: DocumentParts, next: DocumentParts): readonly Change[] {
  return differenceSchema.parse(compareFederations(sideOf(old), sideOf(next))).changes
}

/** Tells changes as `kind name audience change member`, without what does not apply. */
export function brief(changes: readonly Change[]): readonly string[] {
  return changes.map(({ kind, name, audience, change, member }) =>
    [kind, name, audience, change, member].filter((part) => part !== null).join(' '),
  )
}

/** Writes a file into a directory of the running test. Objects become JSON, records one line each. */
export function writeScratch(name: string, content: string | object | readonly AuditRecord[]): string {
  const path = join(makeScratch(), name)
  const text = Array.isArray(content)
    ? content.map((record) => `${JSON.stringify(record)}\n`).join('')
    : JSON.stringify(content)
  writeFileSync(path, typeof content === 'string' ? content : text)
  return path
}

/** A delegation of names below `payments/`, for proofs of two namespaces. */
export const PAYMENTS = {
  identity_prefix: 'payments/',
  trusted_issuers: { cluster: { match: { 'kubernetes.namespace': ['payments', 'billing'] } } },
  grants: { ledger: ['entries:read'] },
}

/** Writes a directory with a platform document that has the delegation, and of the team payments this one. */
export function writeTeam(team: object): string {
  const path = makeScratch()
  const platform = documentFor(CLUSTER, { identities: {}, bindings: {}, delegations: { payments: PAYMENTS } })
  writeFileSync(join(path, 'platform.json'), JSON.stringify(platform))
  writeFileSync(join(path, 'payments.json'), JSON.stringify({ version: 1, delegation: 'payments', ...team }))
  return path
}

/** Runs `chancery diff` on two paths. */
export async function diff(old: string, next: string, options: object = {}): Promise<Told> {
  return await tell((terminal) => runDiff(old, next, { insecureHost: [], ...options }, terminal))
}

/** Runs `chancery replay` on two paths. */
export async function replay(
  audit: string,
  next: string,
  options: { allow?: Effect[]; json?: boolean } = {},
): Promise<Told> {
  return await tell((terminal) => runReplay(audit, next, { insecureHost: [], allow: [], ...options }, terminal))
}

/** Replays records under the document of {@link documentFor} with these parts. Whatever comes is of the published shape. */
export async function replayRecords(
  records: readonly AuditRecord[] | string,
  parts: DocumentParts,
  allow: Effect[] = [],
): Promise<{ readonly code: number; readonly report: ReplayReport }> {
  const audit = writeScratch('audit.jsonl', records)
  const next = writeScratch('federation.json', documentFor(CLUSTER, parts))
  const { code, out } = await replay(audit, next, { json: true, allow })
  return { code, report: replaySchema.parse(JSON.parse(out)) }
}

/** Runs `chancery unused` on two paths. */
export async function unused(audit: string, path: string, options: object = {}): Promise<Told> {
  return await tell((terminal) => runUnused(audit, path, { insecureHost: [], ...options }, terminal))
}

/** Finds what records leave unused of the document of {@link documentFor} with these parts. */
export async function unusedIn(records: readonly AuditRecord[], parts: DocumentParts): Promise<UnusedReport> {
  const audit = writeScratch('audit.jsonl', records)
  const path = writeScratch('federation.json', documentFor(CLUSTER, parts))
  return unusedSchema.parse(JSON.parse((await unused(audit, path, { json: true })).out))
}

async function tell(
  run: (terminal: { out(text: string): void; err(text: string): void }) => Promise<number>,
): Promise<Told> {
  const written = { out: '', err: '' }
  const code = await run({
    out(text) {
      written.out += text
    },
    err(text) {
      written.err += text
    },
  })
  return { code, ...written }
}
