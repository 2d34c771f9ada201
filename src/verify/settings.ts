/** What a verifier is told, read once and strictly. */

import { SettingsError, type SettingsProblem } from '../../providers/contract/errors.ts'
import type { NumericDate } from '../../providers/contract/proof.ts'
import { isConfidential } from '../oauth/confidential-url.ts'
import { SCOPE_TOKEN } from '../oauth/vocabulary.ts'
import type { TokenAlgorithm } from './public-key.ts'

export interface VerifierSettings {
  /** The broker's issuer URL, exactly as its tokens have it in `iss`. */
  readonly issuer: string
  /** The service's own audience: the name that the federation document has for it. */
  readonly audience: string
  /** Signature algorithms that are accepted; by default both that the broker has. */
  readonly algorithms?: readonly TokenAlgorithm[]
  /** What the audience's `token_type` in the federation document is; `at+jwt` by default. */
  readonly tokenType?: 'at+jwt' | 'JWT'
  /** The one trust domain of which identities are accepted. Without it, every one that the issuer names. */
  readonly trustDomain?: string
  /** Scopes that every token must have. */
  readonly scope?: string | readonly string[]
  /** Where the keys are, if not at `<issuer>/.well-known/jwks.json`: another URL, or the key set itself. */
  readonly jwks?: string | { readonly keys: readonly object[] }
  /** For a proxy, or an issuer behind a private CA. */
  readonly fetch?: typeof globalThis.fetch
  /** The time, in seconds since the epoch. */
  readonly now?: () => NumericDate
}

/** Settings that can be used, with everything in its place. */
export interface CheckedSettings {
  readonly issuer: string
  readonly audience: string
  readonly algorithms: ReadonlySet<string>
  readonly tokenType: string
  readonly trustDomain: string | undefined
  readonly scopes: readonly string[]
  readonly jwks: string | { readonly keys: readonly object[] }
  readonly fetch: typeof globalThis.fetch
  readonly now: () => NumericDate
}

/**
 * Checks settings. Throws {@link SettingsError} for an issuer or key set URL that is not https, http on this machine excepted, or
 * not written the one normal way, an empty audience, an algorithm that the broker does not have, and a malformed scope.
 */
export function checkSettings(settings: VerifierSettings): CheckedSettings {
  const { issuer, audience, algorithms = ['ES256', 'RS256'], tokenType = 'at+jwt', trustDomain } = settings
  const { jwks = `${issuer}/.well-known/jwks.json`, fetch = globalThis.fetch, now = systemNow } = settings
  const scopes = readScopeSetting(settings.scope)
  const problems: SettingsProblem[] = []
  const expect = (holds: boolean, name: string, message: string): void => {
    if (!holds) problems.push({ path: [name], code: 'setting_invalid', message: `${name} ${message}` })
  }
  expect(isIssuer(issuer), 'issuer', 'must be the broker’s https URL, without query, fragment or final slash')
  expect(typeof audience === 'string' && audience !== '', 'audience', 'must be this service’s audience')
  expect(algorithms.length > 0 && algorithms.every(isAlgorithm), 'algorithms', 'must be of ES256 and RS256')
  expect(tokenType === 'at+jwt' || tokenType === 'JWT', 'tokenType', 'must be at+jwt or JWT')
  expect(trustDomain === undefined || TRUST_DOMAIN.test(trustDomain), 'trustDomain', 'must be a SPIFFE trust domain')
  expect(scopes.every(isScope), 'scope', 'must be scopes, or one text of them separated by single spaces')
  expect(isKeySet(jwks), 'jwks', 'must be an https URL or a JWK Set')
  if (problems.length > 0) throw new SettingsError(problems)
  return { issuer, audience, algorithms: new Set(algorithms), tokenType, trustDomain, scopes, jwks, fetch, now }
}

/** Gives the scopes of a setting: a list, or one text of them as OAuth writes it. */
export function readScopeSetting(scope: string | readonly string[] | undefined): readonly string[] {
  return typeof scope === 'string' ? scope.split(' ') : (scope ?? [])
}

/** Answers whether a text is one scope. */
export function isScope(scope: string): boolean {
  return typeof scope === 'string' && SCOPE_TOKEN.test(scope)
}

const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/

function isIssuer(issuer: string): boolean {
  return isSafeUrl(issuer) && !issuer.endsWith('/') && !/[?#]/.test(issuer) && isNormal(issuer)
}

/** Compared with `iss` to the byte, so it is taken only as a URL parser would write it, less the slash of an empty path. */
function isNormal(url: string): boolean {
  const { href } = new URL(url)
  return href === url || href === `${url}/`
}

function isSafeUrl(url: string): boolean {
  if (typeof url !== 'string' || !URL.canParse(url)) return false
  const parsed = new URL(url)
  return isConfidential(parsed) && parsed.username === '' && parsed.password === ''
}

function isKeySet(jwks: NonNullable<VerifierSettings['jwks']>): boolean {
  return typeof jwks === 'string' ? isSafeUrl(jwks) : Array.isArray(jwks?.keys) && jwks.keys.length > 0
}

function isAlgorithm(name: string): boolean {
  return name === 'ES256' || name === 'RS256'
}

function systemNow(): NumericDate {
  return Math.floor(Date.now() / 1_000)
}
