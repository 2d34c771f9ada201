/** Key sets: how often they are fetched, how long they are kept, and whose tokens their keys verify. */

import { randomBytes, randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import {
  MAX_FRESH_SECONDS,
  MAX_STALE_SECONDS,
  MIN_FRESH_SECONDS,
  UNKNOWN_KEY_COOL_DOWN_SECONDS,
} from '../../providers/kit/key-set.ts'
import { expectIssued, expectProofRefused, expectRefusal, REFUSED_BODY } from '../support/answers.ts'
import type { Reply } from '../support/broker.ts'
import { documentFor } from '../support/document.ts'
import { constantSigner, rawJws } from '../support/raw-jws.ts'
import { openScene, POD, type Scene, type SceneOptions } from '../support/scene.ts'

const KEY_SET_PATH = '/openid/v1/jwks'

/** Discovery and key set: what one fetch asks for. */
const REQUESTS_OF_A_FETCH = 2

/** How long the stand-in lets its keys be kept. */
const FRESH_SECONDS = 3_600

async function openOwnScene(options: SceneOptions = {}): Promise<Scene> {
  const scene = await openScene({ cluster: { algorithm: 'ES256' }, ...options })
  onTestFinished(() => scene.close())
  return scene
}

/** A token with a key id that nobody has published: it is refused for that before its signature is looked at. */
function withUnknownKey(scene: Scene): string {
  const signer = constantSigner(randomBytes(64))
  return rawJws({ alg: 'ES256', kid: randomUUID() }, scene.cluster.claimsFor(POD), signer)
}

function sendAll(scene: Scene, proofs: readonly string[]): Promise<readonly Reply[]> {
  return Promise.all(proofs.map((proof) => scene.broker.exchange(proof)))
}

/** Sends this many tokens with key ids of their own, all refused, and gives the number of requests that the cluster got. */
function flood(scene: Scene, count: number): Promise<number> {
  return scene.upstreamRequests(async () => {
    for (let sent = 0; sent < count; sent += 100) {
      const replies = await sendAll(
        scene,
        Array.from({ length: Math.min(100, count - sent) }, () => withUnknownKey(scene)),
      )
      for (const { status, text } of replies) expect({ status, text }).toEqual({ status: 400, text: REFUSED_BODY })
    }
  })
}

function genuineTokens(scene: Scene, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => scene.proof()))
}

test('JWK-01 fetches keys once for a thousand unknown key ids, and once more after each cool-down', async () => {
  const scene = await openOwnScene()
  expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))

  expectProofRefused(scene.broker, await scene.broker.exchange(withUnknownKey(scene)), 'key_unknown')
  expect(await flood(scene, 999)).toBe(0)
  scene.clock.advance(UNKNOWN_KEY_COOL_DOWN_SECONDS - 1)
  expect(await flood(scene, 5)).toBe(0)
  scene.clock.advance(1)
  expect(await flood(scene, 5)).toBe(REQUESTS_OF_A_FETCH)
  expect(await flood(scene, 5)).toBe(0)
  expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
})

test('JWK-01 counts the first fetch, and that of a set no longer fresh, as the one for unknown key ids', async () => {
  const scene = await openOwnScene()

  expect(await flood(scene, 1_000)).toBe(REQUESTS_OF_A_FETCH)
  scene.clock.advance(FRESH_SECONDS)
  expect(await flood(scene, 100)).toBe(REQUESTS_OF_A_FETCH)
})

test('JWK-01 learns a new key within one cool-down, whatever flood goes on', async () => {
  const scene = await openOwnScene()
  await flood(scene, 10)
  await scene.cluster.rotateKeys()

  expectProofRefused(scene.broker, await scene.broker.exchange(await scene.proof()), 'key_unknown')
  scene.clock.advance(UNKNOWN_KEY_COOL_DOWN_SECONDS)
  await flood(scene, 10)

  expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
})

test('JWK-01 asks a failing issuer no more often, and keeps believing the fresh set', async () => {
  const scene = await openOwnScene()
  await scene.broker.exchange(await scene.proof())
  scene.cluster.fail('*', 'down')

  expect(await flood(scene, 300)).toBe(1)
  expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  scene.clock.advance(UNKNOWN_KEY_COOL_DOWN_SECONDS)
  expect(await flood(scene, 300)).toBe(1)
})

test('JWK-01 asks nobody for keys that are written in the document', async () => {
  const document = (cluster: Scene['cluster']) => documentWithKeys(cluster.issuer, [cluster.key.jwk])
  const scene = await openOwnScene({ document })

  expect(await flood(scene, 10)).toBe(0)
  expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
})

test('JWK-02 fetches keys once for 500 tokens that come at the same time', async () => {
  const scene = await openOwnScene()
  const sendMany = async (): Promise<void> => {
    const replies = await sendAll(scene, await genuineTokens(scene, 500))
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]))
  }

  expect(await scene.upstreamRequests(sendMany)).toBe(REQUESTS_OF_A_FETCH)
  scene.clock.advance(FRESH_SECONDS)
  expect(await scene.upstreamRequests(sendMany)).toBe(REQUESTS_OF_A_FETCH)
})

test('JWK-02 fetches keys once when unknown key ids come among the genuine tokens', async () => {
  const scene = await openOwnScene()
  const genuine = await genuineTokens(scene, 50)
  const proofs = genuine.flatMap((proof) => [withUnknownKey(scene), proof, withUnknownKey(scene)])

  const replies: Reply[] = []
  const requests = await scene.upstreamRequests(async () => replies.push(...(await sendAll(scene, proofs))))

  expect(requests).toBe(REQUESTS_OF_A_FETCH)
  expect(replies.map(({ status }) => status)).toEqual(genuine.flatMap(() => [400, 200, 400]))
})

test('JWK-02 asks a failing issuer once for all who wait, and not again until it is due', async () => {
  const scene = await openOwnScene()
  scene.cluster.fail('*', { status: 500 })
  const sendMany = async (): Promise<void> => {
    const replies = await sendAll(scene, await genuineTokens(scene, 100))
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([503]))
  }

  expect(await scene.upstreamRequests(sendMany)).toBe(1)
  expect(await scene.upstreamRequests(sendMany)).toBe(0)
  scene.clock.advance(UNKNOWN_KEY_COOL_DOWN_SECONDS)
  expect(await scene.upstreamRequests(sendMany)).toBe(1)
})

test.each([
  ['a status', { status: 500, body: 'x' }, 'upstream_status'],
  ['a broken connection', 'down', 'upstream_unreachable'],
  ['something else', 'wrong', 'upstream_malformed'],
  ['no end', 'huge', 'upstream_too_large'],
] as const)(
  'JWK-03 believes a stale set for twelve hours while the issuer answers with %s',
  async (_, failure, reason) => {
    const scene = await openOwnScene()
    await scene.broker.exchange(await scene.proof())
    scene.cluster.fail(KEY_SET_PATH, failure)

    for (const seconds of [FRESH_SECONDS, 60, MAX_STALE_SECONDS - 61]) {
      scene.clock.advance(seconds)
      expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
    }
    scene.clock.advance(1)
    expectRefusal(scene.broker, await scene.broker.exchange(await scene.proof()), 'TU', reason)
    scene.cluster.recover()
    scene.clock.advance(UNKNOWN_KEY_COOL_DOWN_SECONDS)
    expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  },
)

test('JWK-03 stops believing a key that was withdrawn as soon as the set is fetched again', async () => {
  const scene = await openOwnScene()
  const proof = await scene.proof({ expirationSeconds: 2 * FRESH_SECONDS })
  await scene.broker.exchange(proof)
  await scene.cluster.rotateKeys({ dropOld: true })

  scene.clock.advance(FRESH_SECONDS)

  expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'key_unknown')
})

const CACHE_CONTROLS: readonly (readonly [string, number])[] = [
  ['max-age=0', MIN_FRESH_SECONDS],
  ['max-age=1', MIN_FRESH_SECONDS],
  ['no-store, max-age=00', MIN_FRESH_SECONDS],
  ['public,max-age=61', 61],
  ['max-age=31536000', MAX_FRESH_SECONDS],
  ['max-age=9999999999', MAX_FRESH_SECONDS],
  // What is not understood says nothing, and nothing said means five minutes.
  ['', 300],
  ['no-cache', 300],
  ['s-maxage=31536000', 300],
  ['x-max-age=31536000', 300],
  ['max-age', 300],
  ['max-age=', 300],
  ['max-age=-1', 300],
  ['max-age=1e9', 300],
  ['max-age="31536000"', 300],
  ['max-age=abc', 300],
  ['max-age=Infinity', 300],
  ['max-age=99999999999999999999999999', 300],
]

test('JWK-07 keeps keys for as long as their issuer says, but between a minute and a day', async () => {
  const scene = await openOwnScene()
  const fetches = (): Promise<number> =>
    scene.upstreamRequests(async () => {
      expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
    })

  for (const [cacheControl, seconds] of CACHE_CONTROLS) {
    const headers = { 'cache-control': cacheControl }
    scene.cluster.fail(KEY_SET_PATH, { status: 200, headers, body: scene.cluster.jwks })
    scene.clock.advance(MAX_FRESH_SECONDS)
    expect(await fetches(), cacheControl).toBe(REQUESTS_OF_A_FETCH)

    scene.clock.advance(seconds - 1)
    expect(await fetches(), `${cacheControl}: ${seconds - 1} s later`).toBe(0)
    scene.clock.advance(1)
    expect(await fetches(), `${cacheControl}: ${seconds} s later`).toBe(REQUESTS_OF_A_FETCH)
  }
})

function documentWithKeys(issuer: string, keys: readonly object[]): object {
  const cluster = { provider: 'kubernetes', issuers: [issuer], keys: { from: 'inline', jwks: { keys } } }
  return documentFor(issuer, { trusted_issuers: { cluster } })
}
