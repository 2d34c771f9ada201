/** One call of AWS STS: our token for a session of a role. */

import type { Failure, Outcome } from './answer.ts'
import type { AwsCredentials } from './aws-credentials.ts'
import { readUnverifiedJwt } from './unverified-jwt.ts'

export interface RoleWish {
  readonly roleArn: string
  /** By default the identity's name, so that CloudTrail tells who it was. */
  readonly sessionName?: string | undefined
  /** By default where the SDK finds it: environment, then profile. */
  readonly region?: string | undefined
  readonly durationSeconds?: number | undefined
}

/**
 * Asks STS by the official SDK, which is loaded here and not before. The call is not signed: no credentials of AWS are needed, and
 * none are looked for.
 *
 * @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html AssumeRoleWithWebIdentity}
 */
export async function assumeRole(token: string, wish: RoleWish): Promise<Outcome<AwsCredentials>> {
  const sdk = await import('@aws-sdk/client-sts').catch(() => undefined)
  if (sdk === undefined) {
    return failure('wrong', 'sdk_missing', '@aws-sdk/client-sts is not installed: npm install it beside chancery')
  }
  const client = new sdk.STSClient(wish.region === undefined ? {} : { region: wish.region })
  const command = new sdk.AssumeRoleWithWebIdentityCommand({
    RoleArn: wish.roleArn,
    RoleSessionName: wish.sessionName ?? sessionNameFor(token),
    WebIdentityToken: token,
    ...(wish.durationSeconds === undefined ? {} : { DurationSeconds: wish.durationSeconds }),
  })
  try {
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = (await client.send(command)).Credentials ?? {}
    if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined || !Expiration) {
      return failure('later', 'sts_answer', 'STS answers without credentials')
    }
    const expiresAt = Math.floor(Expiration.getTime() / 1_000)
    return {
      got: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken, expiresAt },
    }
  } catch (error) {
    return explain(error, token, wish)
  } finally {
    client.destroy()
  }
}

/** What AWS does not take in a session's name. */
const FORBIDDEN = /[^\w+=,.@-]/g

/** Gives a session's name that says whose it is. */
export function sessionNameFor(token: string): string {
  const identity = readUnverifiedJwt(token)?.claims.client_id
  const name = typeof identity === 'string' ? identity.replaceAll(FORBIDDEN, '-').slice(0, 64) : ''
  return name.length < 2 ? 'chancery' : name
}

/** Faults that time may end: STS is down, busy, or cannot reach the broker. */
const PASSING = /^(IDPCommunicationError|Throttling|ServiceUnavailable|InternalFailure|TimeoutError)/

function explain(error: unknown, token: string, { roleArn }: RoleWish): { readonly failure: Failure } {
  const { name, message, $metadata } = error as {
    readonly name: string
    readonly message: string
    readonly $metadata?: { readonly httpStatusCode?: number }
  }
  if (message === 'Region is missing') {
    return failure(
      'wrong',
      'region_missing',
      'which region’s STS? Name it with --region, in AWS_REGION, or in the profile',
    )
  }
  const status = $metadata?.httpStatusCode
  const said = `${name}: ${plain(message.replaceAll(token, '…')).slice(0, 300)}`
  if (status === undefined || status >= 500 || PASSING.test(name)) {
    return failure('later', name, `STS gives no session now: ${said}`)
  }
  const audience = plain(String(readUnverifiedJwt(token)?.claims.aud))
  const advice = `see that the account trusts the broker for the audience ${audience}, and that ${plain(roleArn)} trusts this identity`
  return failure('refused', name, `STS refuses: ${said}: ${advice}`)
}

/** STS's words on a terminal. */
function plain(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?')
}

function failure(ending: Failure['ending'], code: string, message: string): { readonly failure: Failure } {
  return { failure: { ending, code, message } }
}
