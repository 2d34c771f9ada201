/** How many targets are kept, and which go. */

import { expect, test } from 'vitest'
import { createTokenCache } from '../../src/client/token-cache.ts'
import { ACCESS_TOKEN_TYPE } from '../support/broker.ts'

/** Opens a cache that tells what was exchanged for. */
function openCache() {
  const exchanged: string[] = []
  const cache = createTokenCache(
    async ({ audience = '' }) => {
      exchanged.push(audience)
      return {
        ...{ accessToken: audience, issuedTokenType: ACCESS_TOKEN_TYPE, lifeSeconds: 900, scope: undefined },
        ...{ expiresAt: 1_900, endsAtElapsed: 1_900 },
      }
    },
    { now: () => 1_000, elapsed: () => 1_000, random: () => 0 },
  )
  const get = (audience: string) => cache.at({ audience, scope: undefined }).get(false, undefined)
  return { cache, get, exchanged }
}

test('256 targets are kept, and of one more the one that was asked for longest ago goes', async () => {
  const { get, exchanged } = openCache()
  for (let index = 0; index < 256; index++) await get(`service-${index}`)
  await get('service-0')
  expect(exchanged).toHaveLength(256)

  await get('one-more')
  await get('service-0')
  expect(exchanged).toHaveLength(257)
  await get('service-1')
  expect(exchanged).toHaveLength(258)
})

test('a closed cache exchanges nothing', () => {
  const { cache, get, exchanged } = openCache()
  cache.close()

  expect(() => get('service')).toThrow('this token source is closed')
  expect(exchanged).toEqual([])
})
