/** In src/verify/README.md. */

import { JwtVerifier } from 'aws-jwt-verify'

export function createAwsVerifier(issuer: string, audience: string) {
  return JwtVerifier.create({ issuer, audience, jwksUri: `${issuer}/.well-known/jwks.json` })
}
