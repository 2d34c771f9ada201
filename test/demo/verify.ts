/** Two ways to verify one of our tokens, with libraries that have nothing in common. */

import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import jwksRsa from 'jwks-rsa'

/** Verifies with `jose`. Throws unless signature, issuer, audience, times and `typ` are right. */
export async function verifyWithJose(token: string, issuer: string, audience: string): Promise<JWTPayload> {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
  const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt', algorithms: ['ES256', 'RS256'] })
  return payload
}

/** Verifies with `jsonwebtoken`, and `jwks-rsa` for the keys. */
export async function verifyWithJsonwebtoken(
  token: string,
  issuer: string,
  audience: string,
): Promise<jsonwebtoken.JwtPayload> {
  const keyId = jsonwebtoken.decode(token, { complete: true })?.header.kid
  const key = await jwksRsa({ jwksUri: `${issuer}/.well-known/jwks.json` }).getSigningKey(keyId)
  const claims = jsonwebtoken.verify(token, key.getPublicKey(), { issuer, audience, algorithms: ['ES256', 'RS256'] })
  if (typeof claims === 'string') throw new Error('the claims are not an object')
  return claims
}
