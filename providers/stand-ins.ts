/** Stand-ins for the clouds: for tests, the demo and a developer's laptop, never for the broker. A new one is one line. */

import { awsStandIn } from './aws/stand-in/stand-in-provider.ts'
import { azureStandIn } from './azure/stand-in/stand-in-provider.ts'
import type { StandInProvider } from './contract/stand-in.ts'
import { gcpStandIn } from './gcp/stand-in/stand-in-provider.ts'
import { kubernetesStandIn } from './kubernetes/stand-in/stand-in-provider.ts'

export const standIns: readonly StandInProvider[] = [kubernetesStandIn, awsStandIn, gcpStandIn, azureStandIn]
