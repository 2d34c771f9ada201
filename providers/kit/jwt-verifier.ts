/** The verifier of a cloud whose proofs are JWTs: the order of the checks, and all that every cloud does alike. */

import { createHash } from 'node:crypto'
import { type Facts, ProofError } from '../contract/errors.ts'
import type { Attributes, ProviderName, UnverifiedProof, VerifiedProof } from '../contract/proof.ts'
import type { InspectedProof, Ports, ProofVerifier, TrustedIssuer } from '../contract/provider.ts'
import { type ClaimsLedger, createClaimsLedger } from './claims.ts'
import { type CompactJws, readIssuerHint } from './compact-jws.ts'
import { checkJwtClaims, type JwtRules, openJwt, untrustedIssuer, verifyJwtSignature } from './jwt-proof.ts'
import type { KeySet } from './key-set.ts'
import type { SignatureAlgorithm } from './verification-key.ts'

/** Token type identifiers under which a JWT may arrive. @see {@link https://www.rfc-editor.org/rfc/rfc8693.html#section-3 RFC 8693 section 3} */
export const JWT_TYPES = [
  'urn:ietf:params:oauth:token-type:jwt',
  'urn:ietf:params:oauth:token-type:id_token',
  'urn:ietf:params:oauth:token-type:access_token',
] as const

/** What the proofs with one exact `iss` are checked with. */
export interface JwtTrust {
  readonly trusted: Pick<TrustedIssuer<unknown>, 'name'>
  readonly rules: JwtRules
  readonly keys: KeySet
}

/** Whom a proof is about, as its claims say. */
export interface JwtWorkload {
  readonly subject: string
  readonly instance: string | undefined
  /** The token's own unique id, where its platform gives one. */
  readonly tokenId: string | undefined
  readonly attributes: Attributes
}

/** What one cloud adds to the checks that all make. */
export interface JwtCloud<Trust extends JwtTrust, Workload extends JwtWorkload> {
  readonly provider: ProviderName
  readonly algorithms: readonly SignatureAlgorithm[]
  /** By exact `iss`. */
  readonly trusts: ReadonlyMap<string, readonly Trust[]>
  /** Chooses among those with the proof's `iss`, by what else it says of itself. Nothing is verified yet; nothing is fetched. */
  choose(candidates: readonly [Trust, ...Trust[]], jws: CompactJws): Trust
  /** Reads the claims that only this cloud has. Refuses what its platform would never send. */
  readWorkload(claims: ClaimsLedger, trust: Trust): Workload
  /** Asks the platform whether the subject still exists; true where it was asked and said so. Throws where it said no. */
  confirm?(proof: string, audience: string, workload: Workload, trust: Trust): Promise<boolean>
}

/**
 * Creates the verifier of a cloud.
 *
 * Size and form, algorithm, exact issuer, key, signature, audience, times, lifetime and claims are checked in this order, and
 * nothing is fetched before the issuer is known to be a trusted one.
 */
export function createJwtVerifier<Trust extends JwtTrust, Workload extends JwtWorkload>(
  cloud: JwtCloud<Trust, Workload>,
  ports: Ports,
): ProofVerifier {
  return {
    provider: cloud.provider,
    recognises: (proof, type) =>
      JWT_TYPES.some((known) => known === type) && cloud.trusts.has(readIssuerHint(proof) ?? ''),
    verify: (proof) => verify(proof, cloud, ports),
    inspect: (proof) => inspect(proof, cloud, ports),
  }
}

async function verify<Trust extends JwtTrust, Workload extends JwtWorkload>(
  proof: UnverifiedProof,
  cloud: JwtCloud<Trust, Workload>,
  ports: Ports,
): Promise<VerifiedProof> {
  const { jws, issuer } = openJwt(proof, cloud.algorithms)
  const trust = chooseTrust(cloud, issuer, jws)
  const trustedIssuer = trust.trusted.name
  try {
    await verifyJwtSignature(jws, trust.keys)
    const checked = checkJwtClaims(jws, trust.rules, ports.now())
    const workload = cloud.readWorkload(checked.claims, trust)
    const unknown = checked.claims.unknown()
    if (unknown > 0) ports.observe({ kind: 'unknown_claims', trustedIssuer, count: unknown })
    const live = await cloud.confirm?.(proof, checked.audience, workload, trust)
    return {
      provider: cloud.provider,
      trustedIssuer,
      issuer,
      subject: workload.subject,
      instance: workload.instance,
      audience: checked.audience,
      issuedAt: checked.issuedAt,
      expiresAt: checked.expiresAt,
      // The trusted issuer is left out: a proof stays spent when an operator gives its issuer another name.
      replay: {
        key: JSON.stringify([cloud.provider, issuer, workload.tokenId ?? digestOf(jws)]),
        singleUse: !trust.rules.isReusable,
      },
      live: live ?? false,
      attributes: workload.attributes,
    }
  } catch (error) {
    throw error instanceof ProofError ? error.from({ trustedIssuer, issuer }) : error
  }
}

function inspect<Trust extends JwtTrust, Workload extends JwtWorkload>(
  proof: UnverifiedProof,
  cloud: JwtCloud<Trust, Workload>,
  ports: Ports,
): InspectedProof {
  const found: { trustedIssuer?: string; attributes: Attributes; facts: Facts } = { attributes: new Map(), facts: {} }
  try {
    const { jws, issuer } = openJwt(proof, cloud.algorithms)
    const trust = chooseTrust(cloud, issuer, jws)
    found.trustedIssuer = trust.trusted.name
    const workload = cloud.readWorkload(createClaimsLedger(jws.claims), trust)
    found.attributes = workload.attributes
    found.facts = { issuer, subject: workload.subject }
    checkJwtClaims(jws, trust.rules, ports.now())
    return { trustedIssuer: found.trustedIssuer, attributes: found.attributes, trouble: undefined, facts: found.facts }
  } catch (error) {
    if (!(error instanceof ProofError)) throw error
    const { trustedIssuer = error.origin?.trustedIssuer, attributes, facts } = found
    return { trustedIssuer, attributes, trouble: error, facts: { ...facts, ...error.facts } }
  }
}

function chooseTrust<Trust extends JwtTrust, Workload extends JwtWorkload>(
  cloud: JwtCloud<Trust, Workload>,
  issuer: string,
  jws: CompactJws,
): Trust {
  const [first, ...others] = cloud.trusts.get(issuer) ?? []
  if (first === undefined) throw untrustedIssuer(issuer)
  try {
    return cloud.choose([first, ...others], jws)
  } catch (error) {
    // Of several, none was chosen: nobody can say whose proof it was to be.
    if (!(error instanceof ProofError) || others.length > 0) throw error
    throw error.from({ trustedIssuer: first.trusted.name, issuer })
  }
}

function digestOf(jws: CompactJws): string {
  return createHash('sha256').update(jws.signingInput).digest('base64url')
}
