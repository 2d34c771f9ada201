/** Federation documents for tests: one cluster, one account, one audience, to be bent. */

export const BROKER = 'https://broker.example'

export interface DocumentParts {
  readonly trusted_issuers?: Readonly<Record<string, object>>
  readonly audiences?: Readonly<Record<string, object>>
  readonly identities?: Readonly<Record<string, object>>
  readonly bindings?: Readonly<Record<string, object>>
  readonly [member: string]: unknown
}

/** Gives a document that maps `payments/api` of a cluster to the identity `payments/api`. Parts replace what is there. */
export function documentFor(issuer: string, parts: DocumentParts = {}): object {
  return {
    version: 1,
    trust_domain: 'corp.example',
    proof_audiences: [BROKER],
    trusted_issuers: { cluster: { provider: 'kubernetes', issuers: [issuer] } },
    audiences: {
      ledger: { scopes: ['entries:read', 'entries:write'], max_lifetime_seconds: 900 },
      'https://orders.example': {},
    },
    identities: { 'payments/api': { grants: { ledger: ['entries:read'] } } },
    bindings: { 'payments-api': bindingFor('payments', 'api', 'payments/api') },
    ...parts,
  }
}

export function bindingFor(namespace: unknown, account: unknown, identity: string, more: object = {}): object {
  return {
    trusted_issuer: 'cluster',
    match: { 'kubernetes.namespace': namespace, 'kubernetes.service_account': account, ...more },
    identity,
  }
}
