/** The one way out: what is sent, what is taken for an answer, and that every request comes to an end. */

import type { Socket } from 'node:net'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { ProviderEvent } from '../../providers/contract/provider.ts'
import { createHttpClient, type HttpClient, UPSTREAM_TIMEOUT_MS } from '../../providers/kit/http.ts'
import { type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { createTestEgress } from '../support/provider-ports.ts'
import { type RawUpstream, startRawUpstream } from '../support/raw-upstream.ts'
import { rejection } from '../support/rejection.ts'

const NOW = 1_768_478_400
const MAX_BYTES = 1_000
const SOON = { timeout: 3_000 }

function clientFor(host: string, events: ProviderEvent[] = []): HttpClient {
  const settings = { trustedIssuer: 'cluster', privateHosts: [], authorities: undefined }
  const egress = createTestEgress({ insecureHosts: [host] })
  return createHttpClient(settings, { egress, now: () => NOW, observe: (event) => void events.push(event) })
}

describe('a request', () => {
  let upstream: StandInServer
  beforeAll(async () => {
    upstream = await startStandInServer({ route: () => ({ status: 200, body: 'yes' }) })
  })
  afterAll(() => upstream.close())

  test('says who asks, wants JSON, takes no encoding, and brings nothing else', async () => {
    const answer = await clientFor(upstream.host).send({
      purpose: 'keys',
      url: `${upstream.origin}/a?b=c`,
      maxBytes: 3,
    })

    expect({ ...answer, headers: undefined, body: String(answer.body) }).toEqual({ status: 200, body: 'yes' })
    const { host, connection, ...headers } = upstream.requests.at(-1)?.headers ?? {}
    expect(upstream.requests.at(-1)).toMatchObject({ method: 'GET', path: '/a', body: '' })
    expect(headers).toEqual({ accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'chancery' })
    expect([host, connection]).toEqual([upstream.host, 'keep-alive'])
  })

  test('sends a body with its length in bytes, and the headers of whoever asks', async () => {
    const headers = { authorization: 'Bearer x', 'content-type': 'application/json' }
    const url = `${upstream.origin}/`
    await clientFor(upstream.host).send({ purpose: 'review', method: 'POST', url, headers, body: '"é"', maxBytes: 3 })

    expect(upstream.requests.at(-1)).toMatchObject({
      method: 'POST',
      body: '"é"',
      headers: { ...headers, 'content-length': '4' },
    })
    expect(upstream.requests.at(-1)?.headers['transfer-encoding']).toBeUndefined()
  })

  test('is refused before anything is sent where its URL may not be fetched', async () => {
    const before = upstream.requests.length
    const stranger = clientFor('127.0.0.1:1')

    for (const url of [upstream.origin, `${upstream.origin}/#x`, 'file:///etc/passwd', 'x', 'https://10.0.0.1/']) {
      const error = await rejection(stranger.send({ purpose: 'keys', url, maxBytes: 3 }))
      expect(error.code).toBe('upstream_address_refused')
    }
    expect(upstream.requests.length).toBe(before)
  })

  test('is an outage where a header cannot be sent, and says nothing of its value', async () => {
    const headers = { authorization: 'Bearer hunter2-hunter2\nx: y' }
    const request = { purpose: 'review', url: upstream.origin, headers, maxBytes: 3 }

    const error = await rejection(clientFor(upstream.host).send(request))

    expect(error.code).toBe('upstream_unreachable')
    expect(inspect(error, { depth: null })).not.toContain('hunter2')
  })

  test('is never sent again', async () => {
    upstream.fail('/down', 'down')
    const before = upstream.requests.length

    await rejection(clientFor(upstream.host).send({ purpose: 'keys', url: `${upstream.origin}/down`, maxBytes: 3 }))

    expect(upstream.requests.length).toBe(before + 1)
  })
})

describe('an answer', () => {
  let upstream: RawUpstream
  beforeAll(async () => {
    upstream = await startRawUpstream()
  })
  afterAll(() => upstream.close())

  /** Each on a connection of its own: the client of another test keeps none of its. */
  const send = (answer: string | ((socket: Socket) => void), signal?: AbortSignal) => {
    upstream.answerWith(answer)
    return clientFor(upstream.host).send({ purpose: 'keys', url: upstream.origin, maxBytes: MAX_BYTES }, signal)
  }
  const ofLength = (length: number): string =>
    `HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n${'x'.repeat(length)}`
  const ended = (text: string) => (socket: Socket) => void socket.end(text)

  test.each([200, 201, 204, 299, 400, 401, 404, 429, 500, 503])('with the status %d is given whole', async (status) => {
    const answer = await send(`HTTP/1.1 ${status} X\r\ncontent-length: 0\r\nx-y: z\r\n\r\n`)

    expect(answer).toMatchObject({ status, headers: { 'x-y': 'z' } })
    expect(answer.body).toHaveLength(0)
  })

  test.each([300, 301, 302, 303, 304, 307, 308, 399])(
    'with the status %d is a redirect, and not followed',
    async (status) => {
      const before = upstream.connections()
      const head = `HTTP/1.1 ${status} X\r\nlocation: ${upstream.origin}/elsewhere\r\ncontent-length: 0\r\n\r\n`

      expect((await rejection(send(head))).code).toBe('upstream_redirected')
      expect(upstream.connections()).toBe(before + 1)
    },
  )

  test.each(['gzip', 'deflate', 'br', 'zstd', 'identity, gzip', 'x', ''])(
    'in the encoding %j is refused',
    async (encoding) => {
      const head = `HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\ncontent-length: 1\r\n\r\nx`

      expect((await rejection(send(head))).code).toBe('upstream_encoded')
    },
  )

  test('in the encoding identity is taken', async () => {
    expect((await send('HTTP/1.1 200 OK\r\ncontent-encoding: identity\r\ncontent-length: 1\r\n\r\nx')).status).toBe(200)
  })

  test('is as large as it may be, and no larger', async () => {
    expect((await send(ofLength(MAX_BYTES))).body).toHaveLength(MAX_BYTES)
    expect((await rejection(send(ofLength(MAX_BYTES + 1)))).code).toBe('upstream_too_large')
  })

  test('that says it is too large is refused before it comes', SOON, async () => {
    const head = `HTTP/1.1 200 OK\r\ncontent-length: ${MAX_BYTES + 1}\r\n\r\n`

    expect((await rejection(send(head))).code).toBe('upstream_too_large')
  })

  test('that never says how large it is is cut off, and its connection closed', SOON, async () => {
    const closed = Promise.withResolvers<void>()
    const chunk = `3e8\r\n${'x'.repeat(1_000)}\r\n`

    const code = rejection(
      send((socket) => {
        socket.on('close', () => closed.resolve())
        socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunk}1\r\nx\r\n`)
      }),
    )

    expect((await code).code).toBe('upstream_too_large')
    await closed.promise
  })

  test.each([
    ['is none', ended('')],
    ['is no HTTP', ended('SSH-2.0-OpenSSH\r\n')],
    ['breaks off in its head', ended('HTTP/1.1 200 OK\r\ncontent-le')],
    ['breaks off in its body', ended('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx')],
    ['breaks off in a chunk', ended('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nx')],
    ['breaks off between chunks', ended('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n')],
    ['has two lengths', ended('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx')],
    [
      'has a length and chunks',
      ended('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'),
    ],
    ['has a negative length', ended('HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n')],
    ['has a head without end', ended(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`)],
  ])('is an outage where it %s', SOON, async (_, answer) => {
    expect((await rejection(send(answer))).code).toBe('upstream_unreachable')
  })

  test('that wants to speak another protocol is an outage', SOON, async () => {
    const error = await rejection(
      send('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'),
    )

    expect(error.code).toBe('upstream_malformed')
  })

  test.each([
    ['never comes', ''],
    ['stops in its head', 'HTTP/1.1 200 OK\r\nx: '],
    ['stops in its body', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx'],
    ['says again and again that it will come', 'HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n'],
  ])('that %s is waited for no longer than whoever asks wants to', SOON, async (_, text) => {
    const abort = new AbortController()
    const code = rejection(
      send((socket) => {
        socket.write(text)
        setImmediate(() => abort.abort())
      }, abort.signal),
    )

    expect((await code).code).toMatch(/^upstream_(timeout|unreachable)$/)
  })

  test('is waited for five seconds where nobody says otherwise, to its last byte', SOON, async () => {
    const clock = new AbortController()
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(clock.signal)
    const code = rejection(
      send((socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx')
        setImmediate(() => clock.abort())
      }, new AbortController().signal),
    )

    expect((await code).code).toBe('upstream_timeout')
    expect(timeout).toHaveBeenCalledWith(5_000)
    expect(UPSTREAM_TIMEOUT_MS).toBe(5_000)
  })
})

describe('what is told of a request', () => {
  let upstream: RawUpstream
  beforeAll(async () => {
    upstream = await startRawUpstream()
  })
  afterAll(() => upstream.close())

  async function observe(answer: string): Promise<readonly ProviderEvent[]> {
    const events: ProviderEvent[] = []
    upstream.answerWith(answer)
    const request = { purpose: 'keys', url: upstream.origin, maxBytes: 10 }
    await clientFor(upstream.host, events)
      .send(request)
      .catch(() => undefined)
    return events
  }

  test('is its purpose, its outcome, how long it took, and how far upstream’s clock is off', async () => {
    const date = new Date((NOW + 90) * 1_000).toUTCString()
    const events = await observe(`HTTP/1.1 404 X\r\ndate: ${date}\r\ncontent-length: 0\r\n\r\n`)

    expect(events).toEqual([
      {
        kind: 'upstream',
        trustedIssuer: 'cluster',
        purpose: 'keys',
        outcome: '4xx',
        seconds: expect.any(Number),
        clockOffsetSeconds: 90,
      },
    ])
  })

  test.each([
    ['200', 'HTTP/1.1 200 X\r\ncontent-length: 0\r\n\r\n', '2xx'],
    ['503', 'HTTP/1.1 503 X\r\ndate: tomorrow\r\ncontent-length: 0\r\n\r\n', '5xx'],
    ['a redirect', 'HTTP/1.1 302 X\r\ncontent-length: 0\r\n\r\n', 'upstream_redirected'],
    ['garbage', 'garbage\r\n\r\n', 'upstream_unreachable'],
    ['too much', `HTTP/1.1 200 X\r\ncontent-length: 11\r\n\r\n${'x'.repeat(11)}`, 'upstream_too_large'],
  ])('of %s is told once, without a clock that upstream did not show', async (_, answer, outcome) => {
    expect(await observe(answer)).toMatchObject([{ outcome, clockOffsetSeconds: undefined }])
  })
})
