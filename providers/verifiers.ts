/** The clouds whose proofs the broker verifies. A new one is one line. */

import type { VerifierProvider } from './contract/provider.ts'
import { kubernetesVerifier } from './kubernetes/verifier.ts'

export const verifiers: readonly VerifierProvider<unknown>[] = [kubernetesVerifier]
