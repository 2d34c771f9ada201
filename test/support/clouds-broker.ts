/** A real broker that trusts some stand-ins, each for one identity, by the system's clock, as official SDKs have no other. */

import type { StandIn } from '../../providers/contract/stand-in.ts'
import { startTestBroker, type TestBroker } from './broker.ts'
import { findFreePort } from './process.ts'

/** What a broker needs to know of a cloud. */
export type TrustedCloud = Pick<StandIn, 'hosts' | 'trustedIssuer' | 'attributes'>

export interface CloudsBroker extends TestBroker {
  /** Where it is, and whom proofs are made for. */
  readonly issuer: string
}

/** Starts it. The workload of the cloud `name` is the identity `clouds/<name>`, and may have `ledger`. */
export async function startCloudsBroker(clouds: Readonly<Record<string, TrustedCloud>>): Promise<CloudsBroker> {
  const port = await findFreePort()
  const issuer = `http://127.0.0.1:${port}`
  const entries = Object.entries(clouds)
  const each = <T>(make: (name: string, cloud: TrustedCloud) => T): Record<string, T> =>
    Object.fromEntries(entries.map(([name, cloud]) => [name, make(name, cloud)]))
  const document = {
    version: 1,
    trust_domain: 'corp.example',
    trusted_issuers: each((_, { trustedIssuer }) => ({ proof_audiences: [issuer], ...trustedIssuer })),
    audiences: { ledger: { scopes: ['entries:read'] } },
    identities: Object.fromEntries(
      entries.map(([name]) => [`clouds/${name}`, { grants: { ledger: ['entries:read'] } }]),
    ),
    bindings: each((name, { attributes }) => ({ trusted_issuer: name, match: attributes, identity: `clouds/${name}` })),
  }
  const broker = await startTestBroker({
    clock: { now: () => Math.floor(Date.now() / 1_000), advance: () => undefined },
    document,
    insecureHosts: entries.flatMap(([, { hosts }]) => hosts),
    flags: { issuer, listen: `127.0.0.1:${port}` },
  })
  return { ...broker, issuer }
}
