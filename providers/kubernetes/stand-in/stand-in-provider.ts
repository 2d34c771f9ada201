import type { StandIn, StandInProvider } from '../../contract/stand-in.ts'
import { createFlawedJwt } from '../../kit/stand-in-flaws.ts'
import { DEFAULT_TOKEN_PATH } from '../prover.ts'
import { startKubernetesStandIn } from './stand-in.ts'

const POD = { namespace: 'payments', serviceAccount: 'api', pod: 'api-1' } as const

const DAY_SECONDS = 86_400

/** A cluster with one pod, for whoever treats all clouds alike. */
export const kubernetesStandIn: StandInProvider = {
  name: 'kubernetes',
  async start({ now, port = 0 }): Promise<StandIn> {
    const cluster = await startKubernetesStandIn({ now, port })
    cluster.createServiceAccount(POD.namespace, POD.serviceAccount)
    cluster.createPod(POD.namespace, POD.pod, POD.serviceAccount)
    const projectedToken = (proofAudience: string): Promise<string> =>
      cluster.requestToken({ ...POD, audiences: [proofAudience] })
    return {
      hosts: [cluster.host],
      trustedIssuer: { provider: 'kubernetes', issuers: [cluster.issuer] },
      subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
      attributes: { 'kubernetes.namespace': POD.namespace, 'kubernetes.service_account': POD.serviceAccount },
      prover: {
        settings: {},
        async ports(proofAudience) {
          const files = new Map([[DEFAULT_TOKEN_PATH, `${await projectedToken(proofAudience)}\n`]])
          const readFile = async (path: string): Promise<string> =>
            files.get(path) ?? Promise.reject(new Error('no such file'))
          return { env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, readFile, now }
        },
      },
      environment: {},
      projectedToken,
      flawed: (flaw, proofAudience) =>
        createFlawedJwt(
          {
            claims: cluster.claimsFor({ ...POD, audiences: [proofAudience] }),
            key: cluster.key,
            now: now(),
            otherIssuer: `${cluster.issuer}/other`,
            maxLifetimeSeconds: DAY_SECONDS,
            requiredClaim: 'kubernetes.io',
          },
          flaw,
        ),
      requestCount: () => cluster.requests.length,
      close: cluster.close,
    }
  },
}
