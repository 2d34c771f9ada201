/** The names under which Entra signs, and where it publishes the keys, for each cloud and version of token. */

import { isJsonObject } from '../contract/strict-json.ts'

/** Azure's clouds, each with its own tenants and its own keys. */
export const AZURE_CLOUDS = ['public', 'usgov', 'china'] as const

export type AzureCloud = (typeof AZURE_CLOUDS)[number]

/** Which version a token has is decided by the resource that it was asked for, not by where it was asked. */
export type TokenVersion = '1.0' | '2.0'

/** One `iss` of a tenant. */
export interface TenantIssuer {
  readonly version: TokenVersion
  /** The exact `iss`: with a final slash in version 1, without one in version 2. */
  readonly issuer: string
  readonly keysUrl: string
  /** What a published key may say that it is for. Version 1 knows no such member, and its keys are those of version 2. */
  readonly keyIssuers: readonly string[]
  /** What a published key may say of its cloud: the public set has keys of the others in it. */
  readonly cloudName: string
}

/**
 * The hosts of each cloud.
 *
 * @see {@link https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud Microsoft Entra, national clouds}
 */
const HOSTS: Readonly<Record<AzureCloud, { readonly cloudName: string; readonly v1: string }>> = {
  public: { cloudName: 'microsoftonline.com', v1: 'sts.windows.net' },
  usgov: { cloudName: 'microsoftonline.us', v1: 'sts.windows.net' },
  china: { cloudName: 'partner.microsoftonline.cn', v1: 'sts.chinacloudapi.cn' },
}

/** Gives the two issuers of a tenant. */
export function issuersOf(cloud: AzureCloud, tenantId: string): readonly TenantIssuer[] {
  const { cloudName, v1 } = HOSTS[cloud]
  const first = `https://${v1}/${tenantId}/`
  const second = `https://login.${cloudName}/${tenantId}/v2.0`
  const keys = `https://login.${cloudName}/${tenantId}/discovery`
  return [
    { version: '1.0', issuer: first, keysUrl: `${keys}/keys`, keyIssuers: [first, second], cloudName },
    { version: '2.0', issuer: second, keysUrl: `${keys}/v2.0/keys`, keyIssuers: [second], cloudName },
  ]
}

/**
 * Answers whether a published key may verify a tenant's tokens. A key that names another issuer or another cloud is another's:
 * consumer keys stand in the same sets, and have been used to forge tokens of enterprises.
 *
 * @see {@link https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer Microsoft Entra, validate the signing key issuer}
 */
export function isKeyOf({ keyIssuers, cloudName }: TenantIssuer, tenantId: string, member: unknown): boolean {
  if (!isJsonObject(member)) return false
  const { issuer = keyIssuers[0], cloud_instance_name: cloud = cloudName } = member
  return (
    typeof issuer === 'string' && keyIssuers.includes(issuer.replace('{tenantid}', tenantId)) && cloud === cloudName
  )
}
