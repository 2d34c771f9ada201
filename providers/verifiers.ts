/** The clouds whose proofs the broker verifies. A new one is one line. */

import { awsVerifier } from './aws/verifier.ts'
import { azureVerifier } from './azure/verifier.ts'
import type { VerifierProvider } from './contract/provider.ts'
import { gcpVerifier } from './gcp/verifier.ts'
import { kubernetesVerifier } from './kubernetes/verifier.ts'

export const verifiers: readonly VerifierProvider<unknown>[] = [
  kubernetesVerifier,
  awsVerifier,
  gcpVerifier,
  azureVerifier,
]
