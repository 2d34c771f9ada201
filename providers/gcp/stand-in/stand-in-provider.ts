import type { StandIn, StandInProvider } from '../../contract/stand-in.ts'
import { lendEnvironment } from '../../kit/stand-in-environment.ts'
import { createFlawedJwt } from '../../kit/stand-in-flaws.ts'
import { startGoogleStandIn } from './stand-in.ts'
import { IDENTITY_TOKEN_SECONDS } from './tokens.ts'

/** What leads the official library to a metadata server at an address, past whatever else this machine has for it. */
export function environmentOf(host: string): Readonly<Record<string, string | undefined>> {
  return {
    GCE_METADATA_HOST: host,
    GCE_METADATA_IP: undefined,
    METADATA_SERVER_DETECTION: 'assume-present',
    GOOGLE_APPLICATION_CREDENTIALS: undefined,
    google_application_credentials: undefined,
    // Where a developer's own credentials would be found: a directory that cannot be.
    CLOUDSDK_CONFIG: '/dev/null',
    NO_PROXY: '127.0.0.1',
  }
}

/** The account's number, where a document shall stay good for the next start. */
const LASTING_ID = '104107606523710296052'

/** A cloud with one virtual machine, for whoever treats all clouds alike. The environment of the process is lent until it is closed. */
export const gcpStandIn: StandInProvider = {
  name: 'gcp',
  async start({ now, port }): Promise<StandIn> {
    const cloud = await startGoogleStandIn({ now, ...(port === undefined ? {} : { port, uniqueId: LASTING_ID }) })
    const environment = environmentOf(cloud.host)
    const giveBack = lendEnvironment(environment)
    const { account, instance } = cloud.workload
    return {
      hosts: [cloud.host],
      trustedIssuer: { provider: 'gcp', keys: { from: 'url', url: cloud.keysUrl } },
      subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
      attributes: {
        'gcp.subject': cloud.serviceAccount(account)?.uniqueId ?? '',
        'gcp.project_id': instance.project_id,
        'gcp.instance_id': instance.instance_id,
      },
      prover: {
        settings: {},
        ports: async () => ({
          env: { GCE_METADATA_HOST: cloud.host },
          readFile: async () => Promise.reject(new Error('no such file')),
          now,
        }),
      },
      environment,
      flawed: (flaw, proofAudience) =>
        createFlawedJwt(
          {
            claims: cloud.claimsFor({ audience: proofAudience }),
            header: { typ: 'JWT' },
            key: cloud.key,
            now: now(),
            otherIssuer: 'accounts.google.com',
            maxLifetimeSeconds: IDENTITY_TOKEN_SECONDS,
            requiredClaim: 'azp',
          },
          flaw,
        ),
      requestCount: () => cloud.requests.length,
      async close() {
        giveBack()
        await cloud.close()
      },
    }
  },
}
