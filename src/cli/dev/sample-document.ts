/** The document that a developer begins with. */

import type { Cloud } from './clouds.ts'

/** The name of a cloud's trusted issuer in the sample. */
function trustedIssuerOf({ name }: Cloud): string {
  return `dev-${name}`
}

/** The identity that all workloads of the sample are, and what it may have. */
export const SAMPLE = { identity: 'payments/api', audience: 'ledger', scope: 'entries:read' } as const

/** Gives a document by which the workload of every cloud is one identity with one grant. Two audiences, so that there is one to be refused. */
export function createSampleDocument(clouds: readonly Cloud[], brokerIssuer: string): object {
  const { identity, audience, scope } = SAMPLE
  return {
    version: 1,
    trust_domain: 'dev.example',
    trusted_issuers: Object.fromEntries(
      clouds.map((cloud) => [
        trustedIssuerOf(cloud),
        { ...cloud.standIn.trustedIssuer, proof_audiences: [brokerIssuer] },
      ]),
    ),
    audiences: { [audience]: { scopes: [scope, 'entries:write'] }, reports: { scopes: ['read'] } },
    identities: { [identity]: { grants: { [audience]: [scope] } } },
    bindings: Object.fromEntries(
      clouds.map((cloud) => [
        `payments-api-${cloud.name}`,
        { trusted_issuer: trustedIssuerOf(cloud), match: cloud.standIn.attributes, identity },
      ]),
    ),
  }
}
