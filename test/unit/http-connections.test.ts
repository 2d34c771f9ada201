/** The connections of the one way out: used again, few, and closed as soon as an answer is not what it should be. */

import { getEventListeners } from 'node:events'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createHttpClient, type HttpClient } from '../../providers/kit/http.ts'
import { createTestEgress } from '../support/provider-ports.ts'
import { type RawUpstream, startRawUpstream } from '../support/raw-upstream.ts'
import { rejection } from '../support/rejection.ts'

const SOON = { timeout: 3_000 }

function clientFor(host: string): HttpClient {
  const settings = { trustedIssuer: 'cluster', privateHosts: [], authorities: undefined }
  const egress = createTestEgress({ insecureHosts: [host] })
  return createHttpClient(settings, { egress, now: () => 0, observe: () => undefined })
}

describe('connections', () => {
  let upstream: RawUpstream
  beforeAll(async () => {
    upstream = await startRawUpstream()
  })
  afterAll(() => upstream.close())

  const ask = (client: HttpClient) => client.send({ purpose: 'keys', url: upstream.origin, maxBytes: 1_000 })

  test('are used again, and are sixteen at most', async () => {
    const client = clientFor(upstream.host)
    upstream.answerWith('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
    await ask(client)
    await ask(client)
    expect(upstream.connections()).toBe(1)

    await Promise.all(Array.from({ length: 60 }, () => ask(client)))

    expect(upstream.connections()).toBe(16)
  })

  test.each([
    ['a redirect', 'HTTP/1.1 302 Found\r\ncontent-length: 10\r\n\r\n'],
    ['an encoded answer', 'HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 10\r\n\r\n'],
    ['an answer that changes the protocol', 'HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'],
    ['an answer that says it is too large', 'HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n'],
  ])('are closed after %s, whose rest nobody reads', SOON, async (_, head) => {
    const closed = Promise.withResolvers<void>()
    upstream.answerWith((socket) => {
      socket.on('close', () => closed.resolve())
      socket.write(head)
    })

    await rejection(ask(clientFor(upstream.host)))

    await closed.promise
  })

  test('listen to the clock no longer than their request lasts', SOON, async () => {
    const { signal } = new AbortController()
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(signal)
    upstream.answerWith('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')

    await ask(clientFor(upstream.host))

    await vi.waitUntil(() => getEventListeners(signal, 'abort').length === 0)
  })
})
