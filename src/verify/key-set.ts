/** The issuer's keys: looked at often enough that a revoked one goes within a minute, and as seldom as that allows. */

import type { NumericDate } from '../../providers/contract/proof.ts'
import { type FetchOutcome, importPublicKeys, type PublicKeys } from './fetch-keys.ts'
import type { PublicKey } from './public-key.ts'
import { type KeyFaultCode, KeysUnavailable, TokenRefused } from './refused.ts'

/** How long a fetched set is used without a look at the issuer, whatever the answer says of caching, in seconds. */
export const FRESH_SECONDS = 30

/** From when on the next token waits for a look, in seconds; before that it is verified with the old set, and the look is made meanwhile. */
export const WAIT_SECONDS = 60

/**
 * How long a set is believed while the issuer cannot be reached, in seconds: an hour. The issuer's longest token lives an hour, so
 * after that every token has expired that was signed while the set was last seen.
 */
export const BELIEVED_SECONDS = 3_600

/** Between two looks that unknown key ids caused, in seconds. */
export const UNKNOWN_KEY_SECONDS = 30

/** Between two attempts while the issuer fails, doubling from the first to the last, in seconds. */
const FIRST_RETRY_SECONDS = 1
const LAST_RETRY_SECONDS = 30

/** The keys of one issuer. */
export interface KeySet {
  /** Gives the key of this id. Throws `key_unknown`, or {@link KeysUnavailable} where there is no set that may be believed. */
  find(keyId: string): Promise<PublicKey>
}

/** A key set that is written down, for a service that cannot reach its issuer. It knows of no rotation and no revocation. */
export function createStaticKeySet(members: readonly unknown[]): KeySet {
  const imported = importPublicKeys(members)
  return { find: async (keyId) => (await imported).get(keyId) ?? refuseUnknown() }
}

interface State {
  fetched: { readonly keys: PublicKeys; readonly at: NumericDate } | undefined
  fetching: Promise<void> | undefined
  /** Why the last attempt failed, if it did, how many did in a row, and when the next may start. */
  fault: { readonly code: KeyFaultCode; readonly cause: unknown; readonly times: number } | undefined
  retryAt: NumericDate
  unknownKeyAt: NumericDate
}

export interface KeySetPorts {
  readonly fetch: () => Promise<FetchOutcome>
  readonly now: () => NumericDate
}

/** A key set that is fetched when first needed, again when it is old, and when a key id is unknown. All callers share one fetch. */
export function createRemoteKeySet(ports: KeySetPorts): KeySet {
  const state: State = { fetched: undefined, fetching: undefined, fault: undefined, retryAt: 0, unknownKeyAt: 0 }
  return {
    async find(keyId) {
      const before = state.fetched
      const known = (await ensureBelievable(state, ports)).get(keyId)
      if (known !== undefined) return known
      // A set that was fetched for this very token has answered for it.
      const isAnswered = state.fetched !== before
      if (!isAnswered && mayAskForUnknown(state, ports.now())) {
        state.unknownKeyAt = ports.now() + UNKNOWN_KEY_SECONDS
        await refresh(state, ports)
      } else if (isAnswered) state.unknownKeyAt = ports.now() + UNKNOWN_KEY_SECONDS
      const found = state.fetched?.keys.get(keyId)
      if (found !== undefined) return found
      // The issuer may have made the key since it was last reached: that is for it to say.
      if (state.fault !== undefined) throw unavailable(state, ports.now())
      return refuseUnknown()
    },
  }
}

function mayAskForUnknown(state: State, now: NumericDate): boolean {
  const isRested = isDue(now, state.unknownKeyAt, UNKNOWN_KEY_SECONDS)
  return state.fetching !== undefined || (isRested && isDue(now, state.retryAt, LAST_RETRY_SECONDS))
}

async function ensureBelievable(state: State, ports: KeySetPorts): Promise<PublicKeys> {
  const { fetched } = state
  const age = ageOf(fetched, ports.now())
  if (fetched !== undefined && age < FRESH_SECONDS) return fetched.keys
  if (state.fetching !== undefined || isDue(ports.now(), state.retryAt, LAST_RETRY_SECONDS)) {
    const pending = refresh(state, ports)
    const mayServeOld = age < WAIT_SECONDS || (isKnownToFail(state, ports.now()) && age < BELIEVED_SECONDS)
    if (!mayServeOld) await pending
  }
  if (state.fetched !== undefined && ageOf(state.fetched, ports.now()) < BELIEVED_SECONDS) return state.fetched.keys
  throw unavailable(state, ports.now())
}

/** While an issuer fails, nobody waits for each next attempt. What it did long ago says nothing of now. */
function isKnownToFail({ fault, retryAt }: State, now: NumericDate): boolean {
  return fault !== undefined && now < retryAt + LAST_RETRY_SECONDS
}

/** The fault of the last attempt, told again without another one. */
function unavailable({ fault, retryAt }: State, now: NumericDate): KeysUnavailable {
  const wait = Math.min(Math.max(1, Math.ceil(retryAt - now)), LAST_RETRY_SECONDS)
  return new KeysUnavailable(fault?.code ?? 'unreachable', wait, fault?.cause)
}

/** A clock that was set back tells no age, so the set is looked at anew, and is believed for as long as the clock is near. */
function ageOf(fetched: State['fetched'], now: NumericDate): number {
  if (fetched === undefined) return Number.POSITIVE_INFINITY
  return now >= fetched.at ? now - fetched.at : Math.max(WAIT_SECONDS, fetched.at - now)
}

/** A clock that was set back must not prolong a wait. */
function isDue(now: NumericDate, dueAt: NumericDate, longestSeconds: number): boolean {
  return now >= dueAt || now < dueAt - longestSeconds
}

/** Fetches once, whoever asks meanwhile. Never throws: nobody may be waiting. */
function refresh(state: State, ports: KeySetPorts): Promise<void> {
  state.fetching ??= fetchInto(state, ports).finally(() => {
    state.fetching = undefined
  })
  return state.fetching
}

async function fetchInto(state: State, ports: KeySetPorts): Promise<void> {
  // The set is as old as the question: an answer that was long on its way says nothing of a revocation meanwhile.
  const at = ports.now()
  const outcome = await ports.fetch()
  if ('keys' in outcome) {
    state.fetched = { keys: outcome.keys, at }
    state.fault = undefined
    state.retryAt = 0
    return
  }
  const times = (state.fault?.times ?? 0) + 1
  state.fault = { code: outcome.fault, cause: outcome.cause, times }
  state.retryAt = ports.now() + Math.min(FIRST_RETRY_SECONDS * 2 ** (times - 1), LAST_RETRY_SECONDS)
}

function refuseUnknown(): never {
  throw new TokenRefused('key_unknown')
}
