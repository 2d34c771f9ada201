/** What Entra publishes about itself: two metadata documents and two key sets for each tenant, one for each token version. */

import type { StandInAnswer } from '../../kit/stand-in-server.ts'
import type { AzureCloud } from '../issuers.ts'
import type { SigningKeys } from './signing-keys.ts'
import { v1Issuer, v2Issuer } from './tokens.ts'

/** What the documents are made of. */
export interface Publisher {
  readonly cloud: AzureCloud
  readonly keys: SigningKeys
  /** Where Entra answers. */
  readonly origin: string
  /** Seconds that verifiers may keep the keys. */
  readonly maxAgeSeconds: number
}

/** Answers for a tenant, or for `common` and its like, whose documents name no tenant. Undefined where nothing is published. */
export function answerMetadata(publisher: Publisher, tenant: string, path: string): StandInAnswer | undefined {
  const { cloud, origin, keys } = publisher
  const named = PSEUDO_TENANTS.has(tenant) ? '{tenantid}' : tenant
  switch (path) {
    case '.well-known/openid-configuration':
      return publish(publisher, {
        issuer: v1Issuer(cloud, named),
        jwks_uri: `${origin}/${tenant}/discovery/keys`,
        ...endpoints(`${origin}/${tenant}/oauth2`),
      })
    case 'v2.0/.well-known/openid-configuration':
      return publish(publisher, {
        issuer: v2Issuer(cloud, named),
        jwks_uri: `${origin}/${tenant}/discovery/v2.0/keys`,
        ...endpoints(`${origin}/${tenant}/oauth2/v2.0`),
      })
    case 'discovery/keys':
      return publish(publisher, keys.published.v1)
    case 'discovery/v2.0/keys':
      return publish(publisher, keys.published.v2)
    default:
      return undefined
  }
}

/** What stands in a URL where no tenant is meant. */
export const PSEUDO_TENANTS: ReadonlySet<string> = new Set(['common', 'organizations', 'consumers'])

function endpoints(base: string): Readonly<Record<string, unknown>> {
  return {
    authorization_endpoint: `${base}/authorize`,
    token_endpoint: `${base}/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
  }
}

function publish({ maxAgeSeconds }: Publisher, body: object): StandInAnswer {
  const headers = { 'content-type': 'application/json; charset=utf-8', 'cache-control': `max-age=${maxAgeSeconds}` }
  return { status: 200, headers, body }
}
