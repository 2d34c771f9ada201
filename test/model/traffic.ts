/** Tokens and those who verify them. */

import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import type { KeyRing, Signer } from '../../src/tokens/key-ring.ts'
import { SIGNING_ALGORITHMS } from '../../src/tokens/signing-key.ts'
import type { Broker } from './brokers.ts'
import type { Token } from './laws.ts'
import { createVerifiers, type Verifier } from './verifiers.ts'
import { canLook, LOOK_SECONDS, MINUTE, type World } from './world.ts'

/** HTTP caches keep the key set for its max-age, in seconds. */
const MAX_AGE_SECONDS = 300

const LIFETIMES = [300, 900, 3_600, 3_600]

const INPUT = Buffer.from('what is signed')

export interface Traffic {
  /** Lets a broker mint, as it is, without a look before. */
  mint(broker: Broker): Promise<void>
  figures(): { readonly tokens: number; readonly checks: number }
}

/** Lets tokens be minted and verifiers look from now on. */
export function startTraffic(world: World): Traffic {
  const { dice, time, laws, brokers, every, at } = world
  const verifiers = createVerifiers(dice, time.at)
  const tried = new Set<string>()
  let cache: { readonly keyIds: ReadonlySet<string>; readonly at: number } | undefined
  let live: Token[] = []
  let tokens = 0
  let checks = 0

  const hasStoreSince = (broker: Broker): number | undefined =>
    broker.outOfReachUntil > time.at || broker.hangsUntil !== undefined || broker.isDead
      ? undefined
      : broker.hasStoreSince
  const check = (verifier: Verifier, token: Token): void => {
    if (verifier.keyIds === undefined) return
    const isAlive = time.at + verifier.skew < token.expiresAt
    if (laws.verified(verifier.keyIds, token, time.at, isAlive)) checks++
  }
  const ringOf = async (broker: Broker): Promise<KeyRing | undefined> => {
    const ring = await broker.ask()
    const isOff = broker.outOfReachUntil > time.at || broker.hangsUntil !== undefined || broker.isDead
    const hasStoreSince = isOff ? undefined : broker.hasStoreSince
    if (ring === undefined) laws.unusable(time.at, broker.hangsUntil === undefined ? hasStoreSince : undefined)
    else laws.shown(idsOf(ring), signersOf(ring), time.at, broker.hangsUntil === undefined ? hasStoreSince : undefined)
    return ring
  }
  const mint = async (broker: Broker): Promise<void> => {
    const ring = await ringOf(broker)
    if (ring === undefined) return
    const signer = ring.signerFor(dice.chance(0.9) ? 'ES256' : 'RS256')
    const signature = await trySign(signer, INPUT)
    if (signature === undefined) return laws.unusable(time.at, hasStoreSince(broker))
    const isRight = Math.abs(broker.shift) < 1
    const expiresAt = isRight ? broker.now() + dice.pick(LIFETIMES) : 0
    const token = { keyId: signer.keyId, mintedAt: time.at, expiresAt }
    laws.signed(token)
    if (!tried.has(signer.keyId)) tryOnce(ring, signer.keyId, signature)
    tried.add(signer.keyId)
    tokens++
    live = [...live.filter((other) => other.expiresAt + MINUTE > time.at), token]
    for (const verifier of verifiers) check(verifier, token)
  }
  const look = async (verifier: Verifier): Promise<void> => {
    const isCached = verifier.isBehindCache && cache !== undefined && time.at - cache.at <= MAX_AGE_SECONDS
    verifier.keyIds = isCached ? cache?.keyIds : await fetchKeys()
    if (verifier.isBehindCache && !isCached && verifier.keyIds !== undefined)
      cache = { keyIds: verifier.keyIds, at: time.at }
    for (const token of live) check(verifier, token)
    at(time.at + (verifier.keyIds === undefined ? MINUTE : verifier.keepsFor), () => look(verifier))
  }
  const fetchKeys = async (): Promise<ReadonlySet<string> | undefined> => {
    const all = brokers().filter(({ frozenUntil }) => frozenUntil <= time.at)
    const first = dice.below(Math.max(1, all.length))
    for (const broker of [...all.slice(first), ...all.slice(0, first)]) {
      await refresh(broker, time.at)
      const ring = await ringOf(broker)
      if (ring !== undefined) return new Set(idsOf(ring))
    }
    return undefined
  }
  for (const verifier of verifiers) at(verifier.looksAt, () => look(verifier))
  every(30 * MINUTE, async () => {
    const all = brokers().filter(({ frozenUntil }) => frozenUntil <= time.at)
    if (all.length === 0) return
    const broker = dice.pick(all)
    await refresh(broker, time.at)
    await mint(broker)
  })
  return { mint, figures: () => ({ tokens, checks }) }
}

/** A broker has looked lately, if it can. */
async function refresh(broker: Broker, at: number): Promise<void> {
  if (canLook(broker, at) && at - broker.lastLookAt > LOOK_SECONDS) await broker.look()
}

/** A key that was revoked in this moment does not sign. */
async function trySign(signer: Signer, input: Buffer): Promise<Buffer | undefined> {
  try {
    return await signer.sign(input)
  } catch {
    return undefined
  }
}

function idsOf({ jwks }: KeyRing): readonly string[] {
  return jwks.keys.map(({ kid = '' }) => kid)
}

function signersOf(ring: KeyRing): readonly string[] {
  return SIGNING_ALGORITHMS.map((algorithm) => ring.signerFor(algorithm).keyId)
}

/** What a key signs verifies with what is published of it. */
function tryOnce({ jwks }: KeyRing, keyId: string, signature: Buffer): void {
  const key = jwks.keys.find(({ kid }) => kid === keyId)
  const publicKey = createPublicKey({ key: key as JsonWebKey, format: 'jwk' })
  const isGood = verify('sha256', INPUT, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
  if (!isGood) throw new Error('a signature does not hold')
}
