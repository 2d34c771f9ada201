/** The keys of one issuer, kept as long as they may be and fetched as seldom as they can be. */

import { ProofError } from '../contract/errors.ts'
import type { NumericDate } from '../contract/proof.ts'
import type { ProviderEvent } from '../contract/provider.ts'
import type { FetchedKeys } from './key-source.ts'
import { importVerificationKey, type VerificationKey } from './verification-key.ts'

/** Shortest and longest time that a fetched set counts as fresh, whatever its issuer says, in seconds. */
export const MIN_FRESH_SECONDS = 60
export const MAX_FRESH_SECONDS = 86_400
const DEFAULT_FRESH_SECONDS = 300

/** How long a set that cannot be fetched again is still believed, after it stopped being fresh: one night's outage. */
export const MAX_STALE_SECONDS = 43_200

/** Between two fetches that unknown key ids caused, in seconds. */
export const UNKNOWN_KEY_COOL_DOWN_SECONDS = 30

/** Between two attempts while the issuer fails, doubling from the first to the last, in seconds. */
const FIRST_RETRY_SECONDS = 2
const LAST_RETRY_SECONDS = 30

/** The keys of one trusted issuer under one exact `iss`. */
export interface KeySet {
  /**
   * Gives the key with this id. Throws `key_unknown` where a set that may be believed has none, and an outage where no such set
   * could be fetched.
   */
  find(keyId: string): Promise<VerificationKey>
}

/** A key set that never changes. Members that cannot be used are left out: they were reported when the document was loaded. */
export function createStaticKeySet(members: readonly unknown[]): KeySet {
  const keys = importKeys(members, () => undefined)
  return { find: async (keyId) => keys.get(keyId) ?? refuseUnknown() }
}

interface Fetched {
  readonly keys: ReadonlyMap<string, VerificationKey>
  readonly fetchedAt: NumericDate
  readonly freshUntil: NumericDate
  readonly believedUntil: NumericDate
}

/** What the set remembers. Times are NumericDates of the broker's clock. */
interface State {
  fetched: Fetched | undefined
  fetching: Promise<void> | undefined
  /** Attempts since the last success, the error of the last one, and when the next may start. */
  failures: number
  lastError: ProofError | undefined
  retryAt: NumericDate
  unknownKeyFetchAt: NumericDate
}

export interface RemoteKeySetPorts {
  readonly trustedIssuer: string
  readonly fetch: () => Promise<FetchedKeys>
  readonly now: () => NumericDate
  readonly observe: (event: ProviderEvent) => void
}

/**
 * A key set that is fetched when first needed, when no longer fresh, and when a key id is unknown, the last at most twice a
 * minute. Any number of callers share one fetch. While the issuer is down, the last set is believed for twelve hours.
 */
export function createRemoteKeySet(ports: RemoteKeySetPorts): KeySet {
  const state: State = {
    fetched: undefined,
    fetching: undefined,
    failures: 0,
    lastError: undefined,
    retryAt: 0,
    unknownKeyFetchAt: 0,
  }

  return {
    async find(keyId) {
      const usable = await ensureBelievable(state, ports, keyId)
      const known = usable.keys.get(keyId)
      if (known !== undefined) return known
      const now = ports.now()
      if (!mayAskForUnknown(state, now)) return refuseUnknown()
      state.unknownKeyFetchAt = now + UNKNOWN_KEY_COOL_DOWN_SECONDS
      await refresh(state, ports)
      return state.fetched?.keys.get(keyId) ?? refuseUnknown()
    },
  }
}

function mayAskForUnknown(state: State, now: NumericDate): boolean {
  const isRested = isDue(now, state.unknownKeyFetchAt, UNKNOWN_KEY_COOL_DOWN_SECONDS)
  return state.fetching !== undefined || (isRested && isDue(now, state.retryAt, LAST_RETRY_SECONDS))
}

/** Gives a set that may be believed now, fetching it where needed. */
async function ensureBelievable(state: State, ports: RemoteKeySetPorts, keyId: string): Promise<Fetched> {
  const now = ports.now()
  const before = state.fetched
  if (before !== undefined && now >= before.fetchedAt && now < before.freshUntil) return before
  if (state.fetching !== undefined || isDue(now, state.retryAt, LAST_RETRY_SECONDS)) {
    const pending = refresh(state, ports)
    // Once the issuer is known to be failing, nobody waits for the next attempt while the old set will do.
    if (before === undefined || state.failures === 0 || !isBelieved(before, now)) await pending
  }
  const { fetched } = state
  if (fetched === undefined || !isBelieved(fetched, ports.now())) throw coolingDown(state, now)
  // The fetch above answered for this key id too: an unknown one shall not cause a second.
  if (fetched !== before && !fetched.keys.has(keyId)) state.unknownKeyFetchAt = now + UNKNOWN_KEY_COOL_DOWN_SECONDS
  return fetched
}

/** A clock that was set back makes a set no fresher; one that was set back far makes it unbelievable. */
function isBelieved({ fetchedAt, believedUntil }: Fetched, now: NumericDate): boolean {
  return now < believedUntil && now >= fetchedAt - MAX_STALE_SECONDS
}

/** A clock that was set back must not prolong a wait. */
function isDue(now: NumericDate, dueAt: NumericDate, longestWaitSeconds: number): boolean {
  return now >= dueAt || now < dueAt - longestWaitSeconds
}

/** Fetches once, whoever asks meanwhile. Never throws: a failure is remembered in the state. */
function refresh(state: State, ports: RemoteKeySetPorts): Promise<void> {
  state.fetching ??= fetchInto(state, ports).finally(() => {
    state.fetching = undefined
  })
  return state.fetching
}

async function fetchInto(state: State, ports: RemoteKeySetPorts): Promise<void> {
  try {
    const { members, maxAgeSeconds = DEFAULT_FRESH_SECONDS } = await ports.fetch()
    const keys = importKeys(members, (why) =>
      ports.observe({ kind: 'key_ignored', trustedIssuer: ports.trustedIssuer, why }),
    )
    const fetchedAt = ports.now()
    const freshUntil = fetchedAt + Math.min(Math.max(maxAgeSeconds, MIN_FRESH_SECONDS), MAX_FRESH_SECONDS)
    state.fetched = { keys, fetchedAt, freshUntil, believedUntil: freshUntil + MAX_STALE_SECONDS }
    state.failures = 0
    state.lastError = undefined
    state.retryAt = 0
  } catch (error) {
    // Whatever it was, it must not become an unhandled rejection: nobody may be waiting.
    state.lastError =
      error instanceof ProofError
        ? error
        : new ProofError('upstream_malformed', 'the key set cannot be read', { cause: error })
    state.retryAt = ports.now() + Math.min(FIRST_RETRY_SECONDS * 2 ** state.failures, LAST_RETRY_SECONDS)
    state.failures++
  }
}

/** The error of the last attempt, told again without another attempt. There was one, or the set would be believable. */
function coolingDown({ lastError, retryAt }: State, now: NumericDate): ProofError {
  return new ProofError(lastError?.code ?? 'upstream_unreachable', 'the key set could not be fetched', {
    facts: { ...lastError?.facts, retry_after_seconds: Math.min(Math.max(1, retryAt - now), LAST_RETRY_SECONDS) },
    cause: lastError,
  })
}

/** Two different keys under one id make the id unusable: which of them is meant is anybody's guess. */
function importKeys(members: readonly unknown[], ignored: (why: string) => void): ReadonlyMap<string, VerificationKey> {
  const keys = new Map<string, VerificationKey>()
  const ambiguous = new Set<string>()
  for (const member of members) {
    const key = importVerificationKey(member)
    if ('unusable' in key) {
      ignored(key.unusable)
      continue
    }
    const twin = keys.get(key.keyId)
    if (twin !== undefined && !twin.key.equals(key.key)) ambiguous.add(key.keyId)
    else keys.set(key.keyId, key)
  }
  for (const keyId of ambiguous) {
    keys.delete(keyId)
    ignored('ambiguous')
  }
  return keys
}

function refuseUnknown(): never {
  throw new ProofError('key_unknown', 'the issuer publishes no key with this id')
}
