/** The private claims of a bound service-account token. */

import { ProofError } from '../contract/errors.ts'
import type { ClaimsLedger } from '../kit/claims.ts'

/** A Kubernetes object that a token names. */
export interface ObjectReference {
  readonly name: string
  readonly uid: string
}

/** Whom a token is about. `pod` is missing from tokens bound to nothing, `node` and `tokenId` from clusters before 1.30. */
export interface ServiceAccountClaims {
  readonly subject: string
  readonly tokenId: string | undefined
  readonly namespace: string
  readonly serviceAccount: ObjectReference
  readonly pod: ObjectReference | undefined
  readonly node: ObjectReference | undefined
}

/**
 * Reads the claims that Kubernetes writes into a token from the TokenRequest API.
 *
 * Refuses a `sub` that differs from the private claims, tokens bound to a Secret or to a webhook, and the automatically mounted
 * API token (`warnafter`), which lives for a year.
 *
 * @see {@link https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#schema-for-service-account-private-claims Kubernetes, service account private claims}
 */
export function readServiceAccountClaims(claims: ClaimsLedger): ServiceAccountClaims {
  const subject = claims.requireString('sub')
  const tokenId = claims.optionalString('jti')
  const kubernetes = claims.requireObject('kubernetes.io')
  kubernetes.forbid('warnafter', 'secret', 'validatingwebhookconfiguration', 'mutatingwebhookconfiguration')
  const namespace = kubernetes.requireString('namespace')
  const serviceAccount = readReference(kubernetes.requireObject('serviceaccount'))
  if (subject !== `system:serviceaccount:${namespace}:${serviceAccount.name}`) {
    throw new ProofError('claims_inconsistent', 'sub is not the service account that the private claims name')
  }
  return {
    subject,
    tokenId,
    namespace,
    serviceAccount,
    pod: readOptionalReference(kubernetes, 'pod'),
    node: readOptionalReference(kubernetes, 'node'),
  }
}

function readOptionalReference(claims: ClaimsLedger, name: string): ObjectReference | undefined {
  const reference = claims.optionalObject(name)
  return reference === undefined ? undefined : readReference(reference)
}

function readReference(claims: ClaimsLedger): ObjectReference {
  return { name: claims.requireString('name'), uid: claims.requireString('uid') }
}
