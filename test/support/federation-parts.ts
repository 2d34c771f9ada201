/** Federations, proofs and what goes with them, for tests of one step. */

import type { VerifiedProof } from '../../providers/contract/proof.ts'
import { verifiers } from '../../providers/verifiers.ts'
import type { IdentityEntry } from '../../src/federation/document.ts'
import { type Federation, readFederation } from '../../src/federation/federation.ts'
import type { Finding } from '../../src/federation/finding.ts'
import { type LocatedDocuments, proveDocuments } from '../../src/federation/prove-documents.ts'
import type { ValidationContext } from '../../src/federation/validate.ts'
import { BROKER, type DocumentParts, documentFor } from './document.ts'

/** The cluster of every document that is made here. It is never asked for anything. */
export const CLUSTER = 'https://cluster.example'

export const CONTEXT: ValidationContext = { providers: verifiers, insecureHosts: new Set(), brokerIssuer: BROKER }

/** Gives texts as what lies at a path: the one of a file, or those of a directory's files by name. */
export function located(texts: string | Readonly<Record<string, string>>): LocatedDocuments {
  if (typeof texts === 'string') return { path: 'federation.json', sources: [{ file: 'federation.json', text: texts }] }
  return { path: 'federation', sources: Object.entries(texts).map(([file, text]) => ({ file, text })) }
}

/** Gives the federation of a document that has nothing wrong with it. Throws what is found otherwise. */
export function federationFor(parts: DocumentParts = {}, context: ValidationContext = CONTEXT): Federation {
  const text = JSON.stringify(documentFor(CLUSTER, parts))
  const { federation, findings } = readFederation(located(text), context)
  if (federation === undefined) throw new Error(JSON.stringify(findings))
  return federation
}

/** Gives all that is found in a document, made of parts or as it stands. */
export function findingsIn(document: DocumentParts | string, context: ValidationContext = CONTEXT): readonly Finding[] {
  const text = typeof document === 'string' ? document : JSON.stringify(documentFor(CLUSTER, document))
  return proveDocuments(located(text), context).findings
}

/** Tells findings as `severity path code`. */
export function tell(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ severity, path, code }) => `${severity} ${path} ${code}`)
}

/** Gives an entry of `identities` as the schema would. */
export function identityOf(parts: Partial<IdentityEntry> = {}): IdentityEntry {
  return { grants: { ledger: ['entries:read'] }, ...parts }
}

/** Gives a proof of `payments/api`, as its verifier would. */
export function proofOf(now: number, parts: Partial<VerifiedProof> = {}): VerifiedProof {
  return {
    provider: 'kubernetes',
    trustedIssuer: 'cluster',
    issuer: CLUSTER,
    subject: 'system:serviceaccount:payments:api',
    instance: 'api-1',
    audience: BROKER,
    issuedAt: now - 60,
    expiresAt: now + 3_600,
    replay: { key: `kubernetes ${CLUSTER} 1`, singleUse: false },
    live: false,
    attributes: new Map([
      ['kubernetes.namespace', 'payments'],
      ['kubernetes.service_account', 'api'],
    ]),
    ...parts,
  }
}
