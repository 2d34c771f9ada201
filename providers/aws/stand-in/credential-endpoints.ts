/** Where a workload finds its credentials: the instance metadata of EC2, and the container endpoints of ECS and EKS. */

import { randomUUID } from 'node:crypto'
import type { StandInAnswer, StandInRequest } from '../../kit/stand-in-server.ts'
import type { Session } from './sessions.ts'
import { formatTime } from './sts-protocol.ts'

/** What a container finds in its environment. EKS puts the token into a file. */
export interface ContainerEndpoint {
  /** For `AWS_CONTAINER_CREDENTIALS_FULL_URI`. */
  readonly uri: string
  /** For `AWS_CONTAINER_AUTHORIZATION_TOKEN`, or the file of `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`. */
  readonly token: string
}

export interface CredentialEndpoints {
  /** Makes instance metadata hand out this session of a role, or nothing. */
  attachToInstance(session: Session | undefined): void
  /** Gives a container its own endpoint. */
  attachToContainer(session: Session, kind: 'ecs' | 'eks'): ContainerEndpoint
  /** Undefined for a path of somebody else. */
  answer(request: StandInRequest): StandInAnswer | undefined
}

export interface CredentialEndpointPorts {
  readonly origin: string
  readonly region: string
  readonly now: () => number
}

const IMDS_ROLES = '/latest/meta-data/iam/security-credentials/'
const EKS_PATH = '/v1/credentials'
const ECS_PATH = '/v2/credentials/'

interface Container {
  readonly session: Session
  readonly path: string
  readonly kind: 'ecs' | 'eks'
}

export function createCredentialEndpoints(ports: CredentialEndpointPorts): CredentialEndpoints {
  const containers = new Map<string, Container>()
  const instance = createInstance(ports)
  return {
    attachToInstance: instance.attach,
    attachToContainer(session, kind) {
      const token = `${kind}-${randomUUID()}`
      const path = kind === 'eks' ? EKS_PATH : `${ECS_PATH}${randomUUID()}`
      containers.set(token, { session, path, kind })
      return { uri: `${ports.origin}${path}`, token }
    },
    answer(request) {
      if (request.path.startsWith('/latest/')) return instance.answer(request)
      if (request.path !== EKS_PATH && !request.path.startsWith(ECS_PATH)) return undefined
      const container = containers.get(request.headers.authorization ?? '')
      if (container?.path !== request.path)
        return { status: 401, body: { code: 'AccessDenied', message: 'no such token' } }
      return { status: 200, body: containerCredentials(container) }
    },
  }
}

function containerCredentials({ session, kind }: Container): object {
  const { account, role } = session
  return { ...plainCredentials(session), ...(kind === 'eks' ? { AccountId: account.id } : { RoleArn: role?.arn }) }
}

function plainCredentials({ accessKeyId, secretAccessKey, sessionToken, expiresAt = 0 }: Session): object {
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Token: sessionToken,
    Expiration: formatTime(new Date(expiresAt * 1_000)),
  }
}

/** What IMDSv2 takes: one second to six hours. */
const MAX_IMDS_TOKEN_SECONDS = 21_600

interface Instance {
  attach(session: Session | undefined): void
  answer(request: StandInRequest): StandInAnswer
}

/** Instance metadata, version 2 alone: whoever has no token of its session gets nothing. */
function createInstance({ region, now }: CredentialEndpointPorts): Instance {
  const tokens = new Map<string, number>()
  let attached: Session | undefined
  const startSession = ({ method, headers }: StandInRequest): StandInAnswer => {
    const seconds = Number(headers['x-aws-ec2-metadata-token-ttl-seconds'])
    if (method !== 'PUT') return { status: 405 }
    // What came through a proxy is not from the instance.
    if (headers['x-forwarded-for'] !== undefined) return { status: 403 }
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_IMDS_TOKEN_SECONDS) return { status: 400 }
    const token = Buffer.from(randomUUID()).toString('base64')
    tokens.set(token, now() + seconds)
    return text(token, { 'x-aws-ec2-metadata-token-ttl-seconds': String(seconds) })
  }
  return {
    attach(session) {
      attached = session
    },
    answer(request) {
      if (request.path === '/latest/api/token') return startSession(request)
      const token = [request.headers['x-aws-ec2-metadata-token'] ?? ''].flat().join()
      if ((tokens.get(token) ?? 0) <= now()) return { status: 401 }
      if (request.path === '/latest/meta-data/placement/region') return text(region)
      if (request.path === '/latest/meta-data/placement/availability-zone') return text(`${region}a`)
      if (attached?.role === undefined) return { status: 404 }
      if (`${request.path}/`.replace(/\/\/$/, '/') === IMDS_ROLES) return text(attached.role.name)
      return request.path === IMDS_ROLES + attached.role.name ? instanceCredentials(attached, now()) : { status: 404 }
    },
  }
}

function instanceCredentials(session: Session, now: number): StandInAnswer {
  const LastUpdated = formatTime(new Date(now * 1_000))
  const content = { Code: 'Success', LastUpdated, Type: 'AWS-HMAC', ...plainCredentials(session) }
  return text(JSON.stringify(content, null, 2))
}

function text(body: string, headers: Readonly<Record<string, string>> = {}): StandInAnswer {
  return { status: 200, headers: { 'content-type': 'text/plain', ...headers }, body }
}
