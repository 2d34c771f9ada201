/** What a key ring promises, watched from outside: by true time, and by what is in the store and in verifiers' hands. */

import type { StoredKey } from '../../src/store/store.ts'
import { isPublished } from '../../src/tokens/signing-key.ts'

/** The promises, by what is said when one is broken. */
export const LAWS = [
  'more than four keys are published',
  'a key signs before it has been public for a day',
  'a key is dropped while its tokens live',
  'a key vanishes that nobody revoked',
  'a key comes back',
  'an algorithm has not one current key',
  'a ring is taken twice',
  'a live token is not verified',
  'a revoked key is still in use',
  'a broker that has its store has no key',
  'a rotation does not come',
] as const

export type Law = (typeof LAWS)[number]

/** A promise that was broken. */
export class Broken extends Error {
  readonly law: Law

  constructor(law: Law, what: string) {
    super(`${law}: ${what}`)
    this.name = 'Broken'
    this.law = law
  }
}

export interface Token {
  readonly keyId: string
  readonly mintedAt: number
  /** By true time. */
  readonly expiresAt: number
}

/** All that happened to a key, by true time. */
export interface Life {
  readonly publishedAt: number
  /** Whether it signs without having been public for a day: the first of a store, or in the place of a revoked one. */
  exemptFrom?: number
  state: StoredKey['state'] | 'gone'
  retiredAt?: number
  revokedAt?: number
  tokensLiveUntil: number
}

/** Why a ring is changed, where that is more than a step that was due. */
export type Intent = { readonly kind: 'start' } | { readonly kind: 'revoke'; readonly keyId: string } | undefined

const DAY = 86_400

/** How much behind a verifier's clock may be, in seconds: so much longer it takes a token. */
const SLOW_SECONDS = 60

/** How long a revoked key may be used by a broker that has its store, in seconds. */
const REVOKED_WITHIN_SECONDS = 5

/** Longest time that a rotation may take beyond its turn: a day's publication, and what outages take. */
const PATIENCE_SECONDS = 8 * DAY

export interface Laws {
  readonly lives: ReadonlyMap<string, Life>
  /** A ring was put in the place of the one before. */
  ringChanged(version: number, keys: readonly StoredKey[], at: number, intent: Intent): void
  /** A broker minted a token, or was asked whether it would. */
  signed(token: Token): void
  /** A broker showed its keys, and which of them sign, while it had its store since then. */
  shown(keyIds: readonly string[], signers: readonly string[], at: number, hasStoreSince: number | undefined): void
  /** A verifier has these keys in its hands. Gives whether it had to verify the token, having verified it. */
  verified(keyIds: ReadonlySet<string>, token: Token, at: number, isAlive: boolean): boolean
  /** A broker had no key to use, though it had its store since then. */
  unusable(at: number, hasStoreSince: number | undefined): void
  /** Somebody was told that a key is revoked. */
  revokedInWord(keyId: string, at: number): void
  /** Takes note of trouble, which may be a promise that was broken where nobody could be told. */
  troubled(trouble: unknown): void
  found(): Broken | undefined
  rotationCount(): number
}

/** Creates the watch over one store. `periodSeconds` is how often it is to be rotated. */
export function createLaws(periodSeconds: number): Laws {
  const lives = new Map<string, Life>()
  const currentSince = new Map<string, number>()
  let version = 0
  let rotations = 0
  let found: Broken | undefined
  const breach = (law: Law, what: string): never => {
    found ??= new Broken(law, what)
    throw found
  }

  const changeState = (key: StoredKey, life: Life, at: number, intent: Intent): void => {
    if (life.state === key.state) return
    if (life.state === 'gone' || life.state === 'retired') breach('a key comes back', `${life.state} → ${key.state}`)
    if (key.state === 'current') {
      if (intent?.kind === 'revoke') life.exemptFrom ??= at
      else rotations++
      currentSince.set(key.algorithm, at)
    }
    if (key.state === 'retired') life.retiredAt = at
    if (life.state === 'current' && key.state === 'next') breach('a key comes back', 'current → next')
    life.state = key.state
  }
  const vanish = (keyId: string, life: Life, at: number, intent: Intent): void => {
    if (intent?.kind === 'revoke' && intent.keyId === keyId) life.revokedAt = at
    else if (life.state !== 'retired') breach('a key vanishes that nobody revoked', `it was ${life.state}`)
    else if (at < life.tokensLiveUntil)
      breach('a key is dropped while its tokens live', `${life.tokensLiveUntil - at} s early`)
    life.state = 'gone'
  }
  return {
    lives,
    ringChanged(number, keys, at, intent) {
      if (number !== version + 1) breach('a ring is taken twice', `${version} → ${number}`)
      version = number
      if (keys.filter(isPublished).length > 4) breach('more than four keys are published', `${keys.length}`)
      for (const algorithm of ['ES256', 'RS256']) {
        const count = keys.filter((key) => key.algorithm === algorithm && key.state === 'current').length
        if (count !== 1) breach('an algorithm has not one current key', `${count} by ${algorithm}`)
        const late = at - (currentSince.get(algorithm) ?? at) - periodSeconds
        if (late > PATIENCE_SECONDS) breach('a rotation does not come', `${late} s late`)
      }
      for (const key of keys) {
        const life = lives.get(key.keyId) ?? { publishedAt: at, state: 'next', tokensLiveUntil: 0 }
        if (!lives.has(key.keyId)) {
          if (intent?.kind === 'start' && key.state === 'current') life.exemptFrom = at
          lives.set(key.keyId, life)
        }
        changeState(key, life, at, intent)
      }
      const left = new Set(keys.map(({ keyId }) => keyId))
      for (const [keyId, life] of lives) if (life.state !== 'gone' && !left.has(keyId)) vanish(keyId, life, at, intent)
    },
    signed({ keyId, mintedAt, expiresAt }) {
      const life = lives.get(keyId)
      const publicFor = mintedAt - (life?.publishedAt ?? mintedAt)
      if (publicFor < DAY && life?.exemptFrom === undefined) {
        breach('a key signs before it has been public for a day', `${Math.round(publicFor)} s`)
      }
      if (life !== undefined) life.tokensLiveUntil = Math.max(life.tokensLiveUntil, expiresAt + SLOW_SECONDS)
    },
    shown(keyIds, signers, at, hasStoreSince) {
      if (keyIds.length > 4) breach('more than four keys are published', `${keyIds.length} shown`)
      for (const keyId of [...keyIds, ...signers]) {
        const revokedAt = lives.get(keyId)?.revokedAt ?? at
        if (hasStoreSince === undefined || at - Math.max(revokedAt, hasStoreSince) <= REVOKED_WITHIN_SECONDS) continue
        breach('a revoked key is still in use', `for ${Math.round(at - revokedAt)} s`)
      }
    },
    verified(keyIds, { keyId }, at, isAlive) {
      const life = lives.get(keyId)
      const isYoung = life?.exemptFrom !== undefined && at < Math.max(life.exemptFrom, life.publishedAt) + DAY
      const isStarting = isYoung && life?.exemptFrom === life?.publishedAt && rotations === 0
      if (!isAlive || life?.revokedAt !== undefined || (isYoung && !isStarting)) return false
      if (!keyIds.has(keyId)) breach('a live token is not verified', `by a verifier with ${keyIds.size} keys`)
      return true
    },
    unusable(at, hasStoreSince) {
      if (hasStoreSince !== undefined && at - hasStoreSince > REVOKED_WITHIN_SECONDS) {
        breach('a broker that has its store has no key', `for ${Math.round(at - hasStoreSince)} s`)
      }
    },
    revokedInWord(keyId, at) {
      const life = lives.get(keyId)
      if (life !== undefined) life.revokedAt = at
    },
    troubled(trouble) {
      if (trouble instanceof Broken) found ??= trouble
    },
    found: () => found,
    rotationCount: () => rotations,
  }
}
