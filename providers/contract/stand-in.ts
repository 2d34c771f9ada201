/** A cloud that is not there: what tests, the demo and a developer's laptop use in its place. */

import type { NumericDate, ProviderName } from './proof.ts'
import type { ProverPorts } from './provider.ts'

/** The ways in which a proof can be wrong that every verifier must refuse. */
export const FLAWS = [
  'other audience',
  'two audiences',
  'other issuer',
  'expired',
  'not yet valid',
  'too long-lived',
  'forged',
  'unknown key',
  'missing claim',
] as const

export type Flaw = (typeof FLAWS)[number]

/** A running stand-in with one workload in it. */
export interface StandIn {
  /** `host:port` of everything that a verifier may ask. */
  readonly hosts: readonly string[]
  /** The trusted issuer, as the federation document writes it. */
  readonly trustedIssuer: Readonly<Record<string, unknown>>
  readonly subjectTokenType: string
  /** What a binding matches the workload by. */
  readonly attributes: Readonly<Record<string, string>>
  /** What the workload's prover is created with. Its files and environment lead to the stand-in. */
  readonly prover: { readonly settings: unknown; ports(proofAudience: string): Promise<ProverPorts> }
  /**
   * What leads the official SDK of another process to it, as that process's environment. Undefined is a variable that must not be
   * there, as it would lead elsewhere.
   */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Gives what the platform would keep in a file for the workload, a new one each time; absent where no file is needed. */
  projectedToken?(proofAudience: string): Promise<string>
  /** Gives a proof that is right but for one flaw; undefined where proofs of this kind cannot have it. */
  flawed(flaw: Flaw, proofAudience: string): Promise<string | undefined>
  /** How many requests it has answered. */
  requestCount(): number
  close(): Promise<void>
}

/** A cloud's stand-in, ready to be started. */
export interface StandInProvider {
  readonly name: ProviderName
  /** With a port, whatever a document says of it is the same at every start. Rejects where the port is taken. */
  start(options: { readonly now: () => NumericDate; readonly port?: number }): Promise<StandIn>
}
