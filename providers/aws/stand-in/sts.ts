/** The Query API of STS. */

import type { StandInAnswer, StandInRequest } from '../../kit/stand-in-server.ts'
import type { TokenAlgorithm } from './account-keys.ts'
import { type AssumeRolePorts, assumeRole, assumeRoleWithWebIdentity } from './assume-role.ts'
import { type AuthenticationPorts, authenticate } from './authenticate.ts'
import type { Tags } from './aws-state.ts'
import type { Session } from './sessions.ts'
import { endpointOf, partitionOf, type StsEndpoint } from './sts-hosts.ts'
import { errorAnswer, formatFor, StsError, type StsResult, successAnswer } from './sts-protocol.ts'
import { claimsFor, DEFAULT_TOKEN_SECONDS, signAs } from './web-identity.ts'

export interface StsPorts extends AuthenticationPorts, AssumeRolePorts {
  /** The region that loopback stands for. */
  readonly region: string
}

/** Answers a request to STS, with the error that STS would answer with where it would. */
export async function answerSts(request: StandInRequest, ports: StsPorts): Promise<StandInAnswer> {
  const { headers, ...rest } = await answerAction(request, ports)
  // The SDK sets its clock by this when its signature was refused.
  return { ...rest, headers: { ...headers, date: new Date(ports.now() * 1_000).toUTCString() } }
}

async function answerAction(request: StandInRequest, ports: StsPorts): Promise<StandInAnswer> {
  const format = formatFor(request)
  try {
    const form = new URLSearchParams([...request.query, ...new URLSearchParams(request.body)])
    const action = form.get('Action') ?? ''
    return successAnswer(action, await perform(action, form, request, ports), format)
  } catch (error) {
    if (error instanceof StsError) return errorAnswer(error, format)
    throw error
  }
}

async function perform(
  action: string,
  form: URLSearchParams,
  request: StandInRequest,
  ports: StsPorts,
): Promise<StsResult> {
  const endpoint = endpointFor(request, ports)
  if (form.get('Version') !== '2011-06-15') throw unknownAction(action)
  switch (action) {
    case 'GetCallerIdentity': {
      const { account, caller } = authenticate(request, endpoint, ports)
      return { Arn: caller.arn, UserId: caller.userId, Account: account.id }
    }
    case 'GetWebIdentityToken':
      // AWS does not offer it on the global endpoint.
      if (endpoint.isGlobal) throw unknownAction(action)
      return await getWebIdentityToken(authenticate(request, endpoint, ports), form, endpoint, ports.now())
    case 'AssumeRole':
      return assumeRole(authenticate(request, endpoint, ports), form, readTags(form), ports)
    case 'AssumeRoleWithWebIdentity':
      return await assumeRoleWithWebIdentity(form, ports)
    default:
      throw unknownAction(action)
  }
}

const LOOPBACK = /^(127\.0\.0\.1|localhost)(:\d+)?$/

function endpointFor({ headers }: StandInRequest, { region }: StsPorts): StsEndpoint {
  const host = headers.host ?? ''
  if (LOOPBACK.test(host)) return { partition: partitionOf(region), region, isGlobal: false }
  const endpoint = endpointOf(host)
  if (endpoint === undefined) throw new StsError(404, 'NotFound', `there is no STS at ${host}`)
  return endpoint
}

/** What AWS takes: one minute to one hour, ten audiences of a thousand characters, fifty tags. */
const LIMITS = { minSeconds: 60, maxSeconds: 3_600, audiences: 10, audienceLength: 1_000, tags: 50 }

/** AWS does not say what it takes; this is more than the tags of an honest request need. */
const MAX_PAYLOAD_LENGTH = 8_192

async function getWebIdentityToken(
  session: Session,
  form: URLSearchParams,
  { region }: StsEndpoint,
  now: number,
): Promise<StsResult> {
  const { account, subject, expiresAt = Infinity, caller } = session
  const { audiences, algorithm, durationSeconds, tags } = readWish(form)
  if (subject === undefined) throw new StsError(403, 'AccessDenied', `${caller.arn} may not ask for a token`)
  if (!account.hasOutboundFederation) {
    throw new StsError(
      403,
      'OutboundWebIdentityFederationDisabledException',
      'Outbound web identity federation is not enabled for this account.',
    )
  }
  if (now + durationSeconds > expiresAt) {
    throw new StsError(
      403,
      'SessionDurationEscalationException',
      'The requested token duration would extend the session beyond its original expiration time.',
    )
  }
  const claims = claimsFor(session, { audiences, durationSeconds, tags, region }, now)
  if (JSON.stringify(claims).length > MAX_PAYLOAD_LENGTH) {
    throw new StsError(400, 'JWTPayloadSizeExceededException', 'The requested token payload size exceeds the maximum.')
  }
  const token = await signAs(account, claims, algorithm)
  return { WebIdentityToken: token, Expiration: new Date((now + durationSeconds) * 1_000) }
}

interface ReadWish {
  readonly audiences: readonly string[]
  readonly algorithm: TokenAlgorithm
  readonly durationSeconds: number
  readonly tags: Tags
}

function readWish(form: URLSearchParams): ReadWish {
  const audiences = readList(form, 'Audience')
  const areAudiencesFine = audiences.every((audience) => audience !== '' && audience.length <= LIMITS.audienceLength)
  if (audiences.length === 0 || audiences.length > LIMITS.audiences || !areAudiencesFine) throw invalid('audience')
  const algorithm = form.get('SigningAlgorithm')
  if (algorithm !== 'RS256' && algorithm !== 'ES384') throw invalid('signingAlgorithm')
  const durationSeconds = Number(form.get('DurationSeconds') ?? DEFAULT_TOKEN_SECONDS)
  const isDurationFine = durationSeconds >= LIMITS.minSeconds && durationSeconds <= LIMITS.maxSeconds
  if (!Number.isInteger(durationSeconds) || !isDurationFine) throw invalid('durationSeconds')
  const tags = readTags(form)
  if (Object.keys(tags).length > LIMITS.tags) throw invalid('tags')
  return { audiences, algorithm, durationSeconds, tags }
}

function readList(form: URLSearchParams, name: string): readonly string[] {
  const values: string[] = []
  for (let index = 1; form.has(`${name}.member.${index}`); index++) {
    values.push(form.get(`${name}.member.${index}`) ?? '')
  }
  return values
}

function readTags(form: URLSearchParams): Tags {
  const tags: [name: string, value: string][] = []
  for (let index = 1; form.has(`Tags.member.${index}.Key`); index++) {
    tags.push([form.get(`Tags.member.${index}.Key`) ?? '', form.get(`Tags.member.${index}.Value`) ?? ''])
  }
  return Object.fromEntries(tags)
}

function invalid(member: string): StsError {
  const message = `1 validation error detected: Value at '${member}' failed to satisfy constraint`
  return new StsError(400, 'ValidationError', message)
}

function unknownAction(action: string): StsError {
  return new StsError(400, 'InvalidAction', `Could not find operation ${action} for version 2011-06-15`)
}
