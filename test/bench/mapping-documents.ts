/** Documents of any size: a platform as large companies have it, one identity for each workload. */

import type { Binding } from '../../src/federation/bindings.ts'
import type { Condition } from '../../src/federation/match.ts'
import type { ProvenFederation } from '../../src/federation/proven.ts'
import { BROKER } from '../support/document.ts'

const NAMESPACE = 'kubernetes.namespace'
const ACCOUNT = 'kubernetes.service_account'
const POD = 'kubernetes.pod_name'

/** Of every ten workloads one has a list of accounts, one a prefix, one is a certain pod: three sets of attributes at any size. */
export function matchOf(n: number): Readonly<Record<string, string | readonly string[]>> {
  const namespace = `team-${Math.floor(n / 20)}`
  const account = `service-${n % 20}`
  if (n % 10 === 7) return { [NAMESPACE]: namespace, [ACCOUNT]: [account, `${account}-batch`] }
  if (n % 10 === 8) return { [NAMESPACE]: namespace, [ACCOUNT]: `${account}-*` }
  if (n % 10 === 9) return { [NAMESPACE]: namespace, [ACCOUNT]: account, [POD]: `${account}-0` }
  return { [NAMESPACE]: namespace, [ACCOUNT]: account }
}

/** The attributes of a proof that only the binding of this number matches. */
export function attributesOf(n: number): ReadonlyMap<string, string> {
  const account = `service-${n % 20}`
  return new Map([
    [NAMESPACE, `team-${Math.floor(n / 20)}`],
    [ACCOUNT, n % 10 === 8 ? `${account}-blue` : account],
    [POD, `${account}-0`],
  ])
}

export function identityOf(n: number): string {
  return `team-${Math.floor(n / 20)}/service-${n % 20}`
}

/** Gives the text of a document with this many bindings, and one more for the pod that sends proofs. `edition` makes it another. */
export function textOf(count: number, issuer: string, edition = 0): string {
  const numbers = Array.from({ length: count }, (_, n) => n)
  const identity = { grants: { ledger: ['entries:read'] } }
  return JSON.stringify({
    version: 1,
    trust_domain: 'corp.example',
    proof_audiences: [BROKER],
    trusted_issuers: { cluster: { provider: 'kubernetes', issuers: [issuer] } },
    audiences: { ledger: { scopes: ['entries:read', 'entries:write'], max_lifetime_seconds: 900 } },
    identities: {
      'payments/api': { ...identity, claims: { edition } },
      ...Object.fromEntries(numbers.map((n) => [identityOf(n), identity])),
    },
    bindings: {
      'payments-api': {
        trusted_issuer: 'cluster',
        match: { [NAMESPACE]: 'payments', [ACCOUNT]: 'api' },
        identity: 'payments/api',
      },
      ...Object.fromEntries(
        numbers.map((n) => [`binding-${n}`, { trusted_issuer: 'cluster', match: matchOf(n), identity: identityOf(n) }]),
      ),
    },
  })
}

/** Gives the bindings as they are once they are proved. */
export function bindingsOf(count: number): readonly Binding[] {
  return Array.from({ length: count }, (_, n) => {
    const match = new Map(Object.entries(matchOf(n)).map(([name, value]) => [name, conditionOf(value)]))
    const identity = identityOf(n)
    return {
      name: `binding-${n}`,
      trustedIssuer: 'cluster',
      match,
      identity,
      entry: identity,
      isSuspended: false,
      isShadow: false,
    }
  })
}

function conditionOf(value: string | readonly string[]): Condition {
  if (typeof value === 'string' && value.endsWith('*')) return { kind: 'prefix', prefix: value.slice(0, -1) }
  return { kind: 'exact', values: typeof value === 'string' ? [value] : value }
}

/** Gives a federation of these bindings without proving it. */
export function federationOf(bindings: readonly Binding[]): ProvenFederation {
  const identities = Object.fromEntries(bindings.map(({ entry }) => [entry, { grants: { ledger: ['entries:read'] } }]))
  const document = { version: 1 as const, trust_domain: 'corp.example', trusted_issuers: {}, audiences: {} }
  return { head: { digest: '', document, territories: [] }, parts: [{ identities, bindings }], documents: [] }
}
