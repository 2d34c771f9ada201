/**
 * Azure on a laptop, as far as the identity of workloads goes: one host with its metadata service, one tenant of Entra. The
 * official SDK takes it for the real one.
 */

import { randomUUID } from 'node:crypto'
import { type Claims, type StandInKey, signClaims } from '../../kit/stand-in-keys.ts'
import {
  type StandInAnswer,
  type StandInRequest,
  type StandInServer,
  startStandInServer,
} from '../../kit/stand-in-server.ts'
import type { AzureCloud } from '../issuers.ts'
import { createDirectory, type Directory } from './directory.ts'
import { APP_SERVICE_PATH, createIdentityEndpoints, IMDS_PATH, type IssuedToken } from './identity-endpoints.ts'
import { answerInstance, INSTANCE_PATH } from './instance-metadata.ts'
import { answerMetadata, PSEUDO_TENANTS } from './metadata.ts'
import { createSigningKeys, type JwkSet } from './signing-keys.ts'
import { answerTokenRequest, refuseTenant, type TrustedCluster } from './token-endpoint.ts'
import { type AzureHost, claimsFor, type Tenant, type TokenWish } from './tokens.ts'

export interface AzureStandInOptions {
  /** Seconds; the system's clock by default. */
  readonly now?: () => number
  readonly cloud?: AzureCloud
  readonly tenantId?: string
  /** What the workload runs on: a virtual machine by default. */
  readonly host?: AzureHost
  /** Clusters whose keys Entra can fetch. */
  readonly clusters?: readonly TrustedCluster[]
  /** What App Service shares with its processes; made up by default. */
  readonly identityHeader?: string
  /** Entra has a listener of its own with this certificate. The official SDK asks it by https alone. */
  readonly tls?: { readonly cert: string; readonly key: string }
  readonly hostname?: string
  /** Of the host's own listener; a free one by default. */
  readonly port?: number
  /** Seconds that verifiers may keep the keys. */
  readonly maxAgeSeconds?: number
}

type Listener = Omit<StandInServer, 'close'>

/** The members of {@link Listener} itself are the host's own listener, which answers in the clear. */
export interface AzureStandIn extends Listener, Directory {
  /** Where Entra answers: over TLS where there is a certificate, else where everything does. */
  readonly entra: Listener
  readonly tenantId: string
  /** What App Service puts in its processes' environment. */
  readonly environment: { readonly IDENTITY_ENDPOINT: string; readonly IDENTITY_HEADER: string }
  readonly key: StandInKey
  /** Published for the consumers' tenant alone; nothing of any other may be signed with it. */
  readonly consumerKey: StandInKey
  readonly jwks: JwkSet
  /** Gives a token as the platform would, a new one each time. */
  requestToken(wish: TokenWish): Promise<string>
  /** The claims that such a token would have, to be bent by a test. */
  claimsFor(wish: TokenWish): Claims
  /** Signs anything with Entra's current key, under the header that goes with `ver`. */
  sign(claims: Claims, header?: Claims): Promise<string>
  /** Signs with a new key from now on; the old one stays published unless it is dropped. */
  rotateKeys(options?: { readonly dropOld?: boolean }): Promise<void>
  close(): Promise<void>
}

/** The tenant of Microsoft's own examples. */
export const STAND_IN_TENANT = 'aaaabbbb-0000-cccc-1111-dddd2222eeee'

/** Starts a tenant with no applications, and a host with an identity of its own. */
export async function startAzureStandIn(options: AzureStandInOptions = {}): Promise<AzureStandIn> {
  const { now = () => Math.floor(Date.now() / 1_000), cloud = 'public', tls, hostname } = options
  const identityHeader = options.identityHeader ?? randomUUID()
  const directory = createDirectory()
  const keys = await createSigningKeys(cloud)
  const { host = 'virtual_machine', tenantId = STAND_IN_TENANT } = options
  const tenant: Tenant = { cloud, tenantId, host, directory, now }
  const sign = (claims: Claims, header: Claims = {}): Promise<string> =>
    signClaims(claims, keys.current, { ...headerFor(claims, keys.current), ...header })
  const issue = async (wish: TokenWish): Promise<IssuedToken> => {
    const claims = claimsFor(tenant, wish)
    return { accessToken: await sign(claims), expiresAt: Number(claims.exp) }
  }
  const api: { handle?: (request: StandInRequest) => Promise<StandInAnswer> } = {}
  const route = (request: StandInRequest): StandInAnswer | Promise<StandInAnswer> =>
    api.handle?.(request) ?? { status: 503 }
  const local = await startStandInServer({ route, port: options.port ?? 0 })
  const entra =
    tls === undefined
      ? local
      : await startStandInServer({ route, tls, ...(hostname === undefined ? {} : { hostname }) })
  api.handle = createApi({ tenant, issue, identityHeader, options, keys, origin: entra.origin })
  return {
    ...local,
    ...directory,
    entra,
    tenantId,
    environment: { IDENTITY_ENDPOINT: `${local.origin}${APP_SERVICE_PATH}`, IDENTITY_HEADER: identityHeader },
    get key() {
      return keys.current
    },
    consumerKey: keys.consumer,
    get jwks() {
      return keys.published.v2
    },
    claimsFor: (wish) => claimsFor(tenant, wish),
    requestToken: async (wish) => (await issue(wish)).accessToken,
    sign,
    rotateKeys: ({ dropOld = false } = {}) => keys.rotate({ dropOld }),
    close: async () => void (await Promise.all([...new Set([local, entra])].map((server) => server.close()))),
  }
}

/** The header that Entra puts on a token: only version 1 names the key twice. */
export function headerFor(claims: Claims, key: StandInKey): Claims {
  return { typ: 'JWT', ...(claims.ver === '1.0' ? { x5t: key.keyId } : {}) }
}

interface ApiPorts {
  readonly tenant: Tenant
  readonly keys: Awaited<ReturnType<typeof createSigningKeys>>
  readonly issue: (wish: TokenWish) => Promise<IssuedToken>
  readonly identityHeader: string
  readonly origin: string
  readonly options: AzureStandInOptions
}

const TENANT_PATH = /^\/([^/]+)\/(.+)$/
const TOKEN_PATH = 'oauth2/v2.0/token'

function createApi(ports: ApiPorts): (request: StandInRequest) => Promise<StandInAnswer> {
  const { tenant, keys, issue, identityHeader, origin, options } = ports
  const { cloud, directory, now } = tenant
  const publisher = { cloud, keys, origin, maxAgeSeconds: options.maxAgeSeconds ?? 86_400 }
  const identities = createIdentityEndpoints({
    directory,
    now,
    identityHeader,
    issue: ({ clientId, kind }, resource) =>
      issue({ resource, clientId: kind === 'system_assigned' ? undefined : clientId }),
  })
  const tokenEndpoint = {
    directory,
    now,
    clusters: options.clusters ?? [],
    issue: ({ clientId }: { readonly clientId: string }, resource: string, method: '0' | '1' | '2') =>
      issue({ resource, clientId, clientAuthentication: method, host: 'kubernetes' }),
  }
  return async (request) => {
    // The SDK's URL has a slash at the end, the documentation's has none.
    const path = request.path.replace(/\/$/, '')
    if (path === IMDS_PATH) return identities.answerImds(request)
    if (path === INSTANCE_PATH && tenant.host === 'virtual_machine') return answerInstance(request)
    if (path === APP_SERVICE_PATH) return identities.answerAppService(request)
    const [, named = '', rest = ''] = TENANT_PATH.exec(path) ?? []
    if (named !== tenant.tenantId && !PSEUDO_TENANTS.has(named)) return refuseTenant(named, now())
    if (rest === TOKEN_PATH && request.method === 'POST') return answerTokenRequest(tokenEndpoint, request)
    return answerMetadata(publisher, named, rest) ?? { status: 404 }
  }
}
