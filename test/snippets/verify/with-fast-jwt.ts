/** In src/verify/README.md. */

import { createVerifier } from 'fast-jwt'
import jwksRsa from 'jwks-rsa'

export function createFastVerifier(issuer: string, audience: string, typ = 'at+jwt') {
  const keys = jwksRsa({ jwksUri: `${issuer}/.well-known/jwks.json`, cache: true, rateLimit: true })
  return createVerifier({
    key: async ({ header }: { header: { kid?: string } }) => (await keys.getSigningKey(header.kid)).getPublicKey(),
    algorithms: ['ES256', 'RS256'],
    allowedIss: issuer,
    allowedAud: audience,
    checkTyp: typ,
    requiredClaims: ['exp', 'sub'],
  })
}
