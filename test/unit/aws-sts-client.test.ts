/** What is asked of STS, and what is remembered of its answers. */

import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { endpointsOf } from '../../providers/aws/endpoints.ts'
import { rebuild, type SignedRequest } from '../../providers/aws/signed-request.ts'
import type { StandInAnswer } from '../../providers/kit/stand-in-server.ts'
import { signedRequest } from '../support/aws-parts.ts'
import { BROKER } from '../support/document.ts'
import { rejection } from '../support/rejection.ts'
import { GENUINE, numberedRequest, openStsBench, REFUSED, THROTTLED } from '../support/sts-bench.ts'

const REMEMBERED_SECONDS = 900
const MAX_REMEMBERED = 10_000

describe('asks', () => {
  test('once, with what was rebuilt and nothing else of the caller’s, by the name of the real host', async () => {
    const { ask, server } = await openStsBench()
    const request = signedRequest({ headers: { cookie: 'a=b', 'user-agent': 'x' }, unsigned: ['cookie', 'user-agent'] })

    expect(await ask(request)).toEqual({
      account: '123456789012',
      arn: 'arn:aws:sts::123456789012:assumed-role/payments-api/session',
      userId: 'AROAQ3EGTESTEXAMPLE77:session',
    })
    const { path, headers, body } = rebuild(request)
    expect(server.requests).toHaveLength(1)
    expect(server.requests[0]).toMatchObject({ method: 'POST', target: path, body })
    expect(server.requests[0]?.headers).toEqual({
      ...headers,
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'chancery',
      'content-length': '43',
      connection: 'keep-alive',
    })
  })

  test('for Google’s shape with the action in the query', async () => {
    const { ask, server } = await openStsBench()
    await ask(signedRequest({ shape: 'google', audience: `${BROKER}/audiences/ledger` }))

    expect(server.requests[0]).toMatchObject({ target: '/?Action=GetCallerIdentity&Version=2011-06-15', body: '' })
    expect(server.requests[0]?.headers['content-type']).toBeUndefined()
  })

  test('and counts the call under the partition and the host', async () => {
    const { ask, ports } = await openStsBench()
    await ask(signedRequest({ host: 'sts.eu-west-1.amazonaws.com' }))

    expect(ports.events).toEqual([
      expect.objectContaining({
        kind: 'upstream',
        trustedIssuer: 'aws',
        purpose: 'sts sts.eu-west-1.amazonaws.com',
        outcome: '2xx',
      }),
    ])
  })

  test.each<[string, StandInAnswer, string]>([
    ['is out of order', { status: 500 }, 'upstream_status'],
    ['says to come slower', THROTTLED, 'upstream_status'],
    ['says no', REFUSED, 'signature_invalid'],
    ['sends elsewhere', { status: 307, headers: { location: 'http://127.0.0.1:9/' } }, 'upstream_redirected'],
    ['says nothing that can be read', { status: 200, body: {} }, 'upstream_malformed'],
    ['says too much', { status: 200, body: ' '.repeat(16_385) }, 'upstream_too_large'],
  ])('no second time where STS %s', async (_, answer, code) => {
    const bench = await openStsBench()
    bench.answer = () => answer

    expect((await rejection(bench.ask(signedRequest()))).code).toBe(code)
    expect(bench.asked()).toBe(1)
  })

  test('again for each proof that was genuine: that it is spent is not for the client to say', async () => {
    const { ask, asked } = await openStsBench()
    await ask(signedRequest())
    await ask(signedRequest())

    expect(asked()).toBe(2)
  })
})

describe('a refusal', () => {
  test('is remembered for fifteen minutes, and not a second longer', async () => {
    const bench = await openStsBench()
    bench.answer = () => REFUSED
    const first = await rejection(bench.ask(signedRequest()))
    bench.clock.advance(REMEMBERED_SECONDS - 1)

    expect(await rejection(bench.ask(signedRequest()))).toBe(first)
    expect(bench.asked()).toBe(1)
    bench.clock.advance(1)
    bench.answer = () => GENUINE
    expect(await bench.ask(signedRequest())).toMatchObject({ account: '123456789012' })
    expect(bench.asked()).toBe(2)
  })

  test.each<[string, StandInAnswer]>([
    ['an outage', { status: 503 }],
    ['being told to come slower', THROTTLED],
    ['an answer that makes no sense', { status: 200, body: {} }],
  ])('is not: %s', async (_, answer) => {
    const bench = await openStsBench()
    bench.answer = () => answer
    await rejection(bench.ask(signedRequest()))
    bench.answer = () => GENUINE

    expect(await bench.ask(signedRequest())).toMatchObject({ account: '123456789012' })
  })

  test('of a spoiled copy is never one of the good request', async () => {
    const bench = await openStsBench()
    const good = signedRequest()
    const [other] = endpointsOf('aws').filter(({ host }) => host === 'sts.eu-west-1.amazonaws.com')
    const spoiled: readonly SignedRequest[] = [
      { ...good, shape: 'google' },
      { ...good, endpoint: other ?? good.endpoint },
      { ...good, endpoint: { ...good.endpoint, host: 'sts.us-east-1.api.aws' } },
      { ...good, accessKeyId: 'ASIAIOSFODNN7EXAMPLF' },
      { ...good, date: '20260115T120001Z' },
      { ...good, sessionToken: undefined },
      { ...good, sessionToken: `${good.sessionToken}=` },
      { ...good, audience: `${good.audience}/` },
      { ...good, audienceHeader: 'x-goog-cloud-target-resource' },
      { ...good, signedHeaders: good.signedHeaders.filter((name) => name !== 'content-type') },
      { ...good, signature: '0'.repeat(64) },
    ]
    bench.answer = () => REFUSED
    for (const request of spoiled) await rejection(bench.ask(request))
    expect(bench.asked()).toBe(spoiled.length)

    bench.answer = () => GENUINE
    expect(await bench.ask(good)).toMatchObject({ account: '123456789012' })
  })

  test('is told at once, however many wait', async () => {
    const bench = await openStsBench()
    bench.answer = () => REFUSED
    await rejection(bench.ask(signedRequest()))
    const gate = Promise.withResolvers<StandInAnswer>()
    bench.answer = () => gate.promise
    const others = Array.from({ length: 64 }, (_, index) => bench.ask(numberedRequest(index)))
    const again = await rejection(bench.ask(signedRequest()))
    gate.resolve(GENUINE)
    await Promise.all(others)

    expect(again.code).toBe('signature_invalid')
    expect(bench.asked()).toBe(65)
  })

  test('is found by those who waited while it was made', async () => {
    const bench = await openStsBench()
    const busy = Promise.withResolvers<StandInAnswer>()
    const first = Promise.withResolvers<StandInAnswer>()
    const { signature } = signedRequest()
    bench.answer = ({ headers }) => (headers.authorization?.endsWith(signature) === true ? first : busy).promise
    const others = Array.from({ length: 63 }, (_, index) => bench.ask(numberedRequest(index)))
    const twice = [rejection(bench.ask(signedRequest())), rejection(bench.ask(signedRequest()))]
    await expect.poll(bench.asked).toBe(64)
    first.resolve(REFUSED)

    expect((await Promise.all(twice)).map(({ code }) => code)).toEqual(['signature_invalid', 'signature_invalid'])
    busy.resolve(GENUINE)
    await Promise.all(others)
    expect(bench.asked()).toBe(64)
  })

  test('is forgotten for newer ones, so that they are never more than ten thousand', async () => {
    const bench = await openStsBench()
    bench.answer = () => REFUSED
    const askAll = async (from: number, to: number): Promise<void> => {
      for (let at = from; at < to; at += 256) {
        const batch = Array.from({ length: Math.min(256, to - at) }, (_, index) => numberedRequest(at + index))
        await Promise.all(batch.map((request) => rejection(bench.ask(request))))
      }
    }
    await askAll(0, MAX_REMEMBERED)
    await askAll(0, 1)
    expect(bench.asked()).toBe(MAX_REMEMBERED)

    await askAll(MAX_REMEMBERED, MAX_REMEMBERED + 1)
    await askAll(1, 2)
    expect(bench.asked()).toBe(MAX_REMEMBERED + 1)
    await askAll(0, 1)
    expect(bench.asked()).toBe(MAX_REMEMBERED + 2)
  })

  test('that is over makes room before one that is not', async () => {
    const bench = await openStsBench()
    bench.answer = () => REFUSED
    await rejection(bench.ask(numberedRequest(1)))
    bench.clock.advance(REMEMBERED_SECONDS)
    await rejection(bench.ask(numberedRequest(2)))
    await rejection(bench.ask(numberedRequest(3)))
    expect(bench.asked()).toBe(3)

    await rejection(bench.ask(numberedRequest(2)))
    expect(bench.asked()).toBe(3)
    await rejection(bench.ask(numberedRequest(1)))
    expect(bench.asked()).toBe(4)
  })

  test('holds nothing of the request', async () => {
    const bench = await openStsBench()
    bench.answer = () => REFUSED
    const request = signedRequest()
    const text = inspect(await rejection(bench.ask(request)), { depth: null })

    expect(text).not.toContain(request.signature)
    expect(text).not.toContain(request.sessionToken)
    expect(text).not.toContain(request.accessKeyId)
  })
})
