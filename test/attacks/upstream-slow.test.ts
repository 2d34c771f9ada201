/** Upstreams that take their time: five seconds are all they get, whatever they do with them. */

import { expect, onTestFinished, test } from 'vitest'
import { expectIssued, expectRefusal } from '../support/answers.ts'
import { documentFor } from '../support/document.ts'
import { type RawUpstream, startRawUpstream } from '../support/raw-upstream.ts'
import { openScene, type Scene } from '../support/scene.ts'

/** How long the stand-in lets its keys be kept. */
const FRESH_SECONDS = 3_600

/** Five seconds for an upstream, and the rest for a busy machine. */
const LATEST_MS = 15_000

/** What is answered without an upstream takes milliseconds. */
const AT_ONCE_MS = 4_000

const ALGORITHM = 'ES256'

/** Anything that is closed when the test is over, which is where it is opened: tests here do several things at a time. */
interface Closable {
  close(): Promise<void>
}

function closeLater<T extends Closable>(opened: T): T {
  onTestFinished(() => opened.close())
  return opened
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await act()
  return performance.now() - startedAt
}

async function expectTimeout(scene: Scene): Promise<void> {
  const proof = await scene.proof()
  const spent = await timed(async () => {
    expectRefusal(scene.broker, await scene.broker.exchange(proof), 'TU', 'upstream_timeout')
  })
  expect(spent).toBeLessThan(LATEST_MS)
}

const HEAD = 'HTTP/1.1 200 OK\r\n'

type Manner = Parameters<RawUpstream['answerWith']>[0]

/** Writes again and again until the connection is closed. */
function drip(text: string, start = ''): Manner {
  return (socket) => {
    socket.write(HEAD + start)
    const timer = setInterval(() => socket.write(text), 100)
    socket.on('close', () => clearInterval(timer))
  }
}

const MANNERS: Readonly<Record<string, Manner>> = {
  'says nothing': () => undefined,
  'sends a part of a head': HEAD,
  'sends its head byte by byte': drip('x'),
  'sends one field after another': drip('x: y\r\n'),
  'sends its body byte by byte': drip(' ', 'Content-Length: 60000\r\n\r\n'),
  'sends chunks of one byte': drip('1\r\n \r\n', 'Transfer-Encoding: chunked\r\n\r\n'),
  'has only hints': (socket) => {
    const timer = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 100)
    socket.on('close', () => clearInterval(timer))
  },
}

async function openSlowScene(manner: Manner): Promise<Closable & { readonly scene: Scene }> {
  const upstream = await startRawUpstream()
  upstream.answerWith(manner)
  const scene = await openScene({
    cluster: { algorithm: ALGORITHM, issuer: upstream.origin },
    broker: { insecureHosts: [upstream.host] },
  })
  const close = async (): Promise<void> => {
    await scene.close()
    await upstream.close()
  }
  return { scene, close }
}

test('NET-05 gives up an upstream after five seconds, however it spends them', async () => {
  const opened = await Promise.all(Object.values(MANNERS).map(openSlowScene))
  for (const each of opened) closeLater(each)

  await Promise.all(opened.map(({ scene }) => expectTimeout(scene)))
})

test('JWK-03, JWK-14 give up keys that never end and a name that never resolves, and believe a stale set meanwhile', async () => {
  const resolve = () => new Promise<never>(() => undefined)
  const issuer = 'https://cluster.example'
  const slow = closeLater(await openScene({ cluster: { algorithm: ALGORITHM } }))
  const unresolved = closeLater(await openScene({ cluster: { algorithm: ALGORITHM, issuer }, broker: { resolve } }))
  slow.cluster.fail('/openid/v1/jwks', 'slow')

  await Promise.all([expectTimeout(slow), expectTimeout(unresolved), expectStaleBelieved()])
})

/** JWK-03: a stale set is believed while the issuer never ends its answer, and nobody waits for that twice. */
async function expectStaleBelieved(): Promise<void> {
  const scene = closeLater(await openScene({ cluster: { algorithm: ALGORITHM } }))
  const exchange = async (): Promise<void> => {
    expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  }
  await exchange()
  scene.cluster.fail('*', 'slow')
  scene.clock.advance(FRESH_SECONDS)

  expect(await timed(exchange)).toBeLessThan(LATEST_MS)
  scene.clock.advance(60)
  expect(await timed(exchange)).toBeLessThan(AT_ONCE_MS)
}

test('NET-05 answers for one trusted issuer while another never answers', async () => {
  const upstream = await startRawUpstream()
  const scene = closeLater(
    await openScene({
      cluster: { algorithm: ALGORITHM, issuer: 'https://cluster.example' },
      document: ({ issuer, jwks }) =>
        documentFor(issuer, {
          trusted_issuers: {
            cluster: { provider: 'kubernetes', issuers: [issuer], keys: { from: 'inline', jwks } },
            silent: { provider: 'kubernetes', issuers: [upstream.origin] },
          },
        }),
      broker: { insecureHosts: [upstream.host] },
    }),
  )
  const stuck = Promise.all(
    Array.from({ length: 20 }, async () => scene.broker.exchange(await scene.forge({ iss: upstream.origin }))),
  )

  const spent = await timed(async () => expectIssued(scene.broker, await scene.broker.exchange(await scene.proof())))
  await upstream.close()

  expect(spent).toBeLessThan(AT_ONCE_MS)
  expect((await stuck).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 503))
  expect(upstream.connections()).toBe(1)
})
