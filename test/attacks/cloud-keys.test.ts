/** The keys of Google and Entra under attack and in change: a flood stops no good token, and a rotation is followed. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AllClouds, openAllClouds } from '../support/all-clouds.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { BROKER } from '../support/document.ts'
import { APP_URI } from '../support/entra-tokens.ts'
import { repeat, sendUnwatched } from '../support/flood.ts'

const COOL_DOWN_SECONDS = 30

let clouds: AllClouds
beforeEach(async () => {
  clouds = await openAllClouds()
})
afterEach(() => clouds.close())

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Makes a token of the right form, which nobody signed. */
function unsigned(claims: object, keyId: string): string {
  const header = { alg: 'RS256', kid: keyId, typ: 'JWT' }
  return `${encode(header)}.${encode(claims)}.${Buffer.alloc(256, 1).toString('base64url')}`
}

const googleToken = (): Promise<string> => clouds.google.requestToken({ audience: BROKER })

/** A token of the managed identity, of version 1 unless it is for the other application. */
const entraToken = (resource = APP_URI): Promise<string> =>
  clouds.azure.requestToken({ resource, clientId: clouds.identity.clientId })

const inGooglesName = (keyId: string): string => unsigned(clouds.google.claimsFor({ audience: BROKER }), keyId)
const inEntrasName = (keyId: string): string => unsigned(clouds.azure.claimsFor({ resource: APP_URI }), keyId)

async function expectGood(proof: string): Promise<void> {
  expectIssued(clouds.broker, await clouds.broker.exchange(proof))
}

const FLOODS = [
  { of: 'Google', bad: inGooglesName, good: googleToken, cloud: () => clouds.google, other: entraToken },
  { of: 'Entra', bad: inEntrasName, good: entraToken, cloud: () => clouds.azure, other: googleToken },
]

describe('a flood of unknown keys', () => {
  test.each(FLOODS)('JWK-01 costs $of two looks, and a good token nothing', async ({ bad, good, cloud, other }) => {
    const wrong = new Set<number>()
    const right: number[] = []

    await repeat(1_000, async (index) => {
      if (index % 50 === 0) {
        right.push(await sendUnwatched(clouds.broker, await good()))
        right.push(await sendUnwatched(clouds.broker, await other()))
      }
      wrong.add(await sendUnwatched(clouds.broker, bad(`key-${index}`)))
    })

    expect([...wrong]).toEqual([400])
    expect([right.length, new Set(right)]).toEqual([40, new Set([200])])
    // Once for the first token of all, and once more for a key that the first set did not hold.
    expect(cloud().requests.length).toBeLessThanOrEqual(2)
  })

  test.each(FLOODS)(
    'JWK-01 costs $of one look every half minute, and keeps out no new key',
    async ({ bad, good, cloud }) => {
      const flood = () => repeat(60, (index) => sendUnwatched(clouds.broker, bad(`key-${index}`)))
      await flood()
      await cloud().rotateKeys()
      const rotated = await good()

      const before = cloud().requests.length
      for (let round = 0; round < 5; round++) {
        clouds.clock.advance(COOL_DOWN_SECONDS)
        await flood()
      }

      expect(cloud().requests.length - before).toBeLessThanOrEqual(5)
      await expectGood(rotated)
    },
  )

  test.each(FLOODS)('OPS-10 of $of stops nobody while its keys cannot be had', async ({ bad, good, cloud, other }) => {
    await expectGood(await good())
    cloud().fail('*', 'down')
    clouds.clock.advance(COOL_DOWN_SECONDS)

    await repeat(200, (index) => sendUnwatched(clouds.broker, bad(`key-${index}`)))

    expect(cloud().requests.length).toBeLessThanOrEqual(2)
    await expectGood(await good())
    await expectGood(await other())
  })
})

describe('a rotation', () => {
  test('JWK-01 of Google’s keys is followed, and the old one is good for as long as it is published', async () => {
    const before = await googleToken()
    await expectGood(before)

    await clouds.google.rotateKeys()
    const after = await googleToken()
    await expectGood(after)
    await expectGood(before)
    expect(clouds.google.requests).toHaveLength(2)

    clouds.clock.advance(COOL_DOWN_SECONDS)
    await clouds.google.rotateKeys({ dropOld: true })
    await expectGood(await googleToken())
    for (const old of [before, after])
      expectProofRefused(clouds.broker, await clouds.broker.exchange(old), 'key_unknown')
  })

  test('JWK-01 of Entra’s keys is followed for both versions, and the old one is good for as long as it is published', async () => {
    for (const resource of clouds.proofAudiences) {
      const before = await entraToken(resource)
      await expectGood(before)

      await clouds.azure.rotateKeys()
      const after = await entraToken(resource)
      await expectGood(after)
      await expectGood(before)

      clouds.clock.advance(COOL_DOWN_SECONDS)
      await clouds.azure.rotateKeys({ dropOld: true })
      await expectGood(await entraToken(resource))
      for (const old of [before, after])
        expectProofRefused(clouds.broker, await clouds.broker.exchange(old), 'key_unknown')
    }
  })

  const FRESH = [
    { of: 'Google', good: googleToken, cloud: () => clouds.google, freshSeconds: 19_000 },
    { of: 'Entra', good: entraToken, cloud: () => clouds.azure, freshSeconds: 86_400 },
  ]

  test.each(FRESH)(
    'JWK-03 a key that $of withdrew is believed while its set is fresh, and not for a second more',
    async ({ good, cloud, freshSeconds }) => {
      await expectGood(await good())
      clouds.clock.advance(freshSeconds - 1_001)
      const proof = await good()
      await cloud().rotateKeys({ dropOld: true })

      clouds.clock.advance(1_000)
      await expectGood(proof)
      clouds.clock.advance(1)
      expectProofRefused(clouds.broker, await clouds.broker.exchange(proof), 'key_unknown')
    },
  )
})
