/** Reads and proves a document in a process of its own, so that exchanges go on meanwhile, whatever becomes of it. */

import { verifiers } from '../../providers/verifiers.ts'
import type { FederationDocument } from '../federation/document.ts'
import { digestOf, proveDocument } from '../federation/federation.ts'
import type { Finding } from '../federation/finding.ts'
import { locateDocument } from '../federation/locate.ts'

/** What the process is asked. */
export interface LoadRequest {
  readonly path: string
  readonly insecureHosts: readonly string[]
  readonly brokerIssuer: string
}

/** What it answers, in members that can cross processes. */
export interface LoadAnswer {
  readonly findings: readonly Finding[]
  readonly accepted:
    | { readonly file: string; readonly text: string; readonly digest: string; readonly document: FederationDocument }
    | undefined
}

async function load({ path, insecureHosts, brokerIssuer }: LoadRequest): Promise<LoadAnswer> {
  const located = await locateDocument(path)
  if ('findings' in located) return { findings: located.findings, accepted: undefined }
  const context = { providers: verifiers, insecureHosts: new Set(insecureHosts), brokerIssuer }
  const { findings, document } = proveDocument(located, context)
  if (document === undefined) return { findings, accepted: undefined }
  return { findings, accepted: { ...located, digest: digestOf(located.text), document } }
}

async function answer(request: LoadRequest): Promise<void> {
  process.send?.(await load(request))
  process.disconnect()
}

process.once('message', (request) => void answer(request as LoadRequest))
