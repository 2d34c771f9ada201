/** What Entra says of a managed identity, and of the resource that it was used on. */

import { ProofError } from '../contract/errors.ts'
import { memberOf } from '../contract/strict-json.ts'
import type { ClaimsLedger } from '../kit/claims.ts'
import type { CompactJws } from '../kit/compact-jws.ts'
import type { TokenVersion } from './issuers.ts'
import { type ResourceId, readResourceId, USER_ASSIGNED_IDENTITY } from './resource-id.ts'

/** Whom a token is about. The resources are extras that Entra does not promise. */
export interface AzureClaims {
  readonly tenantId: string
  readonly objectId: string
  readonly clientId: string
  /** The identity as a resource; for a system-assigned one, the resource that has it. */
  readonly identity: ResourceId | undefined
  /** Where it was used, as far as the token says. */
  readonly resource: ResourceId | undefined
}

/** Claims that only a person's token has, and lists of groups that are too long to be in a token and wait behind a URL. */
const FORBIDDEN_CLAIMS = [
  ...['upn', 'unique_name', 'preferred_username', 'email', 'name', 'given_name', 'family_name', 'onprem_sid'],
  ...['_claim_names', '_claim_sources', 'hasgroups'],
] as const

/** Opaque, about sessions, or for the resource's own authorisation: nothing that says who it is. */
const IGNORED_CLAIMS = [
  ...[
    'aio',
    'rh',
    'uti',
    'idp',
    'roles',
    'wids',
    'groups',
    'azpacrs',
    'acrs',
    'app_displayname',
    'tenant_region_scope',
  ],
  ...[
    'xms_tcdt',
    'xms_idrel',
    'xms_ftd',
    'xms_act_fct',
    'xms_sub_fct',
    'xms_cc',
    'xms_ssm',
    'xms_rd',
    'xms_tnt_fct',
    'xms_az_nwperimid',
  ],
] as const

/** What a client that held a certificate is marked with: managed identities do, and so do federated ones. */
const BY_CERTIFICATE = '2'

/** Refuses a token that names another tenant than its issuer does. It reads what is not verified yet, and fetches nothing. */
export function checkTenant(jws: CompactJws, tenantId: string): void {
  if (memberOf(jws.claims, 'tid') === tenantId) return
  throw new ProofError('claims_inconsistent', 'tid is not the tenant that iss names', { facts: { claim: 'tid' } })
}

/**
 * Reads the claims of a managed identity's token.
 *
 * Refuses a version that is not its issuer's, a token that acts for a person, one whose client proved itself by a secret or not at
 * all, and a resource id in any but its one form.
 *
 * @see {@link https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference Microsoft Entra, access token claims}
 */
export function readAzureClaims(claims: ClaimsLedger, version: TokenVersion, tenantId: string): AzureClaims {
  claims.forbid(...FORBIDDEN_CLAIMS)
  claims.ignore('tid', ...IGNORED_CLAIMS)
  if (claims.requireString('ver') !== version) {
    throw new ProofError('claims_inconsistent', 'ver is not the version that iss is for', { facts: { claim: 'ver' } })
  }
  const type = claims.take('idtyp')
  if (type !== undefined && type !== 'app') {
    throw new ProofError('claim_forbidden', 'idtyp marks a token of another kind', { facts: { claim: 'idtyp' } })
  }
  // A string where a list should be is a list too long for the token, behind a URL: nothing is ever fetched from there.
  const groups = claims.take('groups')
  if (groups !== undefined && !Array.isArray(groups)) {
    throw new ProofError('claim_forbidden', 'groups is not in the token but behind a URL', {
      facts: { claim: 'groups' },
    })
  }
  const objectId = claims.requireString('oid')
  if (claims.requireString('sub') !== objectId) {
    throw new ProofError('claims_inconsistent', 'sub is not the object itself: the token acts for somebody else')
  }
  const clientId = readClient(claims, version)
  return { tenantId, objectId, clientId, ...readResources(claims) }
}

function readClient(claims: ClaimsLedger, version: TokenVersion): string {
  const [id, method] = version === '1.0' ? (['appid', 'appidacr'] as const) : (['azp', 'azpacr'] as const)
  const clientId = claims.requireString(id)
  if (claims.requireString(method) !== BY_CERTIFICATE) {
    throw new ProofError('claim_forbidden', 'the client authenticated by a secret, or not at all', {
      facts: { claim: method },
    })
  }
  return clientId
}

function readResources(claims: ClaimsLedger): Pick<AzureClaims, 'identity' | 'resource'> {
  const identity = readResource(claims, 'xms_mirid')
  const usedOn = readResource(claims, 'xms_az_rid')
  const isOnItsOwn = identity?.type === USER_ASSIGNED_IDENTITY
  return { identity, resource: usedOn ?? (isOnItsOwn ? undefined : identity) }
}

function readResource(claims: ClaimsLedger, name: string): ResourceId | undefined {
  const text = claims.optionalString(name)
  if (text === undefined) return undefined
  const resource = readResourceId(text)
  if (resource === undefined) {
    throw new ProofError('claim_invalid', `${name} is not the id of a resource`, { facts: { claim: name } })
  }
  return resource
}
