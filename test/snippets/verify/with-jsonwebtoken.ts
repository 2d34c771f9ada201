/** In src/verify/README.md. */

import jsonwebtoken from 'jsonwebtoken'
import jwksRsa from 'jwks-rsa'

export function createJsonwebtokenVerifier(issuer: string, audience: string) {
  const keys = jwksRsa({ jwksUri: `${issuer}/.well-known/jwks.json`, cache: true, rateLimit: true })
  return async (token: string): Promise<jsonwebtoken.JwtPayload> => {
    const kid = jsonwebtoken.decode(token, { complete: true })?.header.kid
    const key = (await keys.getSigningKey(kid)).getPublicKey()
    const claims = jsonwebtoken.verify(token, key, { issuer, audience, algorithms: ['ES256', 'RS256'] })
    if (typeof claims === 'string') throw new Error('the claims are not an object')
    return claims
  }
}
