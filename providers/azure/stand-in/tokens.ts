/** Access tokens as Entra makes them for workloads: version 1 or 2, whichever the resource accepts. */

import { randomBytes, randomUUID } from 'node:crypto'
import type { Claims } from '../../kit/stand-in-keys.ts'
import type { AzureCloud } from '../issuers.ts'
import { type Application, type Client, type Directory, RESOURCE_GROUP } from './directory.ts'

/** How far back a token's life begins, and how long it lasts from now, in seconds: a day for a managed identity, an hour else. */
const BACKDATED_SECONDS = 300
const IDENTITY_LIFETIME_SECONDS = 86_400
const APPLICATION_LIFETIME_SECONDS = 3_600

/** How the resource manager names what a workload runs on. A pod is no resource. */
const HOST_RESOURCES = {
  virtual_machine: `${RESOURCE_GROUP}/providers/Microsoft.Compute/virtualMachines/vm1`,
  scale_set: `${RESOURCE_GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/vmss1`,
  web_app: `${RESOURCE_GROUP}/providers/Microsoft.Web/sites/pay`,
  container_app: `${RESOURCE_GROUP}/providers/Microsoft.App/containerApps/pay`,
  kubernetes: undefined,
} as const

/** What a workload runs on. */
export type AzureHost = keyof typeof HOST_RESOURCES

/** How a client proved itself, as Entra notes it: not at all, by a secret, by a certificate (or by what the platform vouches for). */
export type ClientAuthentication = '0' | '1' | '2'

/** A token as somebody wants it. */
export interface TokenWish {
  /** Whom it is for, as the workload says it: an Application ID URI or a client id. */
  readonly resource: string
  /** A user-assigned identity or an application; the host's own identity by default. */
  readonly clientId?: string | undefined
  readonly clientAuthentication?: ClientAuthentication
  /** Another host than the stand-in's. */
  readonly host?: AzureHost
  /** Another tenant than the stand-in's. All sign with the same keys. */
  readonly tenantId?: string
  /** Whether the client acts for a person. */
  readonly delegated?: boolean
}

/** What Entra knows when it makes a token. */
export interface Tenant {
  readonly cloud: AzureCloud
  readonly tenantId: string
  readonly host: AzureHost
  readonly directory: Directory
  readonly now: () => number
}

const AUTHORITIES: Readonly<Record<AzureCloud, { readonly v1: string; readonly v2: string }>> = {
  public: { v1: 'https://sts.windows.net', v2: 'https://login.microsoftonline.com' },
  usgov: { v1: 'https://sts.windows.net', v2: 'https://login.microsoftonline.us' },
  china: { v1: 'https://sts.chinacloudapi.cn', v2: 'https://login.partner.microsoftonline.cn' },
}

/** Gives the `iss` of a tenant's version 1 tokens: with a final slash. */
export function v1Issuer(cloud: AzureCloud, tenantId: string): string {
  return `${AUTHORITIES[cloud].v1}/${tenantId}/`
}

/** Gives the `iss` of a tenant's version 2 tokens: without one. */
export function v2Issuer(cloud: AzureCloud, tenantId: string): string {
  return `${AUTHORITIES[cloud].v2}/${tenantId}/v2.0`
}

/** Gives the claims of a token. Throws where the directory knows no such resource or client. */
export function claimsFor(tenant: Tenant, wish: TokenWish): Claims {
  const { directory, cloud } = tenant
  const now = tenant.now()
  const application = directory.application(wish.resource)
  const client = wish.clientId === undefined ? directory.systemIdentity : directory.client(wish.clientId)
  if (application === undefined) throw new Error(`no application ${wish.resource} in the directory`)
  if (client === undefined) throw new Error(`no client ${String(wish.clientId)} in the directory`)
  const tenantId = wish.tenantId ?? tenant.tenantId
  const lifetime = client.kind === 'application' ? APPLICATION_LIFETIME_SECONDS : IDENTITY_LIFETIME_SECONDS
  return {
    ...versionClaims({ application, client, cloud, tenantId }, wish),
    iat: now - BACKDATED_SECONDS,
    nbf: now - BACKDATED_SECONDS,
    exp: now + lifetime,
    aio: opaque(60),
    idp: v1Issuer(cloud, tenantId),
    rh: `1.${opaque(40)}.`,
    tid: tenantId,
    uti: opaque(16),
    ...(wish.delegated === true ? personClaims(application) : workloadClaims(client)),
    ...(application.isMicrosofts && wish.delegated !== true ? resourceClaims(client, wish.host ?? tenant.host) : {}),
  }
}

interface Parties {
  readonly application: Application
  readonly client: Client
  readonly cloud: AzureCloud
  readonly tenantId: string
}

function versionClaims({ application, client, cloud, tenantId }: Parties, wish: TokenWish): Claims {
  const method = wish.clientAuthentication ?? '2'
  return application.acceptedVersion === '1.0'
    ? {
        aud: wish.resource,
        iss: v1Issuer(cloud, tenantId),
        appid: client.clientId,
        appidacr: method,
        ver: '1.0',
      }
    : {
        aud: application.clientId,
        iss: v2Issuer(cloud, tenantId),
        azp: client.clientId,
        azpacr: method,
        ver: '2.0',
      }
}

function workloadClaims({ objectId }: Client): Claims {
  return { idtyp: 'app', oid: objectId, sub: objectId }
}

/** Entra puts these into tokens for Microsoft's own services alone. */
function resourceClaims(client: Client, host: AzureHost): Claims {
  const hostResource = HOST_RESOURCES[host]
  if (client.kind === 'application') return {}
  if (client.kind === 'user_assigned') {
    return {
      xms_mirid: client.resourceId,
      ...(hostResource === undefined ? {} : { xms_az_rid: hostResource }),
    }
  }
  if (hostResource === undefined) throw new Error('a pod has no identity of its own')
  return { xms_mirid: hostResource }
}

/** For a person `sub` is another one at every application, and never the object. */
function personClaims({ acceptedVersion }: Application): Claims {
  const name = 'ada@corp.example'
  return {
    idtyp: 'user',
    name: 'Ada',
    oid: randomUUID(),
    scp: 'user_impersonation',
    sub: opaque(32),
    ...(acceptedVersion === '1.0' ? { upn: name, unique_name: name } : { preferred_username: name }),
  }
}

function opaque(bytes: number): string {
  return randomBytes(bytes).toString('base64url')
}
