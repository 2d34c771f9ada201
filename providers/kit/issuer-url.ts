import { findUrlProblem, type HostAllowance } from './upstream-url.ts'

/**
 * Says why a text cannot be the `iss` of a trusted issuer, in words for whoever wrote it; undefined where it can.
 *
 * It is a URL in its normal form without query, or no token could carry it; and one that may be fetched, where its keys are found
 * by discovery.
 */
export function findIssuerUrlProblem(
  issuer: string,
  keysFrom: 'discovery' | 'url' | 'inline',
  allowance: HostAllowance,
): string | undefined {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined
  if (url === undefined) return 'is not a URL'
  if (url.search !== '' || issuer.includes('?')) return 'must not have a query'
  if (!isAsWritten(issuer, url)) return 'is not in its normal form, so no token can carry it'
  // What is never fetched may be on any network, as long as it is https.
  const scope = keysFrom === 'discovery' ? allowance : { ...allowance, privateHosts: [url.hostname] }
  return findUrlProblem(issuer, scope)
}

/** Whether parsing changed nothing: upper-case hosts, default ports and dot segments would never match a token's `iss`. */
function isAsWritten(issuer: string, url: URL): boolean {
  return url.href === issuer || url.href === `${issuer}/`
}
