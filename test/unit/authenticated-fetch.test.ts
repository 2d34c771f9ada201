/** `fetch` with a token: whom it is sent to, and what happens where the service refuses it. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type StandInAnswer, type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import type { TokenSource } from '../../src/client/client.ts'
import { type ClientScene, openClientScene, sourceError } from '../support/client-scene.ts'

let scene: ClientScene
let service: StandInServer
let other: StandInServer
let tokens: TokenSource
/** What the service answers next, one each; then 200. */
let script: (StandInAnswer | Promise<StandInAnswer>)[] = []

const REFUSED: StandInAnswer = {
  status: 401,
  headers: { 'www-authenticate': 'Bearer realm="ledger", error="invalid_token", error_description="expired"' },
  body: 'refused',
}

beforeAll(async () => {
  scene = await openClientScene()
  service = await startStandInServer({ route: ({ body }) => script.shift() ?? { status: 200, body: `ok ${body}` } })
  other = await startStandInServer({ route: () => REFUSED })
})
afterAll(async () => {
  await scene.close()
  await service.close()
  await other.close()
})
beforeEach(() => {
  script = []
  tokens = scene.source()
})

/** The requests that something costs the service. */
async function requestsOf(act: () => Promise<unknown>) {
  const before = service.requests.length
  await act()
  return service.requests.slice(before)
}
const post = (init: RequestInit) => tokens.fetch(service.origin, { method: 'POST', ...init })
const bearer = async (): Promise<string> => `Bearer ${(await tokens.token()).accessToken}`

test('sends the token beside whatever the caller sends, in place of another authorization', async () => {
  const init = { method: 'PUT', headers: { authorization: 'Basic YTpi', 'x-a': '1' }, body: 'entry' }
  const [request] = await requestsOf(() => tokens.fetch(`${service.origin}/entries?a=b`, init))

  expect(request).toMatchObject({ method: 'PUT', target: '/entries?a=b', body: 'entry' })
  expect(request?.headers).toMatchObject({ authorization: await bearer(), 'x-a': '1' })
})

test('takes a URL and a Request as fetch does', async () => {
  const made = new Request(`${service.origin}/two`, { method: 'POST', headers: { 'x-a': '2' }, body: 'entry' })
  const requests = await requestsOf(async () => {
    await tokens.fetch(new URL(`${service.origin}/one`))
    await tokens.fetch(made)
  })

  expect(requests.map(({ path, body }) => [path, body])).toEqual([
    ['/one', ''],
    ['/two', 'entry'],
  ])
  expect(requests[1]?.headers).toMatchObject({ authorization: await bearer(), 'x-a': '2' })
})

test('asks for the audience of the request', async () => {
  const error = await sourceError(tokens.fetch(service.origin, {}, { audience: 'https://orders.example' }))

  expect(error.code).toBe('target_refused')
})

test('asks for no token where the caller has already given up', async () => {
  const before = scene.exchanges()
  const signal = AbortSignal.abort(new Error('enough'))

  await expect(tokens.fetch(service.origin, { signal })).rejects.toThrow('enough')
  await expect(tokens.fetch(new Request(service.origin, { signal }))).rejects.toThrow('enough')
  expect(scene.exchanges()).toBe(before)
})

test.each([
  'http://service.example/',
  'ftp://127.0.0.1/',
  'http://127.0.0.1.example/',
  'http://localhost.example/',
  'http://127.0.0.2/',
])('sends nothing to %s, which others could read', async (url) => {
  const before = scene.exchanges()

  expect((await sourceError(tokens.fetch(url))).code).toBe('destination_insecure')
  expect(scene.exchanges()).toBe(before)
})

describe('where the service refuses the token', () => {
  test('fetches once more with another one, and everybody uses that', async () => {
    const first = await bearer()
    script = [REFUSED]

    const requests = await requestsOf(async () => {
      const response = await tokens.fetch(service.origin, { method: 'POST', body: 'entry' })
      expect(await response.text()).toBe('ok entry')
    })

    expect(requests.map(({ headers }) => headers.authorization)).toEqual([first, await bearer()])
    expect(await bearer()).not.toBe(first)
  })

  test('replaces it once for all that were refused with it', async () => {
    await tokens.token()
    script = Array(8).fill(REFUSED)
    const before = scene.exchanges()

    const responses = await Promise.all(Array.from({ length: 8 }, () => tokens.fetch(service.origin)))

    expect(responses.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(scene.exchanges() - before).toBe(1)
  })

  test('uses the one that another fetch has got meanwhile', async () => {
    const held = Promise.withResolvers<StandInAnswer>()
    script = [held.promise, REFUSED]
    const before = { exchanges: scene.exchanges(), requests: service.requests.length }
    const first = tokens.fetch(service.origin)
    await expect.poll(() => service.requests.length).toBe(before.requests + 1)
    await tokens.fetch(service.origin)
    held.resolve(REFUSED)

    expect((await first).status).toBe(200)
    expect(scene.exchanges() - before.exchanges).toBe(2)
  })

  test('gives back the second refusal, and leaves the broker alone for ten seconds', async () => {
    script = Array(4).fill(REFUSED)
    const responses = [await tokens.fetch(service.origin), await tokens.fetch(service.origin)]
    expect(responses.map(({ status }) => status)).toEqual([401, 401])
    expect(await responses[0]?.text()).toBe('refused')
    expect(script).toHaveLength(1)

    scene.clock.advance(10)
    script = [REFUSED]
    expect((await tokens.fetch(service.origin)).status).toBe(200)
  })

  test.each([
    ['a form', () => new URLSearchParams({ a: 'b' }), 'ok a=b'],
    ['bytes', () => new TextEncoder().encode('entry'), 'ok entry'],
    ['a buffer', () => new TextEncoder().encode('entry').buffer, 'ok entry'],
    ['a blob', () => new Blob(['entry']), 'ok entry'],
  ])('sends %s again', async (_, body, expected) => {
    script = [REFUSED]

    expect(await (await post({ body: body() })).text()).toBe(expected)
  })

  test.each([
    ['a stream', () => post({ body: new Blob(['entry']).stream(), duplex: 'half' })],
    ['the body of a Request', () => tokens.fetch(new Request(service.origin, { method: 'POST', body: 'entry' }))],
  ])('sends %s once, and the next fetch has another token', async (_, send) => {
    const first = await bearer()
    script = [REFUSED]

    const requests = await requestsOf(async () => {
      const response = await send()
      expect([response.status, await response.text()]).toEqual([401, 'refused'])
    })

    expect(requests.map(({ body }) => body)).toEqual(['entry'])
    expect(await bearer()).not.toBe(first)
  })

  test.each([
    ['says so of the scope', 403, 'Bearer error="insufficient_scope"'],
    ['wants another scheme', 401, 'DPoP error="invalid_token"'],
    ['answers with another status', 400, 'Bearer error="invalid_token"'],
    ['does not say why', 401, 'Bearer realm="ledger"'],
    ['complains of the request', 401, 'Bearer error="invalid_request"'],
  ])('keeps it where the service %s', async (_, status, challenge) => {
    const first = await bearer()
    script = [{ status, headers: { 'www-authenticate': challenge } }]

    const requests = await requestsOf(() => tokens.fetch(service.origin))

    expect(requests).toHaveLength(1)
    expect(await bearer()).toBe(first)
  })
})

describe('a redirect to another origin', () => {
  test('is followed without the token, whose refusal there means nothing', async () => {
    const first = await bearer()
    script = [{ status: 302, headers: { location: `${other.origin}/elsewhere` } }]

    const response = await tokens.fetch(service.origin)

    expect(response.status).toBe(401)
    expect(other.requests.at(-1)).toMatchObject({ path: '/elsewhere' })
    expect(other.requests.at(-1)?.headers).not.toHaveProperty('authorization')
    expect(await bearer()).toBe(first)
  })

  test('is not followed where the caller says so', async () => {
    script = [{ status: 302, headers: { location: other.origin } }]

    expect((await tokens.fetch(service.origin, { redirect: 'manual' })).status).toBe(302)
  })
})
