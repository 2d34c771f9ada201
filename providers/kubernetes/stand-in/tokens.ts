/** TokenRequest and TokenReview as an API server of Kubernetes 1.36 answers them. */

import { randomUUID } from 'node:crypto'
import { compactVerify, errors } from 'jose'
import type { Claims, StandInKey } from '../../kit/stand-in-keys.ts'
import type { ClusterState, Pod } from './cluster-state.ts'

/** Shortest life that TokenRequest gives, and what it gives by default, in seconds. */
const MIN_LIFETIME_SECONDS = 600
const DEFAULT_LIFETIME_SECONDS = 3_600

/** The kubelet's own request for an API token, which the server stretches to a year and marks. */
const MOUNTED_LIFETIME_SECONDS = 3_607
const STRETCHED_LIFETIME_SECONDS = 31_536_000

export interface Cluster {
  readonly issuer: string
  readonly state: ClusterState
  readonly now: () => number
  /** The audience of the API server itself. */
  readonly apiAudience: string
  /** Clusters before 1.30 write neither `jti` nor `node`. */
  readonly isBefore130: boolean
  readonly keys: () => readonly StandInKey[]
}

export interface TokenWish {
  readonly namespace: string
  readonly serviceAccount: string
  readonly audiences?: readonly string[] | undefined
  readonly expirationSeconds?: number | undefined
  readonly pod?: string | undefined
}

/** Gives the claims of a token for an account. Throws where there is no such account or pod. */
export function claimsFor(cluster: Cluster, wish: TokenWish): Claims {
  const { state, issuer, apiAudience } = cluster
  const account = state.serviceAccount(wish.namespace, wish.serviceAccount)
  const pod = wish.pod === undefined ? undefined : state.pod(wish.namespace, wish.pod)
  if (account === undefined) throw new Error(`serviceaccounts "${wish.serviceAccount}" not found`)
  if (wish.pod !== undefined && pod === undefined) throw new Error(`pods "${wish.pod}" not found`)
  const audiences = wish.audiences === undefined || wish.audiences.length === 0 ? [apiAudience] : wish.audiences
  const wished = Math.max(wish.expirationSeconds ?? DEFAULT_LIFETIME_SECONDS, MIN_LIFETIME_SECONDS)
  const isMounted = wished === MOUNTED_LIFETIME_SECONDS && pod !== undefined && audiences.includes(apiAudience)
  const issuedAt = cluster.now()
  return {
    aud: audiences,
    exp: issuedAt + (isMounted ? STRETCHED_LIFETIME_SECONDS : wished),
    iat: issuedAt,
    iss: issuer,
    ...(cluster.isBefore130 ? {} : { jti: randomUUID() }),
    'kubernetes.io': {
      namespace: wish.namespace,
      ...podClaims(pod, cluster.isBefore130),
      serviceaccount: { name: account.name, uid: account.uid },
      ...(isMounted ? { warnafter: issuedAt + MOUNTED_LIFETIME_SECONDS } : {}),
    },
    nbf: issuedAt,
    sub: `system:serviceaccount:${account.namespace}:${account.name}`,
  }
}

function podClaims(pod: Pod | undefined, isBefore130: boolean): Claims {
  if (pod === undefined) return {}
  return { ...(isBefore130 ? {} : { node: pod.node }), pod: { name: pod.name, uid: pod.uid } }
}

/** The part of a token's claims that a review reads. */
interface ReviewedClaims {
  readonly iss?: string
  readonly exp?: number
  readonly aud?: string | readonly string[]
  readonly sub?: string
  readonly jti?: string
  readonly 'kubernetes.io'?: {
    readonly namespace: string
    readonly serviceaccount: { readonly name: string; readonly uid: string }
    readonly pod?: { readonly name: string; readonly uid: string }
    readonly node?: { readonly name: string; readonly uid: string }
  }
}

/** Gives the `status` of a TokenReview. A refused token has no `authenticated` member at all. */
export async function reviewToken(cluster: Cluster, token: string, audiences: readonly string[]): Promise<Claims> {
  const claims = await verifyOwn(cluster, token)
  const refuse = (error: string): Claims => ({ user: {}, error })
  const workload = claims?.['kubernetes.io']
  if (claims === undefined || workload === undefined || claims.iss !== cluster.issuer)
    return refuse('invalid bearer token')
  if ((claims.exp ?? 0) <= cluster.now()) return refuse('service account token has expired')
  const asked = audiences.length === 0 ? [cluster.apiAudience] : audiences
  const granted = asked.filter((audience) => [claims.aud].flat().includes(audience))
  if (granted.length === 0) {
    return refuse(
      `token audiences ${JSON.stringify(claims.aud)} is invalid for the target audiences ${JSON.stringify(asked)}`,
    )
  }
  const trouble = findStaleness(cluster.state, workload)
  if (trouble !== undefined) return refuse(trouble)
  return { authenticated: true, audiences: granted, user: userOf(claims, workload) }
}

async function verifyOwn(cluster: Cluster, token: string): Promise<ReviewedClaims | undefined> {
  try {
    const { payload } = await compactVerify(token, async ({ kid }) => {
      const key = cluster.keys().find(({ keyId }) => keyId === kid)
      if (key === undefined) throw new errors.JWKSNoMatchingKey()
      return key.publicKey
    })
    return JSON.parse(new TextDecoder().decode(payload)) as ReviewedClaims
  } catch {
    return undefined
  }
}

type Workload = NonNullable<ReviewedClaims['kubernetes.io']>

function findStaleness(state: ClusterState, { namespace, serviceaccount, pod }: Workload): string | undefined {
  const account = state.serviceAccount(namespace, serviceaccount.name)
  if (account === undefined) return `serviceaccounts "${serviceaccount.name}" not found`
  if (account.uid !== serviceaccount.uid) {
    return `service account UID (${account.uid}) does not match claim (${serviceaccount.uid})`
  }
  if (pod === undefined) return undefined
  const current = state.pod(namespace, pod.name)
  if (current === undefined) return 'service account token has been invalidated'
  return current.uid === pod.uid
    ? undefined
    : `pod UID (${current.uid}) does not match service account pod ref claim (${pod.uid})`
}

function userOf(claims: ReviewedClaims, { namespace, serviceaccount, pod, node }: Workload): Claims {
  const extra: Readonly<Record<string, string | undefined>> = {
    'credential-id': claims.jti === undefined ? undefined : `JTI=${claims.jti}`,
    'node-name': node?.name,
    'node-uid': node?.uid,
    'pod-name': pod?.name,
    'pod-uid': pod?.uid,
  }
  const known = Object.entries(extra).filter(([, value]) => value !== undefined)
  return {
    username: claims.sub,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra: Object.fromEntries(known.map(([name, value]) => [`authentication.kubernetes.io/${name}`, [value]])),
  }
}
