import type { StandIn, StandInProvider } from '../../contract/stand-in.ts'
import { lendEnvironment } from '../../kit/stand-in-environment.ts'
import { createFlawedJwt } from '../../kit/stand-in-flaws.ts'
import { startAwsStandIn } from './stand-in.ts'
import { AWS_CLAIM } from './web-identity.ts'

const ACCOUNT = '123456789012'
const ROLE = 'payments-api'
const REGION = 'us-east-1'

const HOUR_SECONDS = 3_600

/** An account with one task of ECS, for whoever treats all clouds alike. Its proofs are web identity tokens. */
export const awsStandIn: StandInProvider = {
  name: 'aws',
  async start({ now }): Promise<StandIn> {
    const aws = await startAwsStandIn({ now, region: REGION })
    const { issuer, keys } = aws.createAccount(ACCOUNT)
    const session = aws.assumeRole(aws.createRole(ACCOUNT, ROLE), 'task-1')
    const { uri, token } = aws.attachToContainer(session, 'ecs')
    const env = {
      AWS_REGION: REGION,
      AWS_ENDPOINT_URL_STS: aws.origin,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: uri,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: token,
      AWS_CONFIG_FILE: '/nonexistent/config',
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
    }
    const nothingElse = { AWS_ACCESS_KEY_ID: undefined, AWS_PROFILE: undefined, AWS_WEB_IDENTITY_TOKEN_FILE: undefined }
    const giveBack = lendEnvironment({ ...nothingElse, ...env })
    return {
      hosts: [aws.host],
      trustedIssuer: {
        provider: 'aws',
        partition: 'aws',
        regions: [REGION],
        sts_endpoint: aws.origin,
        accounts: { [ACCOUNT]: { web_identity_issuer: issuer } },
      },
      subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
      attributes: { 'aws.account_id': ACCOUNT, 'aws.role_name': ROLE },
      prover: {
        settings: {},
        ports: async () => ({ env, readFile: () => Promise.reject(new Error('no such file')), now }),
      },
      async flawed(flaw, proofAudience) {
        const right = {
          claims: aws.claimsFor(session, { audiences: [proofAudience] }),
          header: { typ: 'JWT' },
          key: await keys.current('ES384'),
          now: now(),
          otherIssuer: `${issuer}/other`,
          maxLifetimeSeconds: HOUR_SECONDS,
          requiredClaim: AWS_CLAIM,
        }
        return await createFlawedJwt(right, flaw)
      },
      requestCount: () => aws.requests.length,
      async close() {
        giveBack()
        await aws.close()
      },
    }
  },
}
