/** Where the public keys of an issuer come from: found by discovery, fetched from a URL, or written in the document. */

import { z } from 'zod'
import { ProofError, type ProofOutageCode, type SettingsProblem } from '../contract/errors.ts'
import { isJsonObject, type JsonObject, memberOf, parseStrictJson } from '../contract/strict-json.ts'
import type { HttpClient, UpstreamRequest } from './http.ts'
import { findUrlProblem, type HostAllowance } from './upstream-url.ts'
import { importVerificationKey } from './verification-key.ts'

/** Largest discovery document and largest key set, in bytes. Google's, the largest known, stay below 8 KiB. */
const MAX_DISCOVERY_BYTES = 65_536
const MAX_KEY_SET_BYTES = 262_144

/** Most keys of a set. No platform publishes more than a dozen. */
export const MAX_KEYS = 100

const MAX_DEPTH = 16

/** The `keys` member of a trusted issuer. */
export const keysSchema = z.discriminatedUnion('from', [
  z.strictObject({ from: z.literal('discovery') }).describe('Found at the issuer, by OpenID Connect discovery.'),
  z.strictObject({ from: z.literal('url'), url: z.string() }).describe('A JWK Set at this URL.'),
  z
    .strictObject({
      from: z.literal('inline'),
      jwks: z.looseObject({ keys: z.array(z.looseObject({})).max(MAX_KEYS) }),
    })
    .describe('A JWK Set, public keys only.'),
])

export type KeysSetting = z.infer<typeof keysSchema>

/** Members of a key set, not yet imported, and how long the answer said that they may be kept. */
export interface FetchedKeys {
  readonly members: readonly unknown[]
  readonly maxAgeSeconds: number | undefined
}

/**
 * Finds an issuer's keys by discovery.
 *
 * Refuses metadata whose `issuer` is not ours to the byte, and a `jwks_uri` on another host: such an issuer is configured with
 * the URL of its key set instead.
 *
 * @see {@link https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation OpenID Connect Discovery section 4.3}
 */
export async function fetchDiscoveredKeys(http: HttpClient, issuer: string, signal: AbortSignal): Promise<FetchedKeys> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const { body } = await fetchObject(http, { purpose: 'discovery', url, maxBytes: MAX_DISCOVERY_BYTES }, signal)
  if (memberOf(body, 'issuer') !== issuer) throw malformed('the metadata names another issuer')
  const keySetUrl = memberOf(body, 'jwks_uri')
  if (
    typeof keySetUrl !== 'string' ||
    !URL.canParse(keySetUrl) ||
    new URL(keySetUrl).origin !== new URL(issuer).origin
  ) {
    throw malformed('jwks_uri is not on the issuer host: configure keys by url')
  }
  return await fetchKeys(http, keySetUrl, signal)
}

/**
 * Both names of a key set: an API server of Kubernetes has it as the first and answers 406 to whoever takes only the second.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7517.html#section-8.5.2 RFC 7517 section 8.5.2}
 */
const ACCEPTED = 'application/jwk-set+json, application/json'

/** Fetches a JWK Set. Throws an outage unless it is an object with an array of at most a hundred keys. */
export async function fetchKeys(http: HttpClient, url: string, signal: AbortSignal): Promise<FetchedKeys> {
  const request = { purpose: 'keys', url, headers: { accept: ACCEPTED }, maxBytes: MAX_KEY_SET_BYTES }
  const { body, cacheControl } = await fetchObject(http, request, signal)
  const members = memberOf(body, 'keys')
  if (!Array.isArray(members) || members.length > MAX_KEYS)
    throw malformed('the answer is not a JWK Set of bearable size')
  return { members, maxAgeSeconds: readMaxAge(cacheControl) }
}

/** Says what is wrong with a `keys` setting for one issuer. */
export function findKeysProblems(keys: KeysSetting, allowance: HostAllowance): SettingsProblem[] {
  if (keys.from === 'url') {
    const problem = findUrlProblem(keys.url, allowance)
    return problem === undefined ? [] : [{ path: ['keys', 'url'], code: 'url_refused', message: `the URL ${problem}` }]
  }
  if (keys.from === 'discovery') return []
  return findInlineProblems(keys.jwks.keys)
}

function findInlineProblems(members: readonly unknown[]): SettingsProblem[] {
  const path = ['keys', 'jwks', 'keys']
  const problems: SettingsProblem[] = []
  const seen = new Set<string>()
  if (members.length === 0) problems.push({ path, code: 'keys_empty', message: 'name at least one public key' })
  for (const [index, member] of members.entries()) {
    const key = importVerificationKey(member)
    if ('unusable' in key) {
      problems.push({ path: [...path, index], code: 'key_refused', message: `the key cannot be used: ${key.unusable}` })
    } else if (seen.has(key.keyId)) {
      problems.push({ path: [...path, index], code: 'key_id_repeated', message: 'two keys have the same kid' })
    } else {
      seen.add(key.keyId)
    }
  }
  return problems
}

async function fetchObject(
  http: HttpClient,
  request: UpstreamRequest,
  signal: AbortSignal,
): Promise<{ body: JsonObject; cacheControl: string | undefined }> {
  const response = await http.send(request, signal)
  if (response.status !== 200) {
    throw outage('upstream_status', `the answer has status ${response.status}`, { status: response.status })
  }
  const body = parseObject(response.body)
  return { body, cacheControl: response.headers['cache-control'] }
}

/** Parses an upstream's body: a JSON object in UTF-8 with one meaning, or an outage. */
export function parseObject(bytes: Uint8Array): JsonObject {
  let value: unknown
  try {
    value = parseStrictJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), MAX_DEPTH)
  } catch (cause) {
    throw new ProofError('upstream_malformed', 'the answer is not JSON with one meaning', { cause })
  }
  if (!isJsonObject(value)) throw malformed('the answer is not a JSON object')
  return value
}

function readMaxAge(cacheControl: string | undefined): number | undefined {
  const [, seconds] = /(?:^|[,\s])max-age=(\d{1,10})(?:$|[,\s])/i.exec(cacheControl ?? '') ?? []
  return seconds === undefined ? undefined : Number(seconds)
}

function malformed(message: string): ProofError {
  return outage('upstream_malformed', message)
}

function outage(code: ProofOutageCode, message: string, facts: Record<string, number> = {}): ProofError {
  return new ProofError(code, message, { facts })
}
