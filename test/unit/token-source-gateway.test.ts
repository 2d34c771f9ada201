/** What lies between a workload and its broker answers in words of its own, and plain JavaScript passes whatever it has. */

import { expect, test } from 'vitest'
import { createTokenSource, type TokenRequest } from '../../src/client/client.ts'
import { sourceError } from '../support/client-scene.ts'

const NOW = Date.parse('Tue, 24 Nov 2026 12:00:00 GMT') / 1_000

function sourceBehind(retryAfter: string) {
  const waits: number[] = []
  const source = createTokenSource({
    broker: 'https://broker.example',
    proof: { file: '/pod/token' },
    environment: {},
    now: () => NOW,
    elapsed: () => NOW,
    random: () => 1,
    readFile: async () => 'x.y.z',
    fetch: async () => new Response('busy', { status: 503, headers: { 'retry-after': retryAfter } }),
    wait: async (seconds) => void waits.push(seconds),
  })
  return { source, waits }
}

test.each([
  ['Tue, 24 Nov 2026 12:00:05 GMT', 5],
  ['Tue, 24 Nov 2026 11:00:00 GMT', 0],
  ['5', 5],
])('a Retry-After of %s is %i seconds from now', async (retryAfter, seconds) => {
  const { source, waits } = sourceBehind(retryAfter)

  expect((await sourceError(source.token())).retryAfterSeconds).toBe(seconds)
  expect(waits).toEqual([seconds + 0.25, seconds + 0.5, seconds + 1])
})

test.each(['soon', '-1', '1.5', '2026-11-24', 'never GMT'])('a Retry-After of %s says nothing', async (retryAfter) => {
  const { source } = sourceBehind(retryAfter)

  expect((await sourceError(source.token())).retryAfterSeconds).toBeUndefined()
})

test.each(['{"audience":5}', '{"audience":["ledger"]}', '{"scope":5}', '{"scope":[5]}', '{"scope":{}}'])(
  'a request of the wrong type is told of as every wrong setting: %s',
  async (text) => {
    const { source } = sourceBehind('1')

    expect((await sourceError(source.token(JSON.parse(text) as TokenRequest))).code).toBe('settings_invalid')
  },
)

test.each([
  ['HTTPS://broker.example', 'https://broker.example'],
  ['https://Broker.example', 'https://broker.example'],
  ['https://broker.example:443', 'https://broker.example'],
  ['https://broker.example\n', 'https://broker.example'],
  [' https://broker.example/a/../b', 'https://broker.example/b'],
  ['http://127.1:8080', 'http://127.0.0.1:8080'],
])('a broker that is written %j is to be written %s, as proofs are made for it to the byte', (broker, normal) => {
  expect(() => createTokenSource({ broker })).toThrow(`write ${normal}: `)
})
