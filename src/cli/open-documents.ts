/** Opens the documents at a path for commands that compare or try them. */

import { existsSync } from 'node:fs'
import type { Side } from '../federation/change.ts'
import { buildFederation } from '../federation/federation.ts'
import type { Finding } from '../federation/finding.ts'
import { locateDocuments } from '../federation/locate.ts'
import { parseDocument } from '../federation/parse-document.ts'
import { proveDocuments } from '../federation/prove-documents.ts'
import { contextOf, type DocumentOptions } from './document-options.ts'
import { type Terminal, UsageError } from './exit.ts'
import { tellRefused } from './finding-text.ts'

/** Documents that can be used, and what is wrong with those that were left out. */
export interface Opened {
  readonly side: Side
  readonly errors: readonly Finding[]
}

/**
 * Opens what lies at a path as `chancery check` would. Undefined where there is no federation in it, after saying why; with a broken
 * team document, what is left without it. Throws {@link UsageError} where there is nothing at the path.
 */
export async function openDocuments(
  path: string,
  options: DocumentOptions,
  terminal: Terminal,
): Promise<Opened | undefined> {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist`)
  const context = contextOf(options)
  const { findings, proven } = proveDocuments(await locateDocuments(path), context)
  const errors = findings.filter(({ severity }) => severity === 'error')
  const [error] = errors
  if (error !== undefined) terminal.err(tellRefused(path, error, path))
  const [own] = proven?.documents ?? []
  const parsed = own === undefined ? undefined : parseDocument(own.text, context.providers)
  if (proven === undefined || parsed?.kind !== 'platform' || parsed.document === undefined) return undefined
  return { side: { federation: buildFederation(proven, context), platform: parsed.document }, errors }
}
