/** The broker's half: tokens that Entra gives to managed identities, for one tenant each. */

import type { Ports, ProofVerifier, TrustedIssuer, VerifierProvider } from '../contract/provider.ts'
import type { ClaimsLedger } from '../kit/claims.ts'
import { createIssuerKeys } from '../kit/issuer-keys.ts'
import { createJwtVerifier, JWT_TYPES, type JwtTrust, type JwtWorkload } from '../kit/jwt-verifier.ts'
import { fetchKeys } from '../kit/key-source.ts'
import { AZURE_ATTRIBUTES, AZURE_PINS, attributesOf } from './attributes.ts'
import { checkTenant, readAzureClaims } from './claims.ts'
import { isKeyOf, issuersOf, type TenantIssuer } from './issuers.ts'
import { AZURE_SETTINGS_SHAPE, type AzureSettings, findAzureConflict, parseAzureSettings } from './settings.ts'

const ALGORITHMS = ['RS256'] as const

/** 28 hours. Managed identities get a day and five minutes: Entra dates them back. */
const MAX_LIFETIME_SECONDS = 100_800

export const azureVerifier: VerifierProvider<AzureSettings> = {
  name: 'azure',
  subjectTokenTypes: JWT_TYPES,
  attributes: AZURE_ATTRIBUTES,
  pins: AZURE_PINS,
  // An Entra token is for a resource that is registered in the tenant, or for its client id: never for a broker's URL as it is.
  needsOwnProofAudiences: true,
  settingsShape: AZURE_SETTINGS_SHAPE,
  parseSettings: parseAzureSettings,
  issuersOf: ({ cloud, tenantId }) => issuersOf(cloud, tenantId).map(({ issuer }) => issuer),
  takesValue: ({ tenantId }, attribute, value) => attribute !== 'azure.tenant_id' || value === tenantId,
  findConflict: findAzureConflict,
  createVerifier,
}

/** One version of a tenant's tokens. */
interface Tenant extends JwtTrust {
  readonly tenantId: string
  readonly version: TenantIssuer['version']
}

function createVerifier(trusted: readonly TrustedIssuer<AzureSettings>[], ports: Ports): ProofVerifier {
  const tenants = trusted.flatMap((issuer) =>
    issuersOf(issuer.settings.cloud, issuer.settings.tenantId).map((tenantIssuer) => ({
      iss: tenantIssuer.issuer,
      tenant: createTenant(issuer, tenantIssuer, ports),
    })),
  )
  return createJwtVerifier<Tenant, JwtWorkload>(
    {
      provider: 'azure',
      algorithms: ALGORITHMS,
      trusts: new Map(tenants.map(({ iss, tenant }) => [iss, [tenant]])),
      choose([only], jws) {
        checkTenant(jws, only.tenantId)
        return only
      },
      readWorkload,
    },
    ports,
  )
}

function readWorkload(ledger: ClaimsLedger, { version, tenantId }: Tenant): JwtWorkload {
  const claims = readAzureClaims(ledger, version, tenantId)
  // `uti` is no `jti`: the platform hands out the same token for a day, and does not promise the claim.
  return {
    subject: claims.objectId,
    instance: claims.resource?.text,
    tokenId: undefined,
    attributes: attributesOf(claims),
  }
}

function createTenant(trusted: TrustedIssuer<AzureSettings>, tenantIssuer: TenantIssuer, ports: Ports): Tenant {
  const { cloud, tenantId, keys, privateHosts, caFile } = trusted.settings
  const { version, issuer, keysUrl } = tenantIssuer
  return {
    trusted,
    tenantId,
    version,
    rules: {
      maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
      proofAudiences: trusted.proofAudiences,
      isReusable: true,
    },
    keys: createIssuerKeys(
      {
        provider: 'azure',
        trustedIssuer: trusted.name,
        issuer,
        // The first version's issuer is the same in two clouds.
        variant: cloud,
        keys,
        privateHosts,
        caFile,
        discover: (http, signal) => fetchKeys(http, keysUrl, signal),
        isOfIssuer: (member) => isKeyOf(tenantIssuer, tenantId, member),
      },
      ports,
    ),
  }
}
