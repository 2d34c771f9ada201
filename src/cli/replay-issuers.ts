/** Finds whose proofs recorded ones would be now: a cluster may have left a trusted issuer, or have gone to another one. */

import type { Attributes, UnverifiedProof } from '../../providers/contract/proof.ts'
import type { Ports } from '../../providers/contract/provider.ts'
import type { Federation } from '../federation/federation.ts'
import { JWT_TYPE } from '../oauth/vocabulary.ts'

/** What a record says of whose a proof was. */
export interface Origin {
  /** The exact `iss`, or such as a partition; null where it was not recorded. */
  readonly issuer: string | null
  /** The trusted issuer, as it was named then. */
  readonly trustedIssuer: string
  readonly attributes: Attributes
}

/** Gives the trusted issuer that takes such proofs now; undefined for none. */
export type IssuerFinder = (origin: Origin) => string | undefined

/** Answers that are remembered: an audit trail has as many as there ever were clusters and tenants. */
const MAX_REMEMBERED = 10_000

/**
 * Creates a finder for one federation. It asks each trusted issuer's own verifier, by a token that says whose it is and nothing else,
 * and its provider about what an `iss` alone does not tell, such as the account of a signed AWS request. What neither tells, as where
 * clusters share one `iss`, is found by the recorded name.
 */
export function createIssuerFinder({ issuers }: Federation): IssuerFinder {
  const verifiers = issuers.map((issuer) => ({
    name: issuer.name,
    verifier: issuer.provider.createVerifier([issuer], NOWHERE),
    takes: (attributes: Attributes) => issuer.provider.takes?.(issuer.settings, attributes),
  }))
  const remembered = new Map<string, typeof verifiers>()
  const recognisersOf = (issuer: string): typeof verifiers => {
    const token = tokenOf(issuer)
    return verifiers.filter(({ verifier }) => verifier.recognises(token, JWT_TYPE))
  }
  const takersOf = ({ issuer, trustedIssuer, attributes }: Origin): typeof verifiers => {
    if (issuer === null || !/^https?:/.test(issuer)) {
      return verifiers.filter(({ name, takes }) => takes(attributes) ?? name === trustedIssuer)
    }
    const recognisers = remembered.get(issuer) ?? recognisersOf(issuer)
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(issuer, recognisers)
    return recognisers.filter(({ takes }) => takes(attributes) !== false)
  }
  return (origin) => {
    const names = takersOf(origin).map(({ name }) => name)
    return names.length === 1 ? names[0] : names.find((name) => name === origin.trustedIssuer)
  }
}

/** Nobody is asked anything: a proof is recognised by what it says of itself. */
const NOWHERE: Ports = {
  egress: { insecureHosts: new Set(), proxy: undefined, resolve: async () => [] },
  memory: { recall: (_, create) => create() },
  now: () => 0,
  readFile: () => Promise.reject(new Error('a replay reads no file that a document names')),
  brokerIssuer: '',
  isSpent: async () => false,
  observe: () => undefined,
}

function tokenOf(issuer: string): UnverifiedProof {
  const [header, claims] = [{ alg: 'RS256', kid: 'none' }, { iss: issuer }].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  )
  return `${header}.${claims}.AAAA` as UnverifiedProof
}
