/** Finds whose proofs recorded ones would be now: a cluster may have left a trusted issuer, or have gone to another one. */

import type { UnverifiedProof } from '../../providers/contract/proof.ts'
import type { Ports } from '../../providers/contract/provider.ts'
import type { Federation } from '../federation/federation.ts'
import { JWT_TYPE } from '../oauth/vocabulary.ts'

/** Gives the trusted issuer that takes the proofs of an exact `iss`, recorded under this trusted issuer's name; undefined for none. */
export type IssuerFinder = (issuer: string | null, recorded: string) => string | undefined

/** Answers that are remembered: an audit trail has as many as there ever were clusters and tenants. */
const MAX_REMEMBERED = 10_000

/**
 * Creates a finder for one federation. It asks each trusted issuer's own verifier, by a token that says whose it is and nothing
 * else. What an `iss` alone does not tell, as where clusters share one and of signed AWS requests, is found by the recorded name.
 */
export function createIssuerFinder({ issuers }: Federation): IssuerFinder {
  const verifiers = issuers.map((issuer) => ({
    name: issuer.name,
    verifier: issuer.provider.createVerifier([issuer], NOWHERE),
  }))
  const names = issuers.map(({ name }) => name)
  const remembered = new Map<string, readonly string[]>()
  const takersOf = (issuer: string): readonly string[] => {
    const token = tokenOf(issuer)
    return verifiers.filter(({ verifier }) => verifier.recognises(token, JWT_TYPE)).map(({ name }) => name)
  }
  return (issuer, recorded) => {
    if (issuer === null || !/^https?:/.test(issuer)) return names.find((name) => name === recorded)
    const takers = remembered.get(issuer) ?? takersOf(issuer)
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(issuer, takers)
    return takers.length === 1 ? takers[0] : takers.find((name) => name === recorded)
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
