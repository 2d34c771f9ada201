/** How much is asked of STS at a time, whom its failures concern, and whose word is taken for STS's. */

import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createStsClient } from '../../providers/aws/sts-client.ts'
import type { StandInAnswer } from '../../providers/kit/stand-in-server.ts'
import { startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { signedRequest } from '../support/aws-parts.ts'
import { type Certificate, createAuthority } from '../support/certificates.ts'
import { createTestClock } from '../support/clock.ts'
import { createTestPorts } from '../support/provider-ports.ts'
import { rejection } from '../support/rejection.ts'
import { GENUINE, numberedRequest, openStsBench, REFUSED, type StsBench, THROTTLED } from '../support/sts-bench.ts'
import { startTestProxy } from '../support/test-proxy.ts'

const HOST = 'sts.us-east-1.amazonaws.com'
const OTHER_HOST = 'sts.eu-west-1.amazonaws.com'
const OUT_OF_ORDER: StandInAnswer = { status: 500 }
const NEVER = new AbortController().signal

/** Keeps every answer back. What is released answers everything, from then on at once. */
function hold(bench: StsBench): { release(answer: StandInAnswer): void } {
  const gate = Promise.withResolvers<StandInAnswer>()
  bench.answer = () => gate.promise
  return { release: (answer) => gate.resolve(answer) }
}

async function askTimes(bench: StsBench, times: number, host: string): Promise<readonly string[]> {
  const codes: string[] = []
  for (let time = 0; time < times; time++) codes.push((await rejection(bench.ask(signedRequest({ host })))).code)
  return codes
}

describe('a host that keeps failing', () => {
  test('is left alone for a while, and nobody else is', async () => {
    const bench = await openStsBench()
    bench.answer = ({ headers }) => (headers.host === HOST ? OUT_OF_ORDER : GENUINE)
    await askTimes(bench, 7, HOST)
    expect(bench.asked()).toBe(5)
    await bench.ask(signedRequest({ host: OTHER_HOST }))
    await bench.ask(signedRequest({ host: 'sts.us-east-1.api.aws' }))
    expect(bench.asked()).toBe(7)

    bench.clock.advance(5)
    await askTimes(bench, 2, HOST)
    expect(bench.asked()).toBe(8)
  })

  test('says meanwhile when to come back', async () => {
    const bench = await openStsBench()
    bench.answer = () => OUT_OF_ORDER
    await askTimes(bench, 5, HOST)
    bench.clock.advance(2)

    const resting = await rejection(bench.ask(signedRequest()))
    expect(resting).toMatchObject({ code: 'upstream_status', facts: { status: 500, retry_after_seconds: 3 } })
  })

  test.each([
    ['refusals', REFUSED, 'signature_invalid'],
    ['being told to come slower', THROTTLED, 'upstream_status'],
  ])('is not one that answers: %s', async (_, answer, code) => {
    const bench = await openStsBench()
    bench.answer = () => answer
    const all = await Promise.all(
      Array.from({ length: 20 }, (_item, index) => rejection(bench.ask(numberedRequest(index)))),
    )

    expect(new Set(all.map((error) => error.code))).toEqual(new Set([code]))
    expect(bench.asked()).toBe(20)
  })
})

describe('of what is asked at a time,', () => {
  test('64 are under way, 256 of one source and 1,024 of all wait, and the rest is told that it is busy', async () => {
    const bench = await openStsBench()
    const { release } = hold(bench)
    let number = 0
    const askFor = (source: string, times: number) =>
      Array.from({ length: times }, () => bench.ask(numberedRequest(number++), source))
    const running = askFor('first', 64)
    const waiting = ['a', 'b', 'c'].flatMap((source) => askFor(source, 256))

    expect((await rejection(bench.ask(numberedRequest(number++), 'a'))).code).toBe('upstream_busy')
    const last = askFor('d', 256)
    expect((await rejection(bench.ask(numberedRequest(number++), 'e'))).code).toBe('upstream_busy')
    await expect.poll(bench.asked).toBe(64)
    release(GENUINE)
    await Promise.all([...running, ...waiting, ...last])

    expect(bench.asked()).toBe(64 + 4 * 256)
  })

  test('nothing is waited for longer than five seconds', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout')
    const bench = await openStsBench()
    const { release } = hold(bench)
    const asking = Array.from({ length: 65 }, (_, index) => bench.ask(numberedRequest(index)))
    await expect.poll(bench.asked).toBe(64)
    release(GENUINE)
    await Promise.all(asking)

    expect(timeout.mock.calls).toHaveLength(65 + 1)
    expect(new Set(timeout.mock.calls.flat())).toEqual(new Set([5_000]))
  })

  test('sources take turns', async () => {
    const bench = await openStsBench()
    const { release } = hold(bench)
    const flood = Array.from({ length: 264 }, (_, index) => bench.ask(numberedRequest(index), 'flood'))
    const honest = bench.ask(numberedRequest(999), 'honest')
    await expect.poll(bench.asked).toBe(64)
    release(GENUINE)
    await Promise.all([honest, ...flood])
    const signatures = bench.server.requests.map(({ headers }) => headers.authorization?.slice(-64))

    expect(signatures.indexOf(numberedRequest(999).signature)).toBeLessThan(64 + 64)
  })

  test('what a caller waited for who has gone is not asked', async () => {
    const bench = await openStsBench()
    const { release } = hold(bench)
    const running = Array.from({ length: 64 }, (_, index) => bench.ask(numberedRequest(index)))
    const gone = new AbortController()
    const waiting = rejection(bench.ask(signedRequest(), '', gone.signal))
    gone.abort()

    expect((await waiting).code).toBe('upstream_timeout')
    release(GENUINE)
    await Promise.all(running)
    expect(bench.asked()).toBe(64)
  })

  test('what is under way is asked to its end, whoever has gone: STS is not blamed for it', async () => {
    const bench = await openStsBench()
    const { release } = hold(bench)
    const gone = new AbortController()
    const asking = Array.from({ length: 8 }, (_, index) =>
      rejection(bench.ask(numberedRequest(index), '', gone.signal)),
    )
    await expect.poll(bench.asked).toBe(8)
    gone.abort()
    release(REFUSED)

    expect((await Promise.all(asking)).every(({ code }) => code === 'signature_invalid')).toBe(true)
    await rejection(bench.ask(numberedRequest(0)))
    expect(bench.asked()).toBe(8)
  })
})

describe('STS is', () => {
  const authority = createAuthority('test authority')

  /** A client without an endpoint of its own, whose connections end at a server with this certificate. */
  async function openTlsSts(certificate: Certificate, caFile: string | undefined, addresses: readonly string[] = []) {
    const server = await startStandInServer({ route: () => GENUINE, tls: certificate })
    const proxy = await startTestProxy()
    onTestFinished(async () => {
      await proxy.close()
      await server.close()
    })
    proxy.answerWith({ port: Number(new URL(server.origin).port) })
    const ports = createTestPorts({
      clock: createTestClock(),
      files: { 'sts-ca.pem': authority.cert, 'empty.pem': '' },
      ...(addresses.length === 0 ? { proxy: proxy.url } : { addresses: { [HOST]: addresses } }),
    })
    const settings = { partition: 'aws', trustedIssuer: 'aws', stsEndpoint: undefined, privateHosts: [] } as const
    const client = createStsClient({ ...settings, caFile }, ports)
    return { server, proxy, ports, ask: () => client.whoSigned(signedRequest(), '', NEVER) }
  }

  const good = authority.issue({ hostnames: [HOST] })

  test('asked at its own host, over TLS, by the name of that host', async () => {
    const { ask, proxy, server } = await openTlsSts(good, 'sts-ca.pem')

    expect(await ask()).toMatchObject({ account: '123456789012' })
    expect(proxy.asked).toEqual([`${HOST}:443`])
    expect(server.requests[0]?.headers.host).toBe(HOST)
  })

  test.each<[string, Certificate, string | undefined]>([
    ['by another name', authority.issue({ hostnames: [OTHER_HOST] }), 'sts-ca.pem'],
    ['of an authority that the system does not know', good, undefined],
    ['that has expired', authority.issue({ hostnames: [HOST], validDays: [-2, -1] }), 'sts-ca.pem'],
  ])('not believed with a certificate %s', async (_, certificate, caFile) => {
    const { ask, server } = await openTlsSts(certificate, caFile)

    expect((await rejection(ask())).code).toBe('upstream_unreachable')
    expect(server.requests).toEqual([])
  })

  test('expected at private addresses, where an interface endpoint has its name', async () => {
    const { ask, ports } = await openTlsSts(good, 'sts-ca.pem', ['127.0.0.1'])

    expect((await rejection(ask())).code).toBe('upstream_unreachable')
    expect(ports.resolved).toEqual([HOST])
  })

  test('not asked without the authority that the document names, and asked when it is there', async () => {
    const { ask, server } = await openTlsSts(good, 'empty.pem')

    expect((await rejection(ask())).code).toBe('file_unreadable')
    expect(server.requests).toEqual([])
  })
})

test('an endpoint may be written with a slash', async () => {
  const { ports, server } = await openStsBench()
  const settings = { partition: 'aws', trustedIssuer: 'aws', stsEndpoint: `${server.origin}/` } as const
  const client = createStsClient({ ...settings, privateHosts: [], caFile: undefined }, ports)
  await client.whoSigned(signedRequest(), '', NEVER)

  expect(server.requests[0]?.target).toBe('/')
})
