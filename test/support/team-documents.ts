/** A platform document that delegates to two teams, and their documents, to be bent. */

import type { Finding } from '../../src/federation/finding.ts'
import { type FederationProof, proveDocuments } from '../../src/federation/prove-documents.ts'
import { bindingFor, type DocumentParts, documentFor } from './document.ts'
import { CLUSTER, CONTEXT, located } from './federation-parts.ts'

export const NAMESPACE = 'kubernetes.namespace'
export const ACCOUNT = 'kubernetes.service_account'

/** Gives a delegation of one namespace of the cluster. */
export function delegationOf(namespace: unknown, parts: object = {}): object {
  return {
    identity_prefix: `${[namespace].flat().join('-')}/`,
    trusted_issuers: { cluster: { match: { [NAMESPACE]: namespace } } },
    grants: { ledger: ['entries:read'] },
    ...parts,
  }
}

/** Gives a platform document that binds one workload of its own, and delegates the namespaces `payments` and `orders`. */
export function platformFor(issuer: string, parts: DocumentParts = {}): object {
  return documentFor(issuer, {
    identities: { 'tools/scanner': { grants: { ledger: ['entries:read'] } } },
    bindings: { scanner: bindingFor('tools', 'scanner', 'tools/scanner') },
    delegations: { payments: delegationOf('payments'), orders: delegationOf('orders') },
    ...parts,
  })
}

/** Gives the document of a team with one workload, `api`. */
export function teamFor(delegation: string, parts: object = {}): object {
  return {
    version: 1,
    delegation,
    identities: { [`${delegation}/api`]: { grants: { ledger: ['entries:read'] } } },
    bindings: { api: bindingFor(delegation, 'api', `${delegation}/api`) },
    ...parts,
  }
}

export type Files = Readonly<Record<string, object | string>>

/** Proves documents as the files of a directory. */
export function prove(files: Files): FederationProof {
  const texts = Object.entries(files).map(([file, document]) => [file, textOf(document)])
  return proveDocuments(located(Object.fromEntries(texts)), CONTEXT)
}

/** Gives a document's text; text stays as it is. */
export function textOf(document: object | string): string {
  return typeof document === 'string' ? document : JSON.stringify(document)
}

/** Proves a document of the team `payments`, and tells what is found in it as `severity path code`. */
export function findingsInTeam(parts: object, platform: DocumentParts = {}): readonly string[] {
  const { findings } = prove({
    'platform.json': platformFor(CLUSTER, platform),
    'team.json': teamFor('payments', parts),
  })
  return tellFiles(findings)
    .filter((line) => line.startsWith('team.json '))
    .map((line) => line.slice('team.json '.length))
}

/** Tells findings as `file severity path code`. */
export function tellFiles(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ file, severity, path, code }) => `${file} ${severity} ${path} ${code}`)
}

/** Tells whose documents a federation is made of. */
export function whose({ proven }: FederationProof): readonly string[] | undefined {
  return proven?.documents.map(({ delegation = 'platform' }) => delegation)
}
