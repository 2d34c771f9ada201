/** The broker's half: signed GetCallerIdentity requests and web-identity tokens of AWS roles. */

import type { Ports, ProofVerifier, TrustedIssuer, VerifierProvider } from '../contract/provider.ts'
import { JWT_TYPES } from '../kit/jwt-verifier.ts'
import { AWS_ATTRIBUTES, AWS_PINS } from './attributes.ts'
import { AWS_SETTINGS_SHAPE, type AwsSettings, findAwsConflict, issuersOf, parseAwsSettings } from './settings.ts'
import { AWS4_REQUEST_TYPE } from './signed-request.ts'
import { createSignedRequestVerifier } from './signed-requests.ts'
import { takesPrincipal, takesPrincipalsValue } from './takes-principal.ts'
import { createWebIdentityVerifier } from './web-identity.ts'

export const awsVerifier: VerifierProvider<AwsSettings> = {
  name: 'aws',
  subjectTokenTypes: [AWS4_REQUEST_TYPE, ...JWT_TYPES],
  attributes: AWS_ATTRIBUTES,
  pins: AWS_PINS,
  settingsShape: AWS_SETTINGS_SHAPE,
  parseSettings: parseAwsSettings,
  issuersOf,
  takes: takesPrincipal,
  takesValue: takesPrincipalsValue,
  findConflict: findAwsConflict,
  createVerifier,
}

/** Three parts joined by dots. A signed request is encoded JSON, in which other characters come first. */
const JWT_SHAPE = /^[^.%]*\.[^.%]*\.[^.%]*$/

function createVerifier(trusted: readonly TrustedIssuer<AwsSettings>[], ports: Ports): ProofVerifier {
  const webIdentity = createWebIdentityVerifier(trusted, ports)
  const signedRequests = createSignedRequestVerifier(trusted, ports)
  const isJwt = (proof: string): boolean => JWT_SHAPE.test(proof)
  return {
    provider: 'aws',
    // Nobody else has the type of signed requests: whatever comes under it is read here, so that the record says what is wrong.
    recognises: (proof, type) => (type === AWS4_REQUEST_TYPE ? !isJwt(proof) : webIdentity.recognises(proof, type)),
    verify: (proof, request, signal) =>
      isJwt(proof) ? webIdentity.verify(proof, request, signal) : signedRequests.verify(proof, request, signal),
    inspect: (proof) => (isJwt(proof) ? webIdentity.inspect(proof) : signedRequests.inspect(proof)),
  }
}
