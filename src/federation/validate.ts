/** Everything that must be true of a document beyond its shape. */

import { SettingsError } from '../../providers/contract/errors.ts'
import { isForeignAudience } from '../../providers/contract/foreign-audiences.ts'
import type { TrustedIssuer, VerifierProvider } from '../../providers/contract/provider.ts'
import { DEFAULT_TOKEN_LIFETIME_SECONDS, type FederationDocument, MAX_CLAIMS_BYTES } from './document.ts'
import { type Complaint, complain, warn } from './finding.ts'

/** What a document is checked against. */
export interface ValidationContext {
  readonly providers: readonly VerifierProvider<unknown>[]
  readonly insecureHosts: ReadonlySet<string>
  /** The broker's issuer, which is the proof audience where the document names none; undefined where nobody said. */
  readonly brokerIssuer: string | undefined
}

/** A trusted issuer with its provider, ready for a verifier. */
export interface ReadyIssuer extends TrustedIssuer<unknown> {
  readonly provider: VerifierProvider<unknown>
  /** Its proofs are refused, whatever they say. */
  readonly isSuspended: boolean
}

/** Below this Google's auth libraries, which renew five minutes early, would ask for a new token all the time. */
export const SHORT_LIFETIME_SECONDS = 600

/** Claims that an identity may not set: RFC 7519's, RFC 9068's, those that bind or delegate a token, and ours. */
export const RESERVED_CLAIMS: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'],
  ...['client_id', 'scope', 'auth_time', 'acr', 'amr', 'groups', 'roles', 'entitlements'],
  ...['act', 'may_act', 'cnf', 'azp', 'nonce'],
  'proof',
])

/** Gives each trusted issuer its checked settings, and says what is wrong with any. */
export function readTrustedIssuers(
  document: Pick<FederationDocument, 'trusted_issuers' | 'proof_audiences'>,
  context: ValidationContext,
): { issuers: readonly ReadyIssuer[]; complaints: readonly Complaint[] } {
  const byDefault = context.brokerIssuer === undefined ? [] : [context.brokerIssuer]
  const complaints = findProofAudienceComplaints(['proof_audiences'], document.proof_audiences ?? byDefault)
  const issuers: ReadyIssuer[] = []
  for (const [name, entry] of Object.entries(document.trusted_issuers)) {
    const path = ['trusted_issuers', name]
    const { provider: providerName, proof_audiences: own, suspended = false, ...settings } = entry
    complaints.push(...findProofAudienceComplaints([...path, 'proof_audiences'], own))
    const provider = context.providers.find((candidate) => candidate.name === providerName)
    if (provider === undefined) continue
    const proofAudiences = own ?? document.proof_audiences ?? byDefault
    try {
      const parsed = provider.parseSettings(settings, { insecureHosts: context.insecureHosts, proofAudiences })
      issuers.push({ name, provider, proofAudiences, settings: parsed, isSuspended: suspended })
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error
      complaints.push(
        ...error.problems.map(({ path: inner, code, message }) => complain([...path, ...inner], code, message)),
      )
    }
  }
  return { issuers, complaints: [...complaints, ...findConflicts(issuers)] }
}

/** Says what is wrong with audiences and identities. */
export function findIdentityComplaints(document: FederationDocument): readonly Complaint[] {
  return Object.entries(document.identities).flatMap(([name, identity]) => {
    const path = ['identities', name]
    return [
      ...Object.entries(identity.grants).flatMap(([audience, scopes]) =>
        findGrantComplaints(document, [...path, 'grants', audience], audience, scopes),
      ),
      ...findClaimsComplaints([...path, 'claims'], identity.claims),
      ...findShortLifetime([...path, 'lifetime_seconds'], identity.lifetime_seconds),
    ]
  })
}

/** Says where an audience's tokens would be too short-lived for common clients. */
export function findAudienceComplaints(document: FederationDocument): readonly Complaint[] {
  return Object.entries(document.audiences).flatMap(([name, audience]) =>
    findShortLifetime(['audiences', name, 'max_lifetime_seconds'], audience.max_lifetime_seconds),
  )
}

function findProofAudienceComplaints(path: readonly string[], audiences: readonly string[] | undefined): Complaint[] {
  return (audiences ?? []).flatMap((audience, index) => {
    if (!isForeignAudience(audience)) return []
    const message = `${audience} belongs to another party, who could bring its proofs here: choose a name of the broker’s own`
    return [complain([...path, index], 'proof_audience_foreign', message)]
  })
}

function findConflicts(issuers: readonly ReadyIssuer[]): Complaint[] {
  return issuers.flatMap((one, index) =>
    issuers.slice(index + 1).flatMap((other) => {
      const conflict =
        one.provider === other.provider ? one.provider.findConflict(one, other) : findSharedIssuer(one, other)
      if (conflict === undefined) return []
      return [complain(['trusted_issuers', other.name], 'issuer_shared', `${one.name} and ${other.name}: ${conflict}`)]
    }),
  )
}

/** Which cloud's rules a proof would be checked by must not depend on who is asked first. */
function findSharedIssuer(one: ReadyIssuer, other: ReadyIssuer): string | undefined {
  const theirs = other.provider.issuersOf(other.settings)
  const shared = one.provider.issuersOf(one.settings).find((issuer) => theirs.includes(issuer))
  return shared === undefined ? undefined : `both name the issuer ${shared}, as that of two clouds: keep one`
}

/** Says where a grant is of something that the document does not declare. */
export function findGrantComplaints(
  document: FederationDocument,
  path: readonly string[],
  audienceName: string,
  scopes: readonly string[],
): Complaint[] {
  const audience = Object.hasOwn(document.audiences, audienceName) ? document.audiences[audienceName] : undefined
  if (audience === undefined) {
    return [complain(path, 'audience_unknown', `${audienceName} is not one of the document’s audiences`)]
  }
  if (audience.scopes !== undefined && scopes.length === 0) {
    return [warn(path, 'grant_without_scope', `${audienceName} has scopes and this grant names none of them`)]
  }
  return scopes.flatMap((scope, index) => {
    if (audience.scopes?.includes(scope) !== true) {
      return [complain([...path, index], 'scope_unknown', `${scope} is not a scope of ${audienceName}`)]
    }
    const isRepeated = scopes.indexOf(scope) < index
    return isRepeated ? [complain([...path, index], 'scope_repeated', `${scope} stands in the list twice`)] : []
  })
}

/** Says that a claim's name is taken, where it is. */
export function findReservedClaim(path: readonly (string | number)[], name: string): readonly Complaint[] {
  if (!RESERVED_CLAIMS.has(name)) return []
  return [complain(path, 'claim_reserved', `${name} is set by the broker, or has a meaning that it may not give`)]
}

function findClaimsComplaints(
  path: readonly string[],
  claims: Readonly<Record<string, unknown>> | undefined,
): Complaint[] {
  if (claims === undefined) return []
  const reserved = Object.keys(claims).flatMap((name) => findReservedClaim([...path, name], name))
  const isTooLarge = Buffer.byteLength(JSON.stringify(claims)) > MAX_CLAIMS_BYTES
  return isTooLarge
    ? [...reserved, complain(path, 'claims_too_large', 'claims are larger than 2 KiB of JSON')]
    : reserved
}

function findShortLifetime(path: readonly string[], seconds = DEFAULT_TOKEN_LIFETIME_SECONDS): Complaint[] {
  if (seconds >= SHORT_LIFETIME_SECONDS) return []
  const message = `tokens live ${seconds} s; clients that renew five minutes early, as Google’s do, need ${SHORT_LIFETIME_SECONDS}`
  return [warn(path, 'lifetime_short', message)]
}
