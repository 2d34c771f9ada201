import type { StandIn, StandInProvider } from '../../contract/stand-in.ts'
import { lendEnvironment } from '../../kit/stand-in-environment.ts'
import { createFlawedJwt } from '../../kit/stand-in-flaws.ts'
import { startAwsStandIn } from './stand-in.ts'
import { AWS_CLAIM } from './web-identity.ts'

const ACCOUNT = '123456789012'
const ROLE = 'payments-api'
const REGION = 'us-east-1'

/** In the account's issuer, where a document shall stay good for the next start. */
const LASTING_UUID = '0f4e4c3a-7c1d-4b52-9d0e-5a1f6b7c8d9e'

const HOUR_SECONDS = 3_600

/** The longest that a role's session lasts: a developer's working day. */
const SESSION_SECONDS = 43_200

/** An account with one task of ECS, for whoever treats all clouds alike. Its proofs are web identity tokens. */
export const awsStandIn: StandInProvider = {
  name: 'aws',
  async start({ now, port }): Promise<StandIn> {
    const aws = await startAwsStandIn({ now, region: REGION, ...(port === undefined ? {} : { port }) })
    const { issuer, keys } = aws.createAccount(ACCOUNT, port === undefined ? {} : { uuid: LASTING_UUID })
    const session = aws.assumeRole(aws.createRole(ACCOUNT, ROLE), 'task-1', { durationSeconds: SESSION_SECONDS })
    const { uri, token } = aws.attachToContainer(session, 'ecs')
    const env = {
      AWS_REGION: REGION,
      // The SDK for Python reads no other.
      AWS_DEFAULT_REGION: REGION,
      AWS_ENDPOINT_URL_STS: aws.origin,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: uri,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: token,
      AWS_CONFIG_FILE: '/nonexistent/config',
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
    }
    const nothingElse = { AWS_ACCESS_KEY_ID: undefined, AWS_PROFILE: undefined, AWS_WEB_IDENTITY_TOKEN_FILE: undefined }
    const environment = { ...nothingElse, ...env }
    const giveBack = lendEnvironment(environment)
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
      environment,
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
