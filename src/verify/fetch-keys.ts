/** One bounded request for the issuer's key set. */

import { isJsonObject, memberOf, parseStrictJson } from '../../providers/contract/strict-json.ts'
import { importPublicKey, type PublicKey } from './public-key.ts'
import type { KeyFaultCode } from './refused.ts'

/** Longest time for a whole answer. Whoever sent the token waits for it. */
export const FETCH_TIMEOUT_MILLISECONDS = 5_000

/** Largest key set, in bytes, and most keys. Ours has four keys and is below 2 KiB. */
export const MAX_KEY_SET_BYTES = 65_536
export const MAX_KEYS = 32

const MAX_DEPTH = 8

/** Usable keys by id. */
export type PublicKeys = ReadonlyMap<string, PublicKey>

/** What came of a request. A fault is remembered and told again, so it is a value. */
export type FetchOutcome = { readonly keys: PublicKeys } | { readonly fault: KeyFaultCode; readonly cause?: unknown }

/**
 * Fetches a key set, in at most five seconds and 64 KiB. Follows no redirect, so that the keys are from where the settings say.
 * An answer that has no usable key is a fault: it never takes the place of one that has.
 */
export async function fetchPublicKeys(fetch: typeof globalThis.fetch, url: string): Promise<FetchOutcome> {
  const signal = AbortSignal.timeout(FETCH_TIMEOUT_MILLISECONDS)
  try {
    // A cache on the way must not keep a revoked key alive: it asks the broker whether its copy still stands.
    const headers = { accept: 'application/jwk-set+json, application/json', 'cache-control': 'no-cache' }
    const response = await fetch(url, { redirect: 'manual', headers, signal })
    if (response.status !== 200) {
      await response.body?.cancel()
      return { fault: isRedirect(response) ? 'redirected' : 'status' }
    }
    const bytes = await readAtMost(response, MAX_KEY_SET_BYTES)
    return bytes === undefined ? { fault: 'too_large' } : await parseKeySet(bytes)
  } catch (cause) {
    return { fault: signal.aborted ? 'timeout' : 'unreachable', cause }
  }
}

/** Reads the members of a key set that is written down, as far as they are usable. */
export async function importPublicKeys(members: readonly unknown[]): Promise<PublicKeys> {
  const keys = new Map<string, PublicKey>()
  const ambiguous = new Set<string>()
  for (const key of await Promise.all(members.map(importPublicKey))) {
    if (key === undefined) continue
    const twin = keys.get(key.keyId)
    // Two different keys under one id: which of them is meant is anybody's guess.
    if (twin !== undefined && twin.material !== key.material) ambiguous.add(key.keyId)
    keys.set(key.keyId, key)
  }
  for (const keyId of ambiguous) keys.delete(keyId)
  return keys
}

/** Where a runtime hides what a redirect was, it says so by a type of its own. */
function isRedirect({ status, type }: Response): boolean {
  return type === 'opaqueredirect' || (status >= 300 && status < 400)
}

async function readAtMost(response: Response, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    // Leaving the loop cancels the rest.
    if (length > limit) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function parseKeySet(bytes: Uint8Array): Promise<FetchOutcome> {
  let value: unknown
  try {
    value = parseStrictJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), MAX_DEPTH)
  } catch (cause) {
    return { fault: 'malformed', cause }
  }
  const members = isJsonObject(value) ? memberOf(value, 'keys') : undefined
  if (!Array.isArray(members) || members.length > MAX_KEYS) return { fault: 'malformed' }
  const keys = await importPublicKeys(members)
  return keys.size === 0 ? { fault: 'malformed' } : { keys }
}
