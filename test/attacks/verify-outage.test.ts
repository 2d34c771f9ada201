/** An issuer whose keys cannot be had: never a reason to refuse a token, and for an hour at most a reason to believe what was known. */

import type { RequestListener } from 'node:http'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FETCH_TIMEOUT_MILLISECONDS, MAX_KEY_SET_BYTES, MAX_KEYS } from '../../src/verify/fetch-keys.ts'
import { BELIEVED_SECONDS, WAIT_SECONDS } from '../../src/verify/key-set.ts'
import type { Verifier } from '../../src/verify/verifier.ts'
import { answerWith, openVerifyBench, type VerifyBench } from '../support/verify-bench.ts'

let bench: VerifyBench
let verifier: Verifier

beforeEach(async () => {
  bench = await openVerifyBench()
  verifier = bench.verifier()
})
afterEach(() => bench.close())

const outcome = (token = bench.token()): Promise<string> => bench.outcome(token, verifier)
const unknown = (kid: string): string => bench.token({}, { kid })
const status = (code: number, headers = {}): RequestListener => {
  return (_, response) => void response.writeHead(code, headers).end('{}')
}

/** The right key, and more beside it than a key set may have. */
const withFillers: RequestListener = (request, response) =>
  answerWith({ keys: [bench.es256.jwk, ...Array.from({ length: MAX_KEYS }, () => ({}))] })(request, response)

const FAULTS: readonly (readonly [string, string, RequestListener])[] = [
  ['an error', 'status', status(500)],
  ['nothing there', 'status', status(404)],
  ['an empty success', 'status', status(204)],
  ['a redirect to other keys', 'redirected', status(302, { location: '/.well-known/jwks.json' })],
  ['a permanent redirect', 'redirected', status(308, { location: 'https://attacker.example/' })],
  ['a broken connection', 'unreachable', (request) => void request.socket.destroy()],
  [
    'a body that breaks off',
    'unreachable',
    (_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"keys":')
      setImmediate(() => response.destroy())
    },
  ],
  ['too much', 'too_large', answerWith({ keys: [], filler: 'x'.repeat(MAX_KEY_SET_BYTES) })],
  ['too many keys', 'malformed', withFillers],
  ['no JSON', 'malformed', answerWith('<html>')],
  ['no object', 'malformed', answerWith([])],
  ['no list', 'malformed', answerWith({ keys: {} })],
  ['keys named twice', 'malformed', answerWith('{"keys":[],"keys":[]}')],
  ['no keys', 'malformed', answerWith({ keys: [] })],
]

test.each(FAULTS)('JWK-03, JWK-06, JWK-15 %s is neither a refusal nor a key', async (_, fault, listener) => {
  bench.answer(listener)

  expect(await outcome()).toBe(fault)
  await expect(verifier.verify(bench.token())).rejects.toMatchObject({
    name: 'KeysUnavailable',
    retryAfterSeconds: 1,
  })
  expect(bench.fetches()).toBe(1)
})

test.each(FAULTS)('JWK-03 %s leaves the keys that there were', async (_, _fault, listener) => {
  await outcome()
  bench.answer(listener)
  bench.clock.advance(WAIT_SECONDS)

  expect(await outcome()).toBe('accepted')
  expect(bench.fetches()).toBe(2)
})

test('an endless answer is left after its bytes are too many', async () => {
  bench.answer((_, response) => {
    response.writeHead(200)
    const more = (): void => {
      if (!response.destroyed) response.write('x'.repeat(16_384), () => setImmediate(more))
    }
    more()
  })

  expect(await outcome()).toBe('too_large')
})

test('an answer that does not come is left after five seconds', async () => {
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
    const soon = new AbortController()
    setTimeout(() => soon.abort(), 20)
    return soon.signal
  })
  for (const listener of [(): void => undefined, half]) {
    bench.answer(listener)
    verifier = bench.verifier()
    expect(await outcome()).toBe('timeout')
  }
  expect(timeout).toHaveBeenCalledWith(FETCH_TIMEOUT_MILLISECONDS)
})

test('attempts come ever less often, up to half a minute apart', async () => {
  bench.answer(status(503))
  const attempts: number[] = []
  for (let second = 0; second < 150; second++) {
    const before = bench.fetches()
    await outcome()
    if (bench.fetches() > before) attempts.push(second)
    bench.clock.advance(1)
  }

  expect(attempts).toEqual([0, 1, 3, 7, 15, 31, 61, 91, 121])
  await expect(verifier.verify(bench.token())).rejects.toMatchObject({ code: 'status', retryAfterSeconds: 1 })
})

test('a clock that is set back prolongs no wait', async () => {
  bench.answer(status(503))
  for (let attempt = 0; attempt < 6; attempt++) {
    await outcome()
    bench.clock.advance(30)
  }
  await outcome()
  const before = bench.fetches()
  bench.clock.advance(-3_600)
  await outcome()

  expect(bench.fetches()).toBe(before + 1)
})

test('an unknown key id shortens no wait', async () => {
  await outcome()
  bench.answer(status(500))
  bench.clock.advance(WAIT_SECONDS)
  await outcome()

  expect(await outcome(unknown('new'))).toBe('status')
  expect(bench.fetches()).toBe(2)
})

test('JWK-03 keys are believed for an hour, and no longer', async () => {
  const long = bench.token({ iat: bench.clock.now() + 60, exp: bench.clock.now() + 3_660 })
  await outcome()
  bench.answer(status(500))
  bench.clock.advance(BELIEVED_SECONDS - 1)
  expect(await outcome(long)).toBe('accepted')
  bench.clock.advance(1)

  expect(await outcome(long)).toBe('status')
})

test('nobody waits for an issuer that is known to fail, and the first to come after it is back does', async () => {
  await outcome()
  bench.answer(status(500))
  bench.clock.advance(WAIT_SECONDS)
  await outcome()
  bench.clock.advance(10)
  const held: (() => void)[] = []
  bench.answer((request, response) => void held.push(() => answerWith({ keys: [bench.rs256.jwk] })(request, response)))

  expect(await outcome()).toBe('accepted')
  await vi.waitFor(() => expect(held).toHaveLength(1))
  bench.publish([bench.rs256.jwk])
  held[0]?.()
  await vi.waitFor(async () => expect(await outcome()).toBe('key_unknown'))
})

test('what failed long ago says nothing of now: a revoked key is refused', async () => {
  await outcome()
  bench.answer(status(500))
  bench.clock.advance(WAIT_SECONDS)
  await outcome()
  bench.publish([bench.rs256.jwk])
  bench.clock.advance(600)

  expect(await outcome()).toBe('key_unknown')
})

test('an unknown key id cannot be judged: the issuer may have made it since', async () => {
  await outcome()
  bench.clock.advance(1)
  bench.answer(status(500))

  expect(await outcome(unknown('new'))).toBe('status')
  expect(await outcome()).toBe('accepted')
})

function half(...[, response]: Parameters<RequestListener>): void {
  response.writeHead(200).write('{"keys":')
}
