import type { Flaw } from '../contract/stand-in.ts'
import { type Claims, generateStandInKey, type StandInKey, signClaims } from './stand-in-keys.ts'

/** A genuine JWT proof, and what it takes to spoil it. */
export interface FlawlessJwt {
  /** The claims of a proof for the broker, `aud` in the platform's own form. */
  readonly claims: Claims
  readonly header?: Claims
  /** The platform's key. */
  readonly key: StandInKey
  readonly now: number
  /** An `iss` that resembles the right one. */
  readonly otherIssuer: string
  /** Longest life that a verifier may accept, in seconds. */
  readonly maxLifetimeSeconds: number
  /** A claim that the platform always sends and no standard asks for. */
  readonly requiredClaim: string
}

const SOMEONE_ELSE = 'https://someone-else.example'

/** Gives a JWT that is right but for one flaw. */
export async function createFlawedJwt(right: FlawlessJwt, flaw: Flaw): Promise<string> {
  const { claims, header = {}, key, now } = right
  const sign = (changed: Claims): Promise<string> => signClaims({ ...claims, ...changed }, key, header)
  switch (flaw) {
    case 'other audience':
      return sign({ aud: Array.isArray(claims.aud) ? [SOMEONE_ELSE] : SOMEONE_ELSE })
    case 'two audiences':
      return sign({ aud: [claims.aud, SOMEONE_ELSE].flat() })
    case 'other issuer':
      return sign({ iss: right.otherIssuer })
    case 'expired':
      // By as much as clocks may differ, which a proof that is good for one exchange is granted.
      return sign({ iat: now - 760, nbf: now - 760, exp: now - 60 })
    case 'not yet valid':
      return sign({ iat: now + 120, nbf: now + 120, exp: now + 720 })
    case 'too long-lived':
      return sign({ iat: now, nbf: now, exp: now + right.maxLifetimeSeconds + 1 })
    case 'forged':
      return signClaims(claims, await generateStandInKey(key.algorithm), { ...header, kid: key.keyId })
    case 'unknown key':
      return signClaims(claims, await generateStandInKey(key.algorithm), header)
    case 'missing claim':
      return sign({ [right.requiredClaim]: undefined })
  }
}
