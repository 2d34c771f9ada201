/** In src/verify/replacing/client-secret.md. */

import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import type { Verifier } from '../../../src/verify/verifier.ts'

export function createWhoCalls(verifier: Verifier, idp: string, count: (client: string) => void) {
  const keys = createRemoteJWKSet(new URL(`${idp}/.well-known/jwks.json`))
  const options = { issuer: idp, audience: verifier.audience, algorithms: ['RS256'], requiredClaims: ['exp'] }
  return async (token: string): Promise<string> => {
    // Nobody has checked this `iss` yet: it only chooses who does.
    if (decodeJwt(token).iss === verifier.issuer) return (await verifier.verify(token)).identity
    const { client_id: client } = (await jwtVerify(token, keys, options)).payload
    if (typeof client !== 'string') throw new Error('the token has no client_id')
    count(client)
    return client
  }
}
