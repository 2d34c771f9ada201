import type { Flaw, StandIn, StandInProvider } from '../../contract/stand-in.ts'
import { DEFAULT_TOKEN_PATH } from '../prover.ts'
import { generateClusterKey } from './cluster-state.ts'
import { type KubernetesStandIn, startKubernetesStandIn } from './stand-in.ts'
import { type Claims, signClaims } from './tokens.ts'

const POD = { namespace: 'payments', serviceAccount: 'api', pod: 'api-1' } as const

const DAY_SECONDS = 86_400

/** A cluster with one pod, for whoever treats all clouds alike. */
export const kubernetesStandIn: StandInProvider = {
  name: 'kubernetes',
  async start({ now }): Promise<StandIn> {
    const cluster = await startKubernetesStandIn({ now })
    cluster.createServiceAccount(POD.namespace, POD.serviceAccount)
    cluster.createPod(POD.namespace, POD.pod, POD.serviceAccount)
    return {
      hosts: [cluster.host],
      trustedIssuer: { provider: 'kubernetes', issuers: [cluster.issuer] },
      subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
      attributes: { 'kubernetes.namespace': POD.namespace, 'kubernetes.service_account': POD.serviceAccount },
      prover: {
        settings: {},
        async ports(proofAudience) {
          const files = new Map([
            [DEFAULT_TOKEN_PATH, `${await cluster.requestToken({ ...POD, audiences: [proofAudience] })}\n`],
          ])
          const readFile = async (path: string): Promise<string> =>
            files.get(path) ?? Promise.reject(new Error('no such file'))
          return { env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, readFile, now }
        },
      },
      flawed: (flaw, proofAudience) => createFlawed(cluster, flaw, proofAudience, now()),
      requestCount: () => cluster.requests.length,
      close: cluster.close,
    }
  },
}

async function createFlawed(cluster: KubernetesStandIn, flaw: Flaw, audience: string, now: number): Promise<string> {
  const claims = cluster.claimsFor({ ...POD, audiences: [audience] })
  switch (flaw) {
    case 'other audience':
      return cluster.sign({ ...claims, aud: ['https://someone-else.example'] })
    case 'two audiences':
      return cluster.sign({ ...claims, aud: [audience, 'https://someone-else.example'] })
    case 'other issuer':
      return cluster.sign({ ...claims, iss: `${cluster.issuer}/other` })
    case 'expired':
      return cluster.sign({ ...claims, iat: now - 700, nbf: now - 700, exp: now })
    case 'not yet valid':
      return cluster.sign({ ...claims, iat: now + 120, nbf: now + 120, exp: now + 720 })
    case 'too long-lived':
      return cluster.sign({ ...claims, exp: now + DAY_SECONDS + 1 })
    case 'forged':
      return signWithStrangersKey(claims, { kid: cluster.key.keyId })
    case 'unknown key':
      return signWithStrangersKey(claims, {})
    case 'missing claim':
      return cluster.sign(Object.fromEntries(Object.entries(claims).filter(([name]) => name !== 'kubernetes.io')))
  }
}

async function signWithStrangersKey(claims: Claims, header: Claims): Promise<string> {
  return signClaims(claims, await generateClusterKey('RS256'), header)
}
