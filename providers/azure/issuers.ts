/** The names under which Entra signs, and where it publishes the keys, for each cloud and version of token. */

import { isJsonObject, memberOf } from '../contract/strict-json.ts'
import type { AzureCloud } from './settings.ts'

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
}

/**
 * The hosts of each cloud.
 *
 * @see {@link https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud Microsoft Entra, national clouds}
 */
const HOSTS: Readonly<Record<AzureCloud, { readonly authority: string; readonly v1: string }>> = {
  public: { authority: 'login.microsoftonline.com', v1: 'sts.windows.net' },
  usgov: { authority: 'login.microsoftonline.us', v1: 'sts.windows.net' },
  china: { authority: 'login.partner.microsoftonline.cn', v1: 'sts.chinacloudapi.cn' },
}

/** Gives the two issuers of a tenant. */
export function issuersOf(cloud: AzureCloud, tenantId: string): readonly TenantIssuer[] {
  const { authority, v1 } = HOSTS[cloud]
  const first = `https://${v1}/${tenantId}/`
  const second = `https://${authority}/${tenantId}/v2.0`
  const keys = `https://${authority}/${tenantId}/discovery`
  return [
    { version: '1.0', issuer: first, keysUrl: `${keys}/keys`, keyIssuers: [first, second] },
    { version: '2.0', issuer: second, keysUrl: `${keys}/v2.0/keys`, keyIssuers: [second] },
  ]
}

/**
 * Answers whether a published key may verify a tenant's tokens. A key that names another issuer is another's: consumer keys stand
 * in the same sets, and have been used to forge tokens of enterprises.
 *
 * @see {@link https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer Microsoft Entra, validate the signing key issuer}
 */
export function isKeyOf({ keyIssuers }: TenantIssuer, tenantId: string, member: unknown): boolean {
  if (!isJsonObject(member) || !Object.hasOwn(member, 'issuer')) return true
  const scope = memberOf(member, 'issuer')
  return typeof scope === 'string' && keyIssuers.includes(scope.replace('{tenantid}', tenantId))
}
