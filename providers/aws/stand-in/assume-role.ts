/** How a role is assumed: by somebody of its account, or with the JWT of an issuer that the account trusts. */

import { createRemoteJWKSet, decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose'
import type { OidcProvider, Role, Tags } from './aws-state.ts'
import type { Session, Sessions } from './sessions.ts'
import { StsError, type StsResult } from './sts-protocol.ts'

export interface AssumeRolePorts {
  readonly now: () => number
  readonly role: (arn: string) => Role | undefined
  readonly assumeRole: Sessions['assumeRole']
}

/** What STS takes: 15 minutes to 12 hours. */
const MIN_DURATION_SECONDS = 900
const MAX_DURATION_SECONDS = 43_200
const DEFAULT_DURATION_SECONDS = 3_600

/** The algorithms that AWS takes of an OIDC provider. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']

/** Lets a caller into a role of its own account. */
export function assumeRole(caller: Session, form: URLSearchParams, tags: Tags, ports: AssumeRolePorts): StsResult {
  const role = ports.role(form.get('RoleArn') ?? '')
  if (role === undefined || role.account.id !== caller.account.id) {
    throw denied(`User: ${caller.caller.arn} is not authorized to perform: sts:AssumeRole`)
  }
  return sessionResult(ports.assumeRole(role, sessionName(form), { durationSeconds: duration(form), tags }))
}

/** Lets whoever holds a JWT that the role trusts into it. The JWT is really verified, with keys that are really fetched. */
export async function assumeRoleWithWebIdentity(form: URLSearchParams, ports: AssumeRolePorts): Promise<StsResult> {
  const token = form.get('WebIdentityToken') ?? ''
  const role = ports.role(form.get('RoleArn') ?? '')
  if (role === undefined) throw denied('Not authorized to perform sts:AssumeRoleWithWebIdentity')
  const issuer = issuerOf(token)
  const provider = role.account.oidcProviders.find((candidate) => candidate.issuer === issuer)
  if (provider === undefined) throw invalidToken(`No OpenIDConnect provider found in your account for ${issuer}`)
  const claims = await verify(token, provider, ports.now())
  const audience = [claims.aud ?? []].flat().find((one) => provider.clientIds.includes(one))
  if (audience === undefined) throw invalidToken('Incorrect token audience')
  if (!role.trusts.some((trust) => trust.issuer === issuer && trust.subject === claims.sub)) {
    throw denied('Not authorized to perform sts:AssumeRoleWithWebIdentity')
  }
  const session = ports.assumeRole(role, sessionName(form), { durationSeconds: duration(form) })
  const { account } = role
  return {
    SubjectFromWebIdentityToken: claims.sub,
    Audience: audience,
    ...sessionResult(session),
    Provider: `arn:${account.partition}:iam::${account.id}:oidc-provider/${issuer.replace(/^https?:\/\//, '')}`,
  }
}

function issuerOf(token: string): string {
  try {
    return decodeJwt(token).iss ?? ''
  } catch {
    throw invalidToken('The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)')
  }
}

async function verify(token: string, provider: OidcProvider, now: number): Promise<JWTPayload> {
  try {
    const keys = createRemoteJWKSet(new URL(provider.jwksUri ?? (await discoverKeys(provider.issuer))))
    const requiredClaims = ['sub', 'aud', 'exp', 'iat']
    const options = { algorithms: ALGORITHMS, issuer: provider.issuer, currentDate: new Date(now * 1_000) }
    return (await jwtVerify(token, keys, { ...options, requiredClaims })).payload
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      throw new StsError(400, 'ExpiredTokenException', `Token expired: current date/time ${now} must be before it`)
    }
    throw invalidToken("Couldn't retrieve verification key from your identity provider, or the token is not its own")
  }
}

async function discoverKeys(issuer: string): Promise<string> {
  const reply = await fetch(`${issuer}/.well-known/openid-configuration`, { redirect: 'error' })
  const metadata = (await reply.json()) as { readonly issuer?: string; readonly jwks_uri?: string }
  if (metadata.issuer !== issuer || metadata.jwks_uri === undefined) throw new Error('the metadata is another’s')
  return metadata.jwks_uri
}

function sessionName(form: URLSearchParams): string {
  const name = form.get('RoleSessionName') ?? ''
  if (!/^[\w+=,.@-]{2,64}$/.test(name)) throw invalid('roleSessionName')
  return name
}

function duration(form: URLSearchParams): number {
  const seconds = Number(form.get('DurationSeconds') ?? DEFAULT_DURATION_SECONDS)
  if (!(seconds >= MIN_DURATION_SECONDS && seconds <= MAX_DURATION_SECONDS)) throw invalid('durationSeconds')
  return seconds
}

function sessionResult({ accessKeyId, secretAccessKey, sessionToken, expiresAt = 0, caller }: Session): StsResult {
  return {
    AssumedRoleUser: { Arn: caller.arn, AssumedRoleId: caller.userId },
    Credentials: {
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      SessionToken: sessionToken,
      Expiration: new Date(expiresAt * 1_000),
    },
  }
}

const denied = (message: string): StsError => new StsError(403, 'AccessDenied', message)

const invalidToken = (message: string): StsError => new StsError(400, 'InvalidIdentityToken', message)

const invalid = (member: string): StsError =>
  new StsError(400, 'ValidationError', `1 validation error detected: Value at '${member}' failed to satisfy constraint`)
