import type { StandIn, StandInProvider } from '../../contract/stand-in.ts'
import { createFlawedJwt } from '../../kit/stand-in-flaws.ts'
import { leadProcessTo, OTHER_SOURCES, PROCESS_IDENTITY_HEADER } from './process-endpoint.ts'
import { headerFor, startAzureStandIn } from './stand-in.ts'

/** The longest that Entra's tokens for managed identities live: a little more than a day. */
const MAX_LIFETIME_SECONDS = 100_800

/** The identity's, where a document shall stay good for the next start. */
const LASTING_IDS = {
  clientId: '00001111-aaaa-2222-bbbb-3333cccc4444',
  objectId: 'aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb',
}

/**
 * A web app with one user-assigned identity, for whoever treats all clouds alike. Its tokens have version 1, so that they name the
 * proof audience as it was asked for.
 */
export const azureStandIn: StandInProvider = {
  name: 'azure',
  async start({ now, port }): Promise<StandIn> {
    const place = port === undefined ? {} : { port }
    const azure = await startAzureStandIn({ now, host: 'web_app', identityHeader: PROCESS_IDENTITY_HEADER, ...place })
    const { clientId, objectId } = azure.createIdentity('id-pay', port === undefined ? undefined : LASTING_IDS)
    const { environment, release } = await leadProcessTo(azure.origin, clientId)
    const accept = (proofAudience: string): void => {
      if (azure.application(proofAudience) === undefined) azure.registerApplication({ uris: [proofAudience] })
    }
    return {
      hosts: [azure.host],
      trustedIssuer: {
        provider: 'azure',
        cloud: 'public',
        tenant_id: azure.tenantId,
        keys: { from: 'url', url: `${azure.origin}/${azure.tenantId}/discovery/v2.0/keys` },
      },
      subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
      attributes: { 'azure.object_id': objectId, 'azure.tenant_id': azure.tenantId },
      prover: {
        settings: { client_id: clientId },
        async ports(proofAudience) {
          accept(proofAudience)
          const readFile = async (): Promise<string> => Promise.reject(new Error('no such file'))
          return { env: environment, readFile, now }
        },
      },
      environment: { ...OTHER_SOURCES, ...azure.environment, AZURE_CLIENT_ID: clientId },
      flawed(flaw, proofAudience) {
        accept(proofAudience)
        const claims = azure.claimsFor({ resource: proofAudience, clientId })
        const right = {
          claims,
          header: headerFor(claims, azure.key),
          key: azure.key,
          now: now(),
          otherIssuer: String(claims.iss).replace(/\/$/, ''),
          maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
          requiredClaim: 'oid',
        }
        return createFlawedJwt(right, flaw)
      },
      requestCount: () => azure.requests.length,
      async close() {
        release()
        await azure.close()
      },
    }
  },
}
