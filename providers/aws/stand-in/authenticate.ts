/** Who signed a request, as STS finds out: with the secret that it keeps, never by what the request says. */

import { timingSafeEqual } from 'node:crypto'
import type { StandInRequest } from '../../kit/stand-in-server.ts'
import type { Session } from './sessions.ts'
import { type CredentialScope, type Header, signatureOf } from './sigv4.ts'
import type { StsEndpoint } from './sts-hosts.ts'
import { formatTime, StsError } from './sts-protocol.ts'

export interface AuthenticationPorts {
  readonly now: () => number
  readonly session: (accessKeyId: string) => Session | undefined
}

/** How far the time of a signature may be off, either way. */
const WINDOW_SECONDS = 900

/** Gives the session that signed a request. Throws the {@link StsError} that STS answers with where none did. */
export function authenticate(request: StandInRequest, endpoint: StsEndpoint, ports: AuthenticationPorts): Session {
  const { authorization } = request.headers
  if (authorization === undefined) {
    throw new StsError(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token')
  }
  const claimed = parseAuthorization(authorization)
  const amzDate = single(request, 'x-amz-date')
  const time = parseAmzDate(amzDate)
  const session = ports.session(claimed.accessKeyId)
  if (session === undefined || session.account.partition !== endpoint.partition) throw unknownToken()
  checkTime(time, ports.now())
  checkScope(claimed, amzDate, endpoint)
  checkSignature(request, claimed, amzDate, session)
  checkToken(single(request, 'x-amz-security-token'), session, ports.now())
  return session
}

interface Authorization {
  readonly accessKeyId: string
  readonly scope: CredentialScope
  readonly terminator: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

function parseAuthorization(authorization: string): Authorization {
  const [algorithm = '', ...rest] = authorization.split(' ')
  if (algorithm !== 'AWS4-HMAC-SHA256') throw incomplete(`Unsupported AWS 'algorithm': '${algorithm}'.`)
  const parts = new Map<string, string>()
  for (const part of rest.join(' ').split(',')) {
    const [name = '', ...value] = part.trim().split('=')
    if (parts.has(name)) throw incomplete(`Authorization header has '${name}' more than once.`)
    parts.set(name, value.join('='))
  }
  const read = (name: string): string => {
    const value = parts.get(name)
    if (value === undefined || value === '') throw incomplete(`Authorization header requires '${name}' parameter.`)
    return value
  }
  const [accessKeyId = '', date = '', region = '', service = '', terminator = '', ...more] =
    read('Credential').split('/')
  if (terminator === '' || more.length > 0) throw incomplete('Credential must have exactly 5 slash-delimited elements.')
  const signedHeaders = read('SignedHeaders').split(';')
  return { accessKeyId, scope: { date, region, service }, terminator, signedHeaders, signature: read('Signature') }
}

function parseAmzDate(amzDate: string): number {
  const [, ...parts] = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(amzDate) ?? []
  const [year, month, day, hour, minute, second] = parts
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(milliseconds)) {
    throw incomplete("Date must be in ISO-8601 'basic format', in an 'X-Amz-Date' header.")
  }
  return milliseconds / 1_000
}

function checkTime(time: number, now: number): void {
  const write = (seconds: number): string => toAmzDate(seconds)
  if (time < now - WINDOW_SECONDS) {
    const earliest = write(now - WINDOW_SECONDS)
    throw mismatch(`Signature expired: ${write(time)} is now earlier than ${earliest} (${write(now)} - 15 min.)`)
  }
  if (time > now + WINDOW_SECONDS) {
    const latest = write(now + WINDOW_SECONDS)
    throw mismatch(`Signature not yet current: ${write(time)} is still later than ${latest} (${write(now)} + 15 min.)`)
  }
}

function checkScope({ scope, terminator }: Authorization, amzDate: string, endpoint: StsEndpoint): void {
  if (scope.region !== endpoint.region) throw mismatch('Credential should be scoped to a valid region. ')
  if (scope.service !== 'sts') throw mismatch("Credential should be scoped to correct service: 'sts'. ")
  if (terminator !== 'aws4_request') {
    throw mismatch(`Credential should be scoped with a valid terminator: 'aws4_request', not '${terminator}'. `)
  }
  if (scope.date !== amzDate.slice(0, 8)) {
    throw mismatch(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scope.date}' != '${amzDate.slice(0, 8)}', from '${amzDate}'. `,
    )
  }
}

function checkSignature(request: StandInRequest, claimed: Authorization, amzDate: string, session: Session): void {
  const { scope, signedHeaders, signature } = claimed
  if (!signedHeaders.includes('host')) {
    throw mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
  }
  const { method, target, body } = request
  const raw = { method, target, body, headers: headersOf(request) }
  const { secretAccessKey } = session
  const expected = Buffer.from(signatureOf(raw, { secretAccessKey, scope, amzDate, signedHeaders }))
  const given = Buffer.from(signature)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw mismatch(
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    )
  }
}

function checkToken(token: string, { sessionToken = '', expiresAt }: Session, now: number): void {
  if (token !== sessionToken) throw unknownToken()
  if (expiresAt !== undefined && expiresAt <= now) {
    throw new StsError(403, 'ExpiredToken', 'The security token included in the request is expired')
  }
}

function headersOf({ headers }: StandInRequest): readonly Header[] {
  return Object.entries(headers).flatMap(([key, value]) => [value ?? []].flat().map((one) => ({ key, value: one })))
}

/** Empty where there is no such header. */
function single({ headers }: StandInRequest, name: string): string {
  return [headers[name] ?? ''].flat().join(',')
}

/** Writes a time as `x-amz-date` has it. */
export function toAmzDate(seconds: number): string {
  return formatTime(new Date(seconds * 1_000)).replaceAll(/[-:]/g, '')
}

const incomplete = (message: string): StsError => new StsError(400, 'IncompleteSignature', message)

const mismatch = (message: string): StsError => new StsError(403, 'SignatureDoesNotMatch', message)

function unknownToken(): StsError {
  return new StsError(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.')
}
