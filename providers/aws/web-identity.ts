/** Tokens of sts:GetWebIdentityToken: each account signs as an issuer of its own, whose name stands in the document. */

import { ProofError } from '../contract/errors.ts'
import type { Ports, ProofVerifier, TrustedIssuer } from '../contract/provider.ts'
import type { ClaimsLedger } from '../kit/claims.ts'
import { createIssuerKeys } from '../kit/issuer-keys.ts'
import { createJwtVerifier, type JwtTrust, type JwtWorkload } from '../kit/jwt-verifier.ts'
import { fetchDiscoveredKeys } from '../kit/key-source.ts'
import { attributesOfSession } from './attributes.ts'
import type { AccountSettings, AwsSettings } from './settings.ts'
import { readWebIdentityClaims } from './web-identity-claims.ts'

/** @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html AWS STS, GetWebIdentityToken} */
const ALGORITHMS = ['RS256', 'ES384'] as const

/** The longest that the API gives. */
const MAX_LIFETIME_SECONDS = 3_600

/** One account's issuer. */
interface Account extends JwtTrust {
  readonly id: string
  readonly settings: AwsSettings
}

/** Creates the verifier of web-identity tokens. A token is good for one exchange. */
export function createWebIdentityVerifier(trusted: readonly TrustedIssuer<AwsSettings>[], ports: Ports): ProofVerifier {
  const accounts = trusted.flatMap((issuer) =>
    [...issuer.settings.accounts].flatMap(([id, { webIdentityIssuer: iss, keys }]) =>
      iss === undefined ? [] : [{ iss, account: createAccount(issuer, { id, iss, keys }, ports) }],
    ),
  )
  return createJwtVerifier<Account, JwtWorkload>(
    {
      provider: 'aws',
      algorithms: ALGORITHMS,
      trusts: new Map(accounts.map(({ iss, account }) => [iss, [account]])),
      choose: ([only]) => only,
      readWorkload,
    },
    ports,
  )
}

function readWorkload(ledger: ClaimsLedger, { id, settings }: Account): JwtWorkload {
  const { subject, tokenId, role, session } = readWebIdentityClaims(ledger, id)
  if (role.partition !== settings.partition) {
    throw new ProofError('claims_inconsistent', 'the role is of another partition than its account')
  }
  if (!settings.principals.includes(role.kind)) {
    throw new ProofError('principal_not_accepted', 'the trusted issuer does not take principals of this kind', {
      facts: { principal: role.kind },
    })
  }
  return { subject, tokenId, instance: session.instanceId, attributes: attributesOfSession(role, session) }
}

interface AccountIssuer {
  readonly id: string
  readonly iss: string
  readonly keys: AccountSettings['keys']
}

function createAccount(trusted: TrustedIssuer<AwsSettings>, { id, iss, keys }: AccountIssuer, ports: Ports): Account {
  const { settings, name: trustedIssuer, proofAudiences } = trusted
  const { privateHosts, caFile } = settings
  return {
    id,
    settings,
    trusted,
    rules: { maxLifetimeSeconds: MAX_LIFETIME_SECONDS, proofAudiences, isReusable: false },
    keys: createIssuerKeys(
      {
        provider: 'aws',
        trustedIssuer,
        issuer: iss,
        keys,
        privateHosts,
        caFile,
        discover: (http, signal) => fetchDiscoveredKeys(http, iss, signal),
      },
      ports,
    ),
  }
}
