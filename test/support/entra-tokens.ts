/** Tokens as Entra signs them for managed identities, and as it never would. */

import { type Claims, generateStandInKey, type StandInKey, signClaims } from '../../providers/kit/stand-in-keys.ts'

export const TENANT = 'aaaabbbb-0000-cccc-1111-dddd2222eeee'
export const OTHER_TENANT = 'aaaabbbb-0000-cccc-1111-dddd2222eeef'
/** The tenant of everybody's private accounts, whose keys stand beside those of enterprises. */
export const CONSUMERS = '9188040d-6c67-4c5b-b112-36a304b66dad'
export const OBJECT_ID = 'bbbbbbbb-1111-2222-3333-cccccccccccc'
export const CLIENT_ID = '00001111-aaaa-2222-bbbb-3333cccc4444'
export const SUBSCRIPTION = '11111111-2222-3333-4444-555555555555'

/** What both versions of a broker's tokens are for: its App ID URI in version 1, its client id in version 2. */
export const APP_URI = 'api://chancery'
export const APP_ID = '22222222-3333-4444-5555-666666666666'

const GROUP = `/subscriptions/${SUBSCRIPTION}/resourcegroups/rg-pay/providers`
/** An identity that stands on its own, and the VM that it is lent to, as Entra spells them. */
export const IDENTITY = `${GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/id-pay`
export const VM = `${GROUP}/Microsoft.Compute/virtualMachines/vm1`

export const V1_ISSUER = `https://sts.windows.net/${TENANT}/`
export const V2_ISSUER = `https://login.microsoftonline.com/${TENANT}/v2.0`

/** What both versions have. It is about to live for a day and five minutes. */
function commonClaims(now: number): Claims {
  return {
    iat: now,
    nbf: now,
    exp: now + 86_700,
    aio: 'k2BgYE',
    idp: V1_ISSUER,
    idtyp: 'app',
    oid: OBJECT_ID,
    rh: '1.AAAA',
    sub: OBJECT_ID,
    tid: TENANT,
    uti: 'FVsGxYXI30-TuikuuUoFAA',
    xms_mirid: IDENTITY,
    xms_az_rid: VM,
  }
}

/** Claims of a token of version 1. */
export function v1Claims(now: number): Claims {
  return { ...commonClaims(now), aud: APP_URI, iss: V1_ISSUER, appid: CLIENT_ID, appidacr: '2', ver: '1.0' }
}

/** Claims of a token of version 2. */
export function v2Claims(now: number): Claims {
  return { ...commonClaims(now), aud: APP_ID, iss: V2_ISSUER, azp: CLIENT_ID, azpacr: '2', ver: '2.0' }
}

export interface Entra {
  readonly key: StandInKey
  /** Settings of a trusted issuer that has this Entra's key in its document. */
  readonly settings: object
  /** Signs a token of version 1 with other claims and header. Undefined removes a member. */
  signV1(claims?: Claims, header?: Claims): Promise<string>
  signV2(claims?: Claims, header?: Claims): Promise<string>
}

export async function createEntra(now: () => number): Promise<Entra> {
  const key = await generateStandInKey('RS256', 'entra-1')
  const sign = (claims: Claims, header: Claims): Promise<string> => signClaims(claims, key, { typ: 'JWT', ...header })
  return {
    key,
    settings: { tenant_id: TENANT, keys: inlineKeys(key.jwk) },
    signV1: (claims = {}, header = {}) => sign({ ...v1Claims(now()), ...claims }, { x5t: 'entra-1', ...header }),
    signV2: (claims = {}, header = {}) => sign({ ...v2Claims(now()), ...claims }, header),
  }
}

/** The `keys` of a trusted issuer that has these in its document. */
export function inlineKeys(...keys: readonly object[]): object {
  return { from: 'inline', jwks: { keys } }
}
