/** The two halves of a cloud: a verifier that the broker runs, and a prover that a workload runs. */

import type { ZodType } from 'zod'
import type { Facts, ProofError } from './errors.ts'
import type { Attributes, NumericDate, ProviderName, UnverifiedProof, VerifiedProof } from './proof.ts'

/**
 * How far an attribute can be relied on: vouched for by the platform, or chosen by whoever holds the credential.
 * Caller-grade attributes may narrow a binding, never pin it.
 */
export type AttributeGrade = 'platform' | 'caller'

/** What one attribute means and how a binding may use it. */
export interface AttributeDescription {
  readonly meaning: string
  readonly grade: AttributeGrade
  /** Whether a binding may match a prefix (`payments-*`) of it. */
  readonly prefix: boolean
  /** Answers whether the platform could ever send this value; a binding on any other is refused when it is loaded. */
  readonly isValue: (value: string) => boolean
  /** The same as one expression, in the form in which values are compared, for those who cannot run it; undefined where none says it. */
  readonly form?: RegExp
  /** Of a caller-grade attribute: whether it may tell two identities apart, with a warning, as an operator can know who sets it. */
  readonly mayDecide?: boolean
  /** What `check` warns of wherever a binding asks for this attribute. */
  readonly caution?: string
  /** Gives the one spelling that values are compared in, where the platform itself takes several for the same. */
  readonly canonical?: (value: string) => string
}

/** Every attribute that a provider can emit, by its public name. */
export type AttributeCatalogue = ReadonlyMap<string, AttributeDescription>

/** A configured issuer: which proofs it may make, and for whom. */
export interface TrustedIssuer<Settings> {
  readonly name: string
  readonly proofAudiences: readonly string[]
  readonly settings: Settings
}

/** What settings are checked against while a document is loaded. */
export interface SettingsContext {
  /** `host:port` that may be plain http or private: development and tests only. */
  readonly insecureHosts: ReadonlySet<string>
  /** Whom this trusted issuer's proofs must be made for. */
  readonly proofAudiences: readonly string[]
}

/** Where outbound requests may go, beyond what a trusted issuer itself names. */
export interface Egress {
  readonly insecureHosts: ReadonlySet<string>
  /** An http proxy that every outbound connection is tunnelled through. */
  readonly proxy: URL | undefined
  /** Resolves a host name to all of its addresses; the system's resolver by default. */
  readonly resolve: (hostname: string) => Promise<readonly ResolvedAddress[]>
}

export interface ResolvedAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** Something that a provider saw and an operator may want to count. No member comes from a proof's text. */
export type ProviderEvent =
  | {
      readonly kind: 'upstream'
      readonly trustedIssuer: string
      readonly purpose: string
      readonly outcome: string
      readonly seconds: number
      /** Upstream's clock less ours, where the answer had a `Date`. */
      readonly clockOffsetSeconds: number | undefined
    }
  | { readonly kind: 'key_ignored'; readonly trustedIssuer: string; readonly why: string }
  | { readonly kind: 'unknown_claims'; readonly trustedIssuer: string; readonly count: number }

/** What outlives one federation document: key sets and the like, so that a reload costs no upstream a request. */
export interface Memory {
  /** Gives what was created under this key, by this document or the one before it; else creates it. */
  recall<T>(key: string, create: () => T): T
}

/** The world as a verifier sees it. */
export interface Ports {
  readonly egress: Egress
  readonly memory: Memory
  readonly now: () => NumericDate
  /** Reads a file that a document names, from the operator's secrets directory and from nowhere else. */
  readonly readFile: (name: string) => Promise<string>
  readonly brokerIssuer: string
  /**
   * Whether a single-use proof with this replay key was spent before. A verifier asks before it asks an upstream about the proof,
   * to save that request; whether the proof is spent now is decided after it, by the core alone. Rejects where nobody can tell:
   * let that pass, as the core knows what to make of it.
   */
  readonly isSpent: (key: string) => Promise<boolean>
  readonly observe: (event: ProviderEvent) => void
}

/** A cloud's half in the broker. */
export interface VerifierProvider<Settings> {
  readonly name: ProviderName
  /** RFC 8693 token type identifiers under which its proofs arrive. */
  readonly subjectTokenTypes: readonly string[]
  readonly attributes: AttributeCatalogue
  /** Every binding fixes one of these sets of attributes; with less, a stranger could satisfy it. */
  readonly pins: readonly (readonly string[])[]
  /** Whether a trusted issuer must name its own proof audiences, because its platform decides what they look like. */
  readonly needsOwnProofAudiences?: boolean
  /** The members of a trusted issuer that are this provider's own. Part of the published JSON Schema. */
  readonly settingsShape: Readonly<Record<string, ZodType>>
  /** Checks settings that have the right shape. Throws {@link SettingsError} with every problem it finds. */
  parseSettings(settings: unknown, context: SettingsContext): Settings
  /** Every exact `iss` that a proof under these settings may have. Two clouds never take the same one. */
  issuersOf(settings: Settings): readonly string[]
  /**
   * Whether these settings take the workload of which a proof with these attributes was verified, where an `iss` alone does not tell:
   * for `replay`, which has no proof any more.
   */
  takes?(settings: Settings, attributes: Attributes): boolean
  /**
   * Whether a proof that these settings take can have this value, where they decide that: so that whoever binds an account that they
   * do not name is told, before its workloads are refused.
   */
  takesValue?(settings: Settings, attribute: string, value: string): boolean
  /** Names what these settings share with another trusted issuer's of the same cloud that they must not. Undefined where they can stand together. */
  findConflict(one: TrustedIssuer<Settings>, other: TrustedIssuer<Settings>): string | undefined
  /** One verifier for all trusted issuers of a cloud. */
  createVerifier(trusted: readonly TrustedIssuer<Settings>[], ports: Ports): ProofVerifier
}

/** What a proof says, and what would stop it, with no signature checked: for an operator's eyes, never for a decision. */
export interface InspectedProof {
  readonly trustedIssuer: string | undefined
  readonly attributes: Attributes
  readonly trouble: ProofError | undefined
  readonly facts: Facts
}

/** What a verifier may know of the request that a proof came with. None of it says who the workload is. */
export interface ProofRequest {
  /** The target as the request spells it; undefined where it names none, or spells it in several ways. */
  readonly target?: string
  /** Whose turn it is, where checks have to wait for each other. */
  readonly clientAddress?: string
}

export interface ProofVerifier {
  readonly provider: ProviderName
  /** Pure routing by shape and exact issuer. Trusts nothing, fetches nothing. */
  recognises(proof: UnverifiedProof, subjectTokenType: string): boolean
  /** Throws {@link ProofError} unless every check passed; never answers "false". */
  verify(proof: UnverifiedProof, request: ProofRequest, signal: AbortSignal): Promise<VerifiedProof>
  /** Reads a proof without verifying it. Fetches nothing. */
  inspect(proof: UnverifiedProof): InspectedProof
}

/** The world as a prover sees it. */
export interface ProverPorts {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile: (path: string) => Promise<string>
  readonly now: () => NumericDate
}

/** A cloud's half in a workload. */
export interface ProverProvider {
  readonly name: ProviderName
  detect(ports: ProverPorts): boolean
  createProver(settings: unknown, ports: ProverPorts): Prover
}

/** A proof, ready to be exchanged. */
export interface Proven {
  readonly subjectToken: string
  /** The proof's own type, where a prover has several kinds. */
  readonly subjectTokenType?: string
  readonly expiresAt: NumericDate
}

export interface Prover {
  /** The type of its proofs, unless a proof says another. */
  readonly subjectTokenType: string
  prove(request: { readonly proofAudience: string }, signal: AbortSignal): Promise<Proven>
}
