/** Identity tokens as Google signs them, and as it never would. */

import { type Claims, generateStandInKey, type StandInKey, signClaims } from '../../providers/kit/stand-in-keys.ts'
import { BROKER } from './document.ts'

export const ACCOUNT_ID = '110987294251917851298'
export const ACCOUNT_EMAIL = 'payments@prod-123456.iam.gserviceaccount.com'

/** The VM of every token that has one. Its id is a string and its project's number is not. */
export const COMPUTE_ENGINE = {
  project_id: 'prod-123456',
  project_number: 716_149_158_341,
  zone: 'us-central1-a',
  instance_id: '4340508760561261530',
  instance_name: 'vm-1',
  instance_creation_timestamp: 1_768_470_000,
  instance_confidentiality: 1,
  license_id: ['1000204'],
} as const

/** Claims of a VM's token in `format=full`, about to live for an hour. */
export function googleClaims(now: number): Claims {
  return {
    iss: 'https://accounts.google.com',
    aud: BROKER,
    azp: ACCOUNT_ID,
    sub: ACCOUNT_ID,
    email: ACCOUNT_EMAIL,
    email_verified: true,
    iat: now,
    exp: now + 3_600,
    google: { compute_engine: COMPUTE_ENGINE },
  }
}

export interface Google {
  readonly key: StandInKey
  /** The `keys` of a trusted issuer that has this Google's key in its document. */
  readonly inline: object
  /** Signs a VM's token with other claims and header. Undefined removes a member. */
  sign(claims?: Claims, header?: Claims): Promise<string>
}

export async function createGoogle(now: () => number): Promise<Google> {
  const key = await generateStandInKey('RS256', 'google-1')
  return {
    key,
    inline: { from: 'inline', jwks: { keys: [key.jwk] } },
    sign: (claims = {}, header = {}) =>
      signClaims({ ...googleClaims(now()), ...claims }, key, { typ: 'JWT', ...header }),
  }
}
