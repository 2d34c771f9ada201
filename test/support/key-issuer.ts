/** An issuer of keys that answers when, and as, a test wants. */

import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { ProofError } from '../../providers/contract/errors.ts'
import type { ProviderEvent } from '../../providers/contract/provider.ts'
import { createRemoteKeySet, type KeySet } from '../../providers/kit/key-set.ts'
import type { FetchedKeys } from '../../providers/kit/key-source.ts'
import { createTestClock, type TestClock } from './clock.ts'

/** A new public key under this id. */
export function makeJwk(kid: string): JsonWebKey & { readonly kid: string } {
  return { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid }
}

export interface KeyIssuer {
  readonly clock: TestClock
  readonly keys: KeySet
  readonly events: readonly ProviderEvent[]
  /** How often it was asked. */
  fetches(): number
  publish(members: readonly unknown[], maxAgeSeconds?: number): void
  /** Fails from now on, with an outage unless told otherwise. */
  fail(error?: unknown): void
  /** Keeps every answer back until it is released. */
  hold(): void
  release(): Promise<void>
  /** What asking for a key comes to: its id, or the code of the error. */
  ask(keyId: string): Promise<string>
}

/** Starts an issuer of one key, `k1`, and the set that is kept of it. */
export function createKeyIssuer(): KeyIssuer {
  const clock = createTestClock()
  const events: ProviderEvent[] = []
  let fetches = 0
  let answer: () => FetchedKeys = () => ({ members: [makeJwk('k1')], maxAgeSeconds: 300 })
  let gate: { readonly opened: Promise<void>; readonly open: () => void } | undefined
  const keys = createRemoteKeySet({
    trustedIssuer: 'cluster',
    now: clock.now,
    observe: (event) => void events.push(event),
    fetch: async () => {
      fetches++
      await gate?.opened
      return answer()
    },
  })
  return {
    clock,
    keys,
    events,
    fetches: () => fetches,
    publish: (members, maxAgeSeconds) => {
      answer = () => ({ members, maxAgeSeconds })
    },
    fail: (error = new ProofError('upstream_status', 'down', { facts: { status: 500 } })) => {
      answer = () => {
        throw error
      }
    },
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      gate = { opened: promise, open: resolve }
    },
    async release() {
      gate?.open()
      gate = undefined
      await settled()
    },
    ask: (keyId) =>
      keys.find(keyId).then(
        (key) => key.keyId,
        (error: unknown) => (error instanceof ProofError ? error.code : Promise.reject(error)),
      ),
  }
}

/** Lets everything that waits for nothing but its turn have it. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
