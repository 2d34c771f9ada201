/** What is tried again and what is not, against a server that answers as it is told. */

import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type StandInAnswer, type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { createTokenSource, type TokenSource, type TokenSourceSettings } from '../../src/client/client.ts'
import { ACCESS_TOKEN_TYPE } from '../support/broker.ts'
import { sourceError } from '../support/client-scene.ts'

const PROOF = 'aGVhZGVy.cGF5bG9hZC1vZi1hLXByb29m.c2lnbmF0dXJl'
const TOKEN = 'a.token.that-is-good-for-fifteen-minutes'
const ISSUED = { access_token: TOKEN, issued_token_type: ACCESS_TOKEN_TYPE, token_type: 'Bearer', expires_in: 900 }
const UNAVAILABLE = { error: 'temporarily_unavailable', error_description: 'no token can be issued now: try again' }
const ID = '7b0e57bb-6b0e-4a3f-8f0e-2f5b8f0c1d2e'

/** What the next requests are answered with, one each; then with a token. */
let script: (StandInAnswer | 'broken')[] = []
let server: StandInServer
let waits: number[] = []
let now = 1_000

beforeAll(async () => {
  server = await startStandInServer({
    route() {
      const answer = script.shift() ?? { status: 200, body: ISSUED }
      if (answer === 'broken') throw new Error('the connection breaks off')
      return answer
    },
  })
})
afterAll(() => server.close())
beforeEach(() => {
  script = []
  waits = []
})

function source(settings: Partial<TokenSourceSettings> = {}): TokenSource {
  return createTokenSource({
    broker: server.origin,
    proof: { file: '/proof' },
    environment: {},
    readFile: async () => PROOF,
    now: () => now,
    elapsed: () => now,
    random: () => 1,
    async wait(seconds) {
      waits.push(seconds)
      now += seconds
    },
    ...settings,
  })
}

/** Counts the requests that something costs. */
async function requestsOf(act: () => Promise<unknown>): Promise<number> {
  const before = server.requests.length
  await act()
  return server.requests.length - before
}

const busy = (status: number, headers: Readonly<Record<string, string>> = {}): StandInAnswer => ({
  status,
  headers: { 'x-request-id': ID, ...headers },
  body: UNAVAILABLE,
})

describe('is tried again', () => {
  test.each([
    ['503', busy(503)],
    ['429', busy(429)],
    ['a connection that breaks off', 'broken' as const],
  ])('%s, three times at most, with a longer wait each time', async (_, answer) => {
    script = [answer, answer, answer]

    expect(await requestsOf(() => source().token())).toBe(4)
    expect(waits).toEqual([0.25, 0.5, 1])
  })

  test('after as little as half of that, by chance', async () => {
    script = [busy(503), busy(503)]

    await source({ random: () => 0 }).token()

    expect(waits).toEqual([0.125, 0.25])
  })

  test('no sooner than Retry-After says', async () => {
    script = [busy(503, { 'retry-after': '7' }), busy(429, { 'retry-after': '3' })]

    await source().token()

    expect(waits).toEqual([7.25, 3.5])
  })

  test('with a new proof each time', async () => {
    script = [busy(503), busy(503)]
    let count = 0
    await source({ readFile: async () => `${PROOF}${++count}` }).token()

    const sent = server.requests.slice(-3).map(({ body }) => new URLSearchParams(body).get('subject_token'))
    expect(sent).toEqual([`${PROOF}1`, `${PROOF}2`, `${PROOF}3`])
  })

  test('a broker that nobody listens for', async () => {
    const gone = await startStandInServer({ route: () => ({ status: 500 }) })
    await gone.close()

    const error = await sourceError(source({ broker: gone.origin }).token())

    expect(error).toMatchObject({ code: 'broker_unreachable', kind: 'later' })
    expect(error.message).toContain('ECONNREFUSED')
    expect(waits).toHaveLength(3)
  })
})

describe('is not tried again', () => {
  test.each([
    [400, { error: 'invalid_request', error_description: 'subject token refused' }, 'proof_refused'],
    [400, { error: 'invalid_request', error_description: 'a parameter is there more than once' }, 'request_refused'],
    [
      400,
      { error: 'invalid_target', error_description: 'this identity may not have a token for that target' },
      'target_refused',
    ],
    [
      400,
      { error: 'invalid_scope', error_description: 'this identity may not have that scope at that target' },
      'scope_refused',
    ],
    [500, { error: 'server_error', error_description: 'an unexpected error: report the request id' }, 'broker_failed'],
    [502, 'Bad Gateway', 'broker_failed'],
    [504, 'Gateway Timeout', 'broker_failed'],
    [400, 'Bad Request', 'broker_answer_invalid'],
    [401, { error: 'invalid_request' }, 'broker_answer_invalid'],
    [404, 'Not Found', 'broker_answer_invalid'],
    [302, '', 'broker_answer_invalid'],
  ])('%d with %o: %s', async (status, body, code) => {
    script = [{ status, headers: { 'x-request-id': ID, location: `${server.origin}/elsewhere` }, body }]
    const asked = source()

    expect(
      await requestsOf(async () => expect(await sourceError(asked.token())).toMatchObject({ code, requestId: ID })),
    ).toBe(1)
    expect(waits).toEqual([])
  })

  test('what would have to wait for longer than anybody does: it says when to come back', async () => {
    script = [busy(503, { 'retry-after': '60' })]
    const asked = source()

    const error = await sourceError(asked.token())
    expect(error).toMatchObject({ code: 'broker_unavailable', retryAfterSeconds: 60, requestId: ID, kind: 'later' })
    expect(waits).toEqual([])

    now += 59
    expect(await requestsOf(() => sourceError(asked.token()))).toBe(0)
    now += 2
    expect(await requestsOf(() => asked.token())).toBe(1)
  })

  test('for a minute at most, however late Retry-After says', async () => {
    script = [busy(503, { 'retry-after': '3600' })]
    const asked = source()
    await sourceError(asked.token())
    now += 61

    expect(await requestsOf(() => asked.token())).toBe(1)
  })

  test('and once a token came, what went wrong before it is forgotten', async () => {
    script = [busy(503, { 'retry-after': '60' }), { status: 200, body: { ...ISSUED, expires_in: 10 } }]
    const asked = source()
    await sourceError(asked.token())
    await asked.token({ fresh: true })
    now += 20

    expect(await requestsOf(() => asked.token())).toBe(1)
  })

  test('a broker that stays unavailable, after twenty seconds in all', async () => {
    script = Array.from({ length: 9 }, () => busy(503, { 'retry-after': '9' }))

    expect(await requestsOf(() => sourceError(source().token()))).toBe(3)
    expect(waits).toEqual([9.25, 9.5])
  })

  test('a refusal, for five seconds, however often the token is asked for', async () => {
    const refusal = { status: 400, body: { error: 'invalid_request', error_description: 'subject token refused' } }
    script = [refusal]
    const asked = source()

    const first = await sourceError(asked.token())
    now += 4
    expect(await sourceError(asked.token())).toBe(first)
    expect(await requestsOf(() => asked.token({ fresh: true }))).toBe(1)
    script = [refusal]
    await sourceError(asked.token({ fresh: true, audience: 'other' }))
    now += 6
    expect(await requestsOf(() => asked.token({ audience: 'other' }))).toBe(1)
  })
})

describe('an answer is not believed', () => {
  test.each([
    ['no object', '[]'],
    ['no JSON', '<html>'],
    [
      'two tokens',
      `{"access_token":"a","access_token":"b","issued_token_type":"${ACCESS_TOKEN_TYPE}","token_type":"Bearer","expires_in":9}`,
    ],
    ['no token', { ...ISSUED, access_token: '' }],
    ['a token with a line in it', { ...ISSUED, access_token: 'a\r\nx-evil: 1' }],
    ['another kind of token', { ...ISSUED, issued_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }],
    ['another way to use it', { ...ISSUED, token_type: 'DPoP' }],
    ['no life', { ...ISSUED, expires_in: undefined }],
    ['a life in text', { ...ISSUED, expires_in: '900' }],
    ['no time left', { ...ISSUED, expires_in: 0 }],
    ['more than a day', { ...ISSUED, expires_in: 86_401 }],
    ['a second and a half', { ...ISSUED, expires_in: 1.5 }],
    ['scopes in a list', { ...ISSUED, scope: ['a'] }],
    ['a scope for a terminal', { ...ISSUED, scope: 'read \u001b]0;owned\u0007' }],
    ['an error beside the token', { ...ISSUED, error: 'server_error' }],
  ])('with %s', async (_, body) => {
    script = [{ status: 200, body }]

    expect((await sourceError(source().token())).code).toBe('broker_answer_invalid')
  })

  test('that does not end', async () => {
    server.fail('/token', 'huge')
    const outcome = await sourceError(source().token()).finally(() => server.recover())

    expect(outcome.code).toBe('broker_answer_invalid')
  })

  test('and members that it does not know change nothing', async () => {
    script = [{ status: 200, body: { ...ISSUED, token_type: 'bearer', extra: 1 } }]

    expect(await source().token()).toMatchObject({ tokenType: 'Bearer', expiresAt: now + 900 })
  })
})

describe('an error', () => {
  test('tells the request id and what to do, and repeats no text that is not the broker’s own', async () => {
    const echo = { error: 'invalid_request', error_description: `cannot read ${PROOF}` }
    script = [{ status: 400, headers: { 'x-request-id': ID }, body: echo }]

    const error = await sourceError(source().token())

    expect(error.message).toContain(`(request id ${ID})`)
    expect(inspect(error, { depth: null, showHidden: true })).not.toContain(PROOF.slice(0, 20))
  })

  test('leaves out a request id that could be anything', async () => {
    script = [{ status: 500, headers: { 'x-request-id': 'x"; rm -rf /' }, body: '' }]

    expect(await sourceError(source().token())).not.toHaveProperty('requestId')
  })

  test('of a refused proof says what the platform team has to run', async () => {
    script = [
      {
        status: 400,
        headers: { 'x-request-id': ID },
        body: { error: 'invalid_request', error_description: 'subject token refused' },
      },
    ]

    expect((await sourceError(source().token())).message).toBe(
      `the broker refuses: subject token refused (request id ${ID}): ask your platform team to run chancery explain --federation PATH --audit FILE --request-id ${ID}`,
    )
  })
})

describe('a source is not made', () => {
  test.each([
    ['without https', { broker: 'http://broker.example' }],
    ['with a final slash', { broker: 'https://broker.example/' }],
    ['with a query', { broker: 'https://broker.example?a=b' }],
    ['with credentials', { broker: 'https://a:b@broker.example' }],
    ['without a URL', { broker: 'broker.example' }],
    ['for no audience', { audience: '' }],
    ['for an audience that no service has', { audience: 'a'.repeat(2_049) }],
    ['with a scope that cannot be one', { scope: ['a"b'] }],
    [
      'for an audience of ours without a name',
      { broker: 'https://b.example', audience: 'https://b.example/audiences/' },
    ],
    ['with a platform that nobody knows', { environment: { CHANCERY_PROVIDER: 'oracle' } }],
  ])('%s', async (_, settings) => {
    const made = (async () => source(settings))()

    expect((await sourceError(made)).code).toBe('settings_invalid')
  })
})
