/** The clouds in which a workload can prove itself. A new one is one line. */

import { awsProver } from './aws/prover.ts'
import { azureProver } from './azure/prover.ts'
import type { ProverProvider } from './contract/provider.ts'
import { gcpProver } from './gcp/prover.ts'
import { kubernetesProver } from './kubernetes/prover.ts'

export const provers: readonly ProverProvider[] = [kubernetesProver, awsProver, gcpProver, azureProver]
