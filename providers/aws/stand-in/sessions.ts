/** Credentials, and who holds them: sessions of roles and federated users, and the keys of users and roots. */

import { randomBytes } from 'node:crypto'
import type { Claims } from '../../kit/stand-in-keys.ts'
import { type Account, type AwsState, type Role, type Tags, type User, uniqueId } from './aws-state.ts'

export interface Session {
  readonly account: Account
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Undefined for the lasting keys of a user or a root. */
  readonly sessionToken: string | undefined
  /** Seconds; undefined for lasting keys. */
  readonly expiresAt: number | undefined
  /** As `GetCallerIdentity` answers. */
  readonly caller: { readonly arn: string; readonly userId: string }
  /** What a web identity token names as `sub`; undefined for whoever AWS gives none. */
  readonly subject: string | undefined
  readonly role: Role | undefined
  /** Of the session and, where it has none of that name, of the role or user. */
  readonly principalTags: Tags
  /** What a web identity token says of where the session comes from, such as `ec2_source_instance_arn`. */
  readonly sourceClaims: Claims
}

export interface SessionWish {
  readonly durationSeconds?: number
  readonly tags?: Tags
  readonly sourceClaims?: Claims
  /** Credentials of a known sample in place of random ones. */
  readonly credentials?: Partial<Pick<Session, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'>>
}

/** A pod that EKS Pod Identity gives credentials to. */
export interface EksPod {
  readonly cluster: string
  readonly region?: string
  readonly namespace: string
  readonly serviceAccount: string
  readonly pod: string
  readonly podUid: string
}

export interface Sessions {
  assumeRole(role: Role, sessionName: string, wish?: SessionWish): Session
  /** A session with the name and the tags that EKS Pod Identity gives it. */
  assumeRoleForPod(role: Role, pod: EksPod, wish?: SessionWish): Session
  federateUser(accountId: string, name: string, wish?: SessionWish): Session
  createAccessKey(user: User): Session
  createRootKey(accountId: string): Session
  /** Forgets credentials: they are unknown from now on. */
  revoke(session: Session): void
  /** Undefined for unknown credentials, and for those of a role that is gone. */
  session(accessKeyId: string): Session | undefined
}

const DEFAULT_DURATION_SECONDS = 3_600

export function createSessions(state: AwsState, now: () => number): Sessions {
  const sessions = new Map<string, Session>()
  const keep = (session: Session): Session => {
    sessions.set(session.accessKeyId, session)
    return session
  }
  const assumeRole = (role: Role, sessionName: string, wish: SessionWish = {}): Session => {
    const { partition, id } = role.account
    const caller = {
      arn: `arn:${partition}:sts::${id}:assumed-role/${role.name}/${sessionName}`,
      userId: `${role.id}:${sessionName}`,
    }
    const principalTags = { ...role.tags, ...wish.tags }
    return keep({ ...temporary(role.account, wish, now()), caller, subject: role.arn, role, principalTags })
  }
  return {
    assumeRole,
    assumeRoleForPod: (role, pod, wish = {}) =>
      assumeRole(role, podSessionName(pod), { ...wish, tags: { ...podTags(role, pod), ...wish.tags } }),
    federateUser(accountId, name, wish = {}) {
      const account = state.account(accountId)
      const arn = `arn:${account.partition}:sts::${account.id}:federated-user/${name}`
      const caller = { arn, userId: `${account.id}:${name}` }
      const principalTags = wish.tags ?? {}
      return keep({ ...temporary(account, wish, now()), caller, subject: undefined, role: undefined, principalTags })
    },
    createAccessKey: ({ account, arn, id, tags }) =>
      keep({ ...lasting(account), caller: { arn, userId: id }, subject: arn, principalTags: tags }),
    createRootKey(accountId) {
      const account = state.account(accountId)
      const caller = { arn: `arn:${account.partition}:iam::${account.id}:root`, userId: account.id }
      return keep({ ...lasting(account), caller, subject: undefined, principalTags: {} })
    },
    revoke: ({ accessKeyId }) => void sessions.delete(accessKeyId),
    session(accessKeyId) {
      const session = sessions.get(accessKeyId)
      const isGone = session?.role !== undefined && state.role(session.role.arn)?.id !== session.role.id
      return isGone ? undefined : session
    },
  }
}

type Temporary = Omit<Session, 'caller' | 'subject' | 'role' | 'principalTags'>

function temporary(account: Account, wish: SessionWish, now: number): Temporary {
  return {
    account,
    accessKeyId: uniqueId('ASIA'),
    secretAccessKey: randomBytes(30).toString('base64'),
    // Real ones begin so, and hold every character of base64.
    sessionToken: `IQoJb3JpZ2luX2Vj${randomBytes(383).toString('base64')}`,
    ...wish.credentials,
    expiresAt: now + (wish.durationSeconds ?? DEFAULT_DURATION_SECONDS),
    sourceClaims: wish.sourceClaims ?? {},
  }
}

function lasting(account: Account): Omit<Session, 'caller' | 'subject' | 'principalTags'> {
  return {
    account,
    accessKeyId: uniqueId('AKIA'),
    secretAccessKey: randomBytes(30).toString('base64'),
    sessionToken: undefined,
    expiresAt: undefined,
    role: undefined,
    sourceClaims: {},
  }
}

/** Longest name of a session. */
const MAX_SESSION_NAME_LENGTH = 64

function podSessionName({ cluster, pod, podUid }: EksPod): string {
  return `eks-${cluster.slice(0, 14)}-${pod.slice(0, 8)}-${podUid}`.slice(0, MAX_SESSION_NAME_LENGTH)
}

/** @see {@link https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html Session tags of EKS Pod Identity} */
function podTags({ account }: Role, { cluster, region = 'us-east-1', ...pod }: EksPod): Tags {
  return {
    'eks-cluster-arn': `arn:${account.partition}:eks:${region}:${account.id}:cluster/${cluster}`,
    'eks-cluster-name': cluster,
    'kubernetes-namespace': pod.namespace,
    'kubernetes-service-account': pod.serviceAccount,
    'kubernetes-pod-name': pod.pod,
    'kubernetes-pod-uid': pod.podUid,
  }
}

/** Credentials in the form that the AWS SDK takes. */
export interface SdkCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

/** Gives what a workload holds of a session. */
export function credentialsOf({ accessKeyId, secretAccessKey, sessionToken, expiresAt }: Session): SdkCredentials {
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(expiresAt === undefined ? {} : { expiration: new Date(expiresAt * 1_000) }),
  }
}
