/** What travels from a workload to the core: a proof before it is checked, and after. */

declare const unverified: unique symbol

/** A proof as it arrived. Nothing in it may be believed, stored or logged. */
export type UnverifiedProof = string & { readonly [unverified]: true }

/** The clouds that this project knows. */
export type ProviderName = 'aws' | 'azure' | 'gcp' | 'kubernetes'

/** Seconds since 1970-01-01T00:00:00Z, whole. @see {@link https://www.rfc-editor.org/rfc/rfc7519.html#section-2 RFC 7519 section 2} */
export type NumericDate = number

/** Verified facts about a workload: flat, prefixed with the provider's name (`kubernetes.namespace`), strings only. */
export type Attributes = ReadonlyMap<string, string>

/** A proof whose signature, issuer, audience and times were checked. Only a verifier makes one. */
export interface VerifiedProof {
  readonly provider: ProviderName
  /** The trusted issuer's name in the federation document. */
  readonly trustedIssuer: string
  /** The exact `iss`, or the STS partition for a signed AWS request. */
  readonly issuer: string
  /** The platform's own name for the workload; for a JWT its `sub`. */
  readonly subject: string
  /** The running copy, where the platform names one: pod, instance or session. */
  readonly instance: string | undefined
  /** The proof audience that it was made for. */
  readonly audience: string
  readonly issuedAt: NumericDate
  readonly expiresAt: NumericDate
  /** `key` names what was signed, not its spelling, and is unique across all issuers. */
  readonly replay: { readonly key: string; readonly singleUse: boolean }
  /** Whether the platform confirmed just now that the subject still exists. */
  readonly live: boolean
  readonly attributes: Attributes
}
