/** What Google says of a service account, and of the VM that it runs on. */

import { ProofError } from '../contract/errors.ts'
import type { ClaimsLedger } from '../kit/claims.ts'

/** Whom an identity token is about. `instance` is there in a VM's `format=full` alone, `email` where it was asked for. */
export interface GcpClaims {
  readonly subject: string
  readonly email: string | undefined
  readonly instance: Instance | undefined
}

/** The VM that a token was made on. */
export interface Instance {
  readonly projectId: string
  readonly projectNumber: string
  readonly zone: string
  readonly id: string
  readonly name: string
}

/** Claims that only a person's token has. */
const PERSONAL_CLAIMS = ['hd', 'name', 'given_name', 'family_name', 'picture', 'profile', 'locale'] as const

/**
 * Reads the claims of a service account's identity token.
 *
 * Refuses a token whose `azp` is not the account itself, by its id or by its address: it was made for a client that acts for a
 * person. Refuses an address that is not verified. Whether the address is a service account's is for `attributesOf`.
 *
 * @see {@link https://cloud.google.com/compute/docs/instances/verifying-instance-identity#payload Google Cloud, token payload}
 */
export function readGcpClaims(claims: ClaimsLedger): GcpClaims {
  claims.forbid(...PERSONAL_CLAIMS)
  const subject = claims.requireString('sub')
  const email = readEmail(claims)
  const party = claims.requireString('azp')
  // Google's own libraries ask generateIdToken for the address in azp (`useEmailAzp`).
  if (party !== subject && party !== email) {
    throw new ProofError('claims_inconsistent', 'azp is not the account itself: the token is a person’s, or a client’s')
  }
  return { subject, email, instance: readInstance(claims.optionalObject('google')) }
}

function readEmail(claims: ClaimsLedger): string | undefined {
  const email = claims.optionalString('email')
  const isVerified = claims.take('email_verified')
  if (email !== undefined && isVerified !== true) {
    throw new ProofError('claim_invalid', 'email is there and email_verified is not true', {
      facts: { claim: 'email_verified' },
    })
  }
  return email
}

function readInstance(google: ClaimsLedger | undefined): Instance | undefined {
  google?.ignore('organization_number')
  const engine = google?.optionalObject('compute_engine')
  if (engine === undefined) return undefined
  engine.ignore('instance_creation_timestamp', 'instance_confidentiality', 'license_id')
  return {
    projectId: engine.requireString('project_id'),
    projectNumber: String(engine.requireInteger('project_number')),
    zone: engine.requireString('zone'),
    // A string: it is larger than JSON's numbers are exact.
    id: engine.requireString('instance_id'),
    name: engine.requireString('instance_name'),
  }
}
