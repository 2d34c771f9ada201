/** A cluster, a Google Cloud and a tenant of Entra beside each other, and a broker that trusts all three for one identity. */

import { type AzureStandIn, startAzureStandIn } from '../../providers/azure/stand-in/stand-in.ts'
import { type GoogleStandIn, startGoogleStandIn } from '../../providers/gcp/stand-in/stand-in.ts'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { type AzureParts, azureBinding, entraEntry, settle } from './azure-scene.ts'
import { startTestBroker, type TestBroker } from './broker.ts'
import { createTestClock, type TestClock } from './clock.ts'
import { bindingFor, documentFor } from './document.ts'
import { googleBinding, subjectOf } from './google-scene.ts'

export interface AllClouds extends AzureParts {
  readonly clock: TestClock
  readonly cluster: KubernetesStandIn
  readonly google: GoogleStandIn
  readonly azure: AzureStandIn
  readonly broker: TestBroker
  close(): Promise<void>
}

/** Opens them. The cluster's tokens are worth something at Entra, once somebody says there for whom. */
export async function openAllClouds(): Promise<AllClouds> {
  const clock = createTestClock()
  const { now } = clock
  const cluster = await startKubernetesStandIn({ now })
  cluster.createServiceAccount('payments', 'api')
  cluster.createServiceAccount('payments', 'web')
  cluster.createPod('payments', 'api-1', 'api')
  const google = await startGoogleStandIn({ now })
  const azure = await startAzureStandIn({ now, clusters: [cluster] })
  const made = settle(azure)
  const document = documentFor('', {
    trusted_issuers: {
      cluster: { provider: 'kubernetes', issuers: [cluster.issuer] },
      google: { provider: 'gcp', keys: { from: 'url', url: google.keysUrl } },
      entra: entraEntry(made),
    },
    bindings: {
      pod: bindingFor('payments', 'api', 'payments/api'),
      'linked-account': googleBinding(subjectOf(google)),
      'managed-identity': azureBinding(made.identity.objectId),
    },
  })
  const broker = await startTestBroker({
    clock,
    document,
    insecureHosts: [cluster.host, google.host, azure.host],
  })
  return {
    ...made,
    clock,
    cluster,
    google,
    broker,
    async close() {
      await broker.stop()
      await Promise.all([cluster.close(), google.close(), azure.close()])
    },
  }
}
