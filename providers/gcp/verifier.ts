/** The broker's half: identity tokens of Google's service accounts, wherever they were asked for. */

import type { Ports, ProofVerifier, TrustedIssuer, VerifierProvider } from '../contract/provider.ts'
import { createIssuerKeys } from '../kit/issuer-keys.ts'
import { createJwtVerifier, JWT_TYPES, type JwtTrust } from '../kit/jwt-verifier.ts'
import { fetchKeys } from '../kit/key-source.ts'
import { attributesOf, GCP_ATTRIBUTES, GCP_PINS } from './attributes.ts'
import { readGcpClaims } from './claims.ts'
import { findGcpConflict, GCP_SETTINGS_SHAPE, type GcpSettings, parseGcpSettings } from './settings.ts'

/**
 * The one issuer of identity tokens. Tokens of Firebase, of Identity-Aware Proxy and of Confidential Space have others, and so do
 * JWTs that an account signs itself; none of them is taken.
 */
export const GOOGLE_ISSUER = 'https://accounts.google.com'

/** Where its keys are, on another host than the issuer. @see {@link https://accounts.google.com/.well-known/openid-configuration Google's metadata} */
export const GOOGLE_KEYS_URL = 'https://www.googleapis.com/oauth2/v3/certs'

const ALGORITHMS = ['RS256'] as const

/** An hour: every identity token lives for as long. */
const MAX_LIFETIME_SECONDS = 3_600

export const gcpVerifier: VerifierProvider<GcpSettings> = {
  name: 'gcp',
  subjectTokenTypes: JWT_TYPES,
  attributes: GCP_ATTRIBUTES,
  pins: GCP_PINS,
  settingsShape: GCP_SETTINGS_SHAPE,
  parseSettings: parseGcpSettings,
  issuersOf: () => [GOOGLE_ISSUER],
  findConflict: findGcpConflict,
  createVerifier,
}

function createVerifier(trusted: readonly TrustedIssuer<GcpSettings>[], ports: Ports): ProofVerifier {
  return createJwtVerifier(
    {
      provider: 'gcp',
      algorithms: ALGORITHMS,
      trusts: new Map([[GOOGLE_ISSUER, trusted.map((issuer) => createTrust(issuer, ports))]]),
      choose: ([only]) => only,
      readWorkload(ledger) {
        const claims = readGcpClaims(ledger)
        const { subject, instance } = claims
        return { subject, instance: instance?.id, tokenId: undefined, attributes: attributesOf(claims) }
      },
    },
    ports,
  )
}

function createTrust(trusted: TrustedIssuer<GcpSettings>, ports: Ports): JwtTrust {
  const { keys, privateHosts, caFile } = trusted.settings
  return {
    trusted,
    rules: {
      maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
      proofAudiences: trusted.proofAudiences,
      // The metadata server hands out the same token until it is nearly over, so it comes again and again.
      isReusable: true,
    },
    keys: createIssuerKeys(
      {
        provider: 'gcp',
        trustedIssuer: trusted.name,
        issuer: GOOGLE_ISSUER,
        keys,
        privateHosts,
        caFile,
        discover: (http, signal) => fetchKeys(http, GOOGLE_KEYS_URL, signal),
      },
      ports,
    ),
  }
}
