/** The keys that sign an account's web identity tokens. Their ids are the same in every account, as on AWS. */

import type { JWK } from 'jose'
import { generateStandInKey, type StandInKey } from '../../kit/stand-in-keys.ts'

/** What `GetWebIdentityToken` signs with. */
export type TokenAlgorithm = 'RS256' | 'ES384'

export interface AccountKeys {
  /** The key that signs now. Made when it is first asked for, as an RSA key takes its time. */
  current(algorithm: TokenAlgorithm): Promise<StandInKey>
  /** The public halves as AWS publishes them: the RSA key without `alg`. */
  jwks(): Promise<{ readonly keys: readonly JWK[] }>
  /** Signs with new keys from now on; the old ones stay published unless they are dropped. */
  rotate(options?: { readonly dropOld?: boolean }): void
}

const ID_PREFIX: Readonly<Record<TokenAlgorithm, string>> = { RS256: 'RSA', ES384: 'EC384' }

export function createAccountKeys(): AccountKeys {
  const made = new Map<string, Promise<StandInKey>>()
  let generation = 0
  const current = (algorithm: TokenAlgorithm): Promise<StandInKey> => {
    const keyId = `${ID_PREFIX[algorithm]}_${generation}`
    const key = made.get(keyId) ?? generateStandInKey(algorithm, keyId)
    made.set(keyId, key)
    return key
  }
  return {
    current,
    async jwks() {
      await Promise.all([current('RS256'), current('ES384')])
      const keys = await Promise.all(made.values())
      return { keys: keys.map(({ jwk }) => publish(jwk)) }
    },
    rotate({ dropOld = false } = {}) {
      generation += 1
      if (dropOld) made.clear()
    },
  }
}

function publish(jwk: JWK): JWK {
  if (jwk.kty !== 'RSA') return jwk
  const { alg: _, ...rest } = jwk
  return rest
}
