/**
 * A Kubernetes cluster on a laptop, as far as its tokens go. The official client libraries take it for a real one; it speaks JSON
 * alone, and answers 415 to the protobuf of kubectl.
 */

import { randomUUID } from 'node:crypto'
import type { JWK } from 'jose'
import { type Claims, generateStandInKey, type StandInKey, signClaims } from '../../kit/stand-in-keys.ts'
import {
  type StandInAnswer,
  type StandInRequest,
  type StandInServer,
  startStandInServer,
} from '../../kit/stand-in-server.ts'
import type { SignatureAlgorithm } from '../../kit/verification-key.ts'
import { type ClusterState, createClusterState } from './cluster-state.ts'
import { type Cluster, claimsFor, reviewToken, type TokenWish } from './tokens.ts'

export interface KubernetesStandInOptions {
  /** Seconds; the system's clock by default. */
  readonly now?: () => number
  /** What its tokens name as `iss`; its own address by default. */
  readonly issuer?: string
  readonly algorithm?: SignatureAlgorithm
  /** Before 1.30 tokens have neither `jti` nor `node`. */
  readonly isBefore130?: boolean
  /** Whether discovery and keys answer strangers, as on EKS, GKE and AKS; a private cluster's do not. */
  readonly isPublic?: boolean
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly hostname?: string
  /** A free one by default. */
  readonly port?: number
  /** Seconds that verifiers may keep the keys. */
  readonly maxAgeSeconds?: number
}

export interface KubernetesStandIn extends Omit<StandInServer, 'close'>, ClusterState {
  readonly issuer: string
  /** May do anything, as a cluster's owner. */
  readonly adminToken: string
  /** May create token reviews and nothing else. */
  readonly reviewerToken: string
  readonly key: StandInKey
  readonly jwks: { readonly keys: readonly JWK[] }
  /** What a pod finds in its projected volume. */
  requestToken(wish: TokenWish): Promise<string>
  /** The claims that such a token would have, to be bent by a test. */
  claimsFor(wish: TokenWish): Claims
  /** Signs anything with the cluster's current key. */
  sign(claims: Claims, header?: Claims): Promise<string>
  /** Signs with a new key from now on; the old one stays published unless it is dropped. */
  rotateKeys(options?: { readonly dropOld?: boolean }): Promise<void>
  close(): Promise<void>
}

/** Starts a cluster with no accounts and no pods. */
export async function startKubernetesStandIn(options: KubernetesStandInOptions = {}): Promise<KubernetesStandIn> {
  const { algorithm = 'RS256', now = () => Math.floor(Date.now() / 1_000) } = options
  const state = createClusterState()
  const keys = [await generateStandInKey(algorithm)]
  const adminToken = randomUUID()
  const reviewerToken = randomUUID()
  const api: { handle?: (request: StandInRequest) => Promise<StandInAnswer> } = {}
  const server = await startStandInServer({
    route: (request) => api.handle?.(request) ?? { status: 503 },
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
    port: options.port ?? 0,
  })
  const issuer = options.issuer ?? server.origin
  const cluster: Cluster = {
    issuer,
    state,
    now,
    apiAudience: issuer,
    isBefore130: options.isBefore130 ?? false,
    keys: () => keys,
  }
  api.handle = createApi({ cluster, adminToken, reviewerToken, origin: server.origin, options })
  const current = (): StandInKey => keys[0] as StandInKey
  return {
    ...server,
    ...state,
    issuer,
    adminToken,
    reviewerToken,
    get key() {
      return current()
    },
    get jwks() {
      return { keys: keys.map(({ jwk }) => jwk) }
    },
    claimsFor: (wish) => claimsFor(cluster, wish),
    requestToken: async (wish) => signClaims(claimsFor(cluster, wish), current()),
    sign: (claims, header) => signClaims(claims, current(), header),
    async rotateKeys({ dropOld = false } = {}) {
      const key = await generateStandInKey(algorithm)
      if (dropOld) keys.length = 0
      keys.unshift(key)
    },
  }
}

interface ApiPorts {
  readonly cluster: Cluster
  readonly adminToken: string
  readonly reviewerToken: string
  readonly origin: string
  readonly options: KubernetesStandInOptions
}

const TOKEN_PATH = /^\/api\/v1\/namespaces\/([^/]+)\/serviceaccounts\/([^/]+)\/token$/
const REVIEW_PATH = '/apis/authentication.k8s.io/v1/tokenreviews'

function createApi(ports: ApiPorts): (request: StandInRequest) => Promise<StandInAnswer> {
  return async (request) => {
    const who = whoAsks(request, ports)
    if (who === undefined) return failure(401, 'Unauthorized')
    if (request.headers['content-type']?.includes('protobuf') === true) return failure(415, 'UnsupportedMediaType')
    if (request.path === '/.well-known/openid-configuration') {
      return notAcceptable(request, 'application/json') ?? mayRead(who, ports) ?? discovery(ports)
    }
    if (request.path === '/openid/v1/jwks') {
      return notAcceptable(request, KEY_SET) ?? mayRead(who, ports) ?? keySet(ports)
    }
    const [, namespace, serviceAccount] = TOKEN_PATH.exec(request.path) ?? []
    if (namespace !== undefined && serviceAccount !== undefined && request.method === 'POST') {
      return who === 'admin'
        ? createToken(ports.cluster, namespace, serviceAccount, request.body)
        : failure(403, 'Forbidden')
    }
    if (request.path === REVIEW_PATH && request.method === 'POST') {
      return who === 'anonymous' ? failure(403, 'Forbidden') : createReview(ports.cluster, request.body)
    }
    return failure(404, 'NotFound')
  }
}

/** Undefined for a credential that the server does not know: that is refused, not taken for anonymous. */
function whoAsks({ headers }: StandInRequest, ports: ApiPorts): 'admin' | 'reviewer' | 'anonymous' | undefined {
  const { authorization } = headers
  if (authorization === undefined) return 'anonymous'
  if (authorization === `Bearer ${ports.adminToken}`) return 'admin'
  return authorization === `Bearer ${ports.reviewerToken}` ? 'reviewer' : undefined
}

/** The media type of the key set, and the only one that it is given in. */
const KEY_SET = 'application/jwk-set+json'

/** As the API server answers, which looks at types before it looks at rights. Seen on Kubernetes 1.34. */
function notAcceptable({ headers }: StandInRequest, type: string): StandInAnswer | undefined {
  const accepted = (headers.accept ?? '*/*').split(',').map((each) => each.split(';', 1)[0]?.trim())
  if (accepted.some((each) => each === type || each === '*/*')) return undefined
  const body = `406: Not Acceptable\n\nAvailable representations: ${type}`
  return { status: 406, headers: { 'content-type': 'text/plain' }, body }
}

function mayRead(who: string, { options }: ApiPorts): StandInAnswer | undefined {
  return who === 'anonymous' && options.isPublic === false ? failure(401, 'Unauthorized') : undefined
}

function discovery({ cluster, origin, options }: ApiPorts): StandInAnswer {
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      'cache-control': `public, max-age=${options.maxAgeSeconds ?? 3_600}`,
    },
    body: {
      issuer: cluster.issuer,
      jwks_uri: `${origin}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [...new Set(cluster.keys().map(({ algorithm }) => algorithm))],
    },
  }
}

function keySet({ cluster, options }: ApiPorts): StandInAnswer {
  return {
    status: 200,
    headers: {
      'content-type': KEY_SET,
      'cache-control': `public, max-age=${options.maxAgeSeconds ?? 3_600}`,
    },
    body: { keys: cluster.keys().map(({ jwk }) => jwk) },
  }
}

interface TokenRequestBody {
  readonly spec?: {
    readonly audiences?: readonly string[] | null
    readonly expirationSeconds?: number | null
    readonly boundObjectRef?: { readonly kind: string; readonly name: string } | null
  }
}

async function createToken(
  cluster: Cluster,
  namespace: string,
  serviceAccount: string,
  body: string,
): Promise<StandInAnswer> {
  const { spec = {} } = JSON.parse(body) as TokenRequestBody
  const pod = spec.boundObjectRef?.kind === 'Pod' ? spec.boundObjectRef.name : undefined
  const wish = {
    namespace,
    serviceAccount,
    audiences: spec.audiences ?? undefined,
    expirationSeconds: spec.expirationSeconds ?? undefined,
    pod,
  }
  const [key] = cluster.keys()
  if (cluster.state.serviceAccount(namespace, serviceAccount) === undefined || key === undefined) {
    return failure(404, 'NotFound')
  }
  const claims = claimsFor(cluster, wish)
  const token = await signClaims(claims, key)
  const expirationTimestamp = new Date(Number(claims.exp) * 1_000).toISOString().replace('.000', '')
  return {
    status: 201,
    body: {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name: serviceAccount, namespace, creationTimestamp: new Date(cluster.now() * 1_000).toISOString() },
      spec,
      status: { token, expirationTimestamp },
    },
  }
}

async function createReview(cluster: Cluster, body: string): Promise<StandInAnswer> {
  const { spec } = JSON.parse(body) as {
    readonly spec?: { readonly token?: string; readonly audiences?: readonly string[] }
  }
  if (spec?.token === undefined || spec.token === '') return failure(400, 'BadRequest')
  const status = await reviewToken(cluster, spec.token, spec.audiences ?? [])
  const metadata = { creationTimestamp: null }
  return { status: 201, body: { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', metadata, spec, status } }
}

function failure(code: number, reason: string): StandInAnswer {
  return {
    status: code,
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: reason, reason, code },
  }
}
