/** In src/verify/README.md. */

import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'

export function createJoseVerifier(issuer: string, audience: string, typ = 'at+jwt') {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
  const options = { issuer, audience, typ, algorithms: ['ES256', 'RS256'], requiredClaims: ['exp', 'sub'] }
  return async (token: string): Promise<JWTPayload> => (await jwtVerify(token, keys, options)).payload
}
