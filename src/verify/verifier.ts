/** Verifies our broker's access tokens, for a service that is called with one. See `README.md`. */

import { compactVerify, errors } from 'jose'
import { SettingsError } from '../../providers/contract/errors.ts'
import type { NumericDate } from '../../providers/contract/proof.ts'
import { type JsonObject, memberOf } from '../../providers/contract/strict-json.ts'
import { readCompactToken, type UnverifiedToken } from './compact-token.ts'
import { fetchPublicKeys } from './fetch-keys.ts'
import { createRemoteKeySet, createStaticKeySet, type KeySet } from './key-set.ts'
import { type Principal, principalFrom } from './principal.ts'
import type { PublicKey } from './public-key.ts'
import { KeysUnavailable, TokenRefused } from './refused.ts'
import { type CheckedSettings, checkSettings, readScopeSetting, type VerifierSettings } from './settings.ts'

export type { Principal, ProofClaim, TokenClaims } from './principal.ts'
export type { TokenAlgorithm } from './public-key.ts'
export type { KeyFaultCode, TokenRefusalCode } from './refused.ts'
export type { VerifierSettings } from './settings.ts'
export { KeysUnavailable, SettingsError, TokenRefused }

/** How far the clocks of broker and service may differ, in seconds. */
export const CLOCK_SKEW_SECONDS = 60

/** The longest life that our broker gives a token, in seconds. */
export const MAX_LIFETIME_SECONDS = 3_600

export interface Verifier {
  readonly issuer: string
  readonly audience: string
  /**
   * Gives the principal that a token is about.
   *
   * Throws {@link TokenRefused} for a token that is not our broker's, not for this service, out of its time, or without the scopes
   * of the settings and the request; {@link KeysUnavailable} where that cannot be told now.
   */
  verify(token: string, request?: { readonly scope?: string | readonly string[] }): Promise<Principal>
}

/**
 * Creates a verifier. Keep one for the life of the process: it holds the issuer's keys.
 *
 * Keys come from `<issuer>/.well-known/jwks.json`. Not from discovery: our broker promises that path, so a second request would
 * tell nothing, but give whoever can bend the metadata a say in where the keys are.
 *
 * Throws {@link SettingsError} for settings that it cannot keep its promise with; asks nobody before the first token.
 *
 * @example
 * const verifier = createVerifier({ issuer: 'https://broker.corp.example', audience: 'ledger' })
 * const { identity, scopes } = await verifier.verify(token)
 */
export function createVerifier(settings: VerifierSettings): Verifier {
  const checked = checkSettings(settings)
  const keys = keySetOf(checked)
  return {
    issuer: checked.issuer,
    audience: checked.audience,
    async verify(token, request = {}) {
      const principal = await verifyToken(token, checked, keys)
      const required = [...checked.scopes, ...readScopeSetting(request.scope)]
      const missing = required.find((scope) => !principal.scopes.includes(scope))
      if (missing !== undefined) throw new TokenRefused('scope_missing', missing)
      return principal
    },
  }
}

function keySetOf({ jwks, fetch, now }: CheckedSettings): KeySet {
  if (typeof jwks !== 'string') return createStaticKeySet(jwks.keys)
  return createRemoteKeySet({ fetch: () => fetchPublicKeys(fetch, jwks), now })
}

/** Size and form, algorithm, type, issuer, key, signature, audience, times, then what every token of ours says. */
async function verifyToken(token: string, settings: CheckedSettings, keys: KeySet): Promise<Principal> {
  const unverified = readCompactToken(token)
  const { algorithm, keyId, type, claims } = unverified
  if (!settings.algorithms.has(algorithm)) throw new TokenRefused('algorithm_not_allowed')
  if (type !== settings.tokenType) throw new TokenRefused('type_not_accepted')
  // Not yet verified, but whoever names another issuer shall not make us ask ours for keys.
  if (memberOf(claims, 'iss') !== settings.issuer) throw new TokenRefused('issuer_mismatch')
  await verifySignature(token, unverified, await keys.find(keyId))
  if (memberOf(claims, 'aud') !== settings.audience) throw new TokenRefused('audience_mismatch')
  checkTimes(claims, settings.now())
  return principalFrom(claims, settings.trustDomain)
}

/** What the header asks for never decides: the key has one algorithm, and verifies nothing else. */
async function verifySignature(token: string, { algorithm }: UnverifiedToken, key: PublicKey): Promise<void> {
  if (algorithm !== key.algorithm) throw new TokenRefused('key_unsuitable')
  try {
    await compactVerify(token, key.key, { algorithms: [key.algorithm] })
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new TokenRefused('signature_invalid')
    throw error
  }
}

function checkTimes(claims: JsonObject, now: NumericDate): void {
  const issuedAt = readTime(claims, 'iat')
  const expiresAt = readTime(claims, 'exp')
  if (now >= expiresAt + CLOCK_SKEW_SECONDS) throw new TokenRefused('token_expired')
  const notBefore = Object.hasOwn(claims, 'nbf') ? readTime(claims, 'nbf') : issuedAt
  if (Math.max(issuedAt, notBefore) > now + CLOCK_SKEW_SECONDS) throw new TokenRefused('token_not_yet_valid')
  if (expiresAt <= issuedAt) throw new TokenRefused('claim_invalid', 'exp')
  if (expiresAt - issuedAt > MAX_LIFETIME_SECONDS) throw new TokenRefused('lifetime_too_long')
}

function readTime(claims: JsonObject, name: string): NumericDate {
  const value = memberOf(claims, name)
  if (value === undefined) throw new TokenRefused('claim_missing', name)
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new TokenRefused('claim_invalid', name)
  return value
}
