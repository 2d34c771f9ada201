/** Puts claims into a compact JWS. */

import type { Grant } from '../policy/decide.ts'
import type { AccessTokenClaims } from './claims.ts'
import type { Signer } from './key-ring.ts'

/**
 * Mints a token: a JWS that any stock library verifies. Gives a promise only where the signer does.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068.html#section-2.1 RFC 9068 section 2.1}
 */
export function mint(
  claims: AccessTokenClaims,
  tokenType: Grant['tokenType'],
  signer: Signer,
): string | Promise<string> {
  const header = encode({ alg: signer.algorithm, kid: signer.keyId, typ: tokenType })
  const input = `${header}.${encode(claims)}`
  const finish = (signature: Buffer): string => `${input}.${signature.toString('base64url')}`
  const signature = signer.sign(Buffer.from(input, 'latin1'))
  return signature instanceof Promise ? signature.then(finish) : finish(signature)
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
