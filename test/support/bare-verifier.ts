/** A cloud's verifier by itself: made of settings as a document has them, with no broker around it. */

import type { UnverifiedProof, VerifiedProof } from '../../providers/contract/proof.ts'
import type { InspectedProof, Ports, TrustedIssuer, VerifierProvider } from '../../providers/contract/provider.ts'
import { BROKER } from './document.ts'
import { rejection } from './rejection.ts'

const JWT = 'urn:ietf:params:oauth:token-type:jwt'
const NEVER = new AbortController().signal

export interface BareVerifier {
  verify(proof: string): Promise<VerifiedProof>
  /** The code that a proof is refused with. Throws where it is verified. */
  codeOf(proof: string): Promise<string>
  inspect(proof: string): InspectedProof
  recognises(proof: string, type?: string): boolean
}

export interface BareVerifierOptions {
  readonly ports: Ports
  readonly proofAudiences?: readonly string[]
}

/** Makes the verifier of trusted issuers by name, with the settings that a document gives them. */
export function createBareVerifier<Settings>(
  provider: VerifierProvider<Settings>,
  issuers: Readonly<Record<string, object>>,
  { ports, proofAudiences = [BROKER] }: BareVerifierOptions,
): BareVerifier {
  const context = { insecureHosts: ports.egress.insecureHosts, proofAudiences }
  const trusted = Object.entries(issuers).map(([name, settings]): TrustedIssuer<Settings> => {
    return { name, proofAudiences, settings: provider.parseSettings(settings, context) }
  })
  const verifier = provider.createVerifier(trusted, ports)
  const verify = (proof: string) => verifier.verify(proof as UnverifiedProof, {}, NEVER)
  return {
    verify,
    codeOf: async (proof) => (await rejection(verify(proof))).code,
    inspect: (proof) => verifier.inspect(proof as UnverifiedProof),
    recognises: (proof, type = JWT) => verifier.recognises(proof as UnverifiedProof, type),
  }
}
