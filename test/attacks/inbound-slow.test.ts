/** Callers that take their time, to keep a connection that somebody else could use. */

import type { Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { formOf } from '../support/broker.ts'
import { openSocket, parseReplies, readToClose } from '../support/raw-http.ts'
import { CHUNKED_FIELD, chunked, headOf, lengthField, openTls, sendSegments } from '../support/raw-segments.ts'
import { openWiredScene, type WiredScene } from '../support/tls-scene.ts'

/** The broker gives a request ten seconds, and looks once a second. The rest is for a busy machine. */
const LATEST_MS = 20_000
const EARLIEST_MS = 9_000

/** What a slow caller sends at once, and what it goes on with, a byte at a time. */
interface Slowness {
  readonly start: string
  readonly drip?: string
}

function slownessesOf(body: string): Readonly<Record<string, Slowness>> {
  const head = headOf({ fields: lengthField(body) })
  const chunkedHead = headOf({ fields: CHUNKED_FIELD })
  const kept = head.replace('Connection: close\r\n', '')
  return {
    'nothing at all': { start: '' },
    'a part of a request line': { start: 'POST /tok' },
    'a part of a head': { start: head.slice(0, -2) },
    'a head that goes on and on': { start: 'POST /token HTTP/1.1\r\nHost: broker.example\r\n', drip: 'X: y\r\n' },
    'no body': { start: head },
    'a body without its last byte': { start: head + body.slice(0, -1) },
    'a body that comes byte by byte': { start: head, drip: body },
    'chunks without the last': { start: chunkedHead + chunked(body).replace(/0\r\n\r\n$/, '') },
    'chunks of one byte': { start: chunkedHead, drip: '1\r\nx\r\n' },
    'a second request without its end': { start: kept + body + head.slice(0, -2) },
  }
}

interface Ending {
  readonly after: number
  readonly statuses: readonly number[]
}

/** Is slow on a connection until the server ends it, or until it should have. */
async function beSlow(socket: Socket, { start, drip = '' }: Slowness): Promise<Ending> {
  const startedAt = performance.now()
  const received = readToClose(socket)
  if (start !== '') socket.write(start, 'latin1')
  let sent = 0
  const dripping = setInterval(() => {
    if (drip !== '' && socket.writable) socket.write(drip.charAt(sent++ % drip.length), 'latin1')
  }, 250)
  const giveUp = setTimeout(() => socket.destroy(), LATEST_MS)
  const text = await received
  clearInterval(dripping)
  clearTimeout(giveUp)
  return { after: performance.now() - startedAt, statuses: parseReplies(text).map(({ status }) => status) }
}

async function openBoth(): Promise<{ plain: WiredScene; tls: WiredScene }> {
  const [plain, tls] = await Promise.all([openWiredScene('plain'), openWiredScene('tls')])
  onTestFinished(async () => {
    await Promise.all([plain.close(), tls.close()])
  })
  return { plain, tls }
}

test('closes a connection whose request is not complete after ten seconds, in plain text or TLS, and serves the others', async () => {
  const { plain, tls } = await openBoth()
  const body = formOf(await plain.scene.proof()).toString()
  const slow = Object.entries(slownessesOf(body)).flatMap(([name, slowness]) =>
    [plain, tls].map(async ({ wire }) => {
      const socket = wire.authority === undefined ? await openSocket(wire.origin) : await openTls(wire)
      return { name, ...(await beSlow(socket, slowness)) }
    }),
  )
  const withoutHandshake = ['', '\x16\x03\x01'].map(async (start) => ({
    name: 'a handshake that is not complete',
    ...(await beSlow(await openSocket(tls.wire.origin), { start })),
  }))

  const served = await sendSegments(plain.wire, [headOf({ fields: lengthField(body) }) + body])
  const endings = await Promise.all([...slow, ...withoutHandshake])

  expect(served.map(({ status }) => status)).toEqual([200])
  const late = endings.filter(({ after }) => after < EARLIEST_MS || after >= LATEST_MS)
  expect(late.map(({ name, after }) => `${name}: ${Math.round(after)} ms`)).toEqual([])
  const answered = endings.filter(({ name }) => name !== 'a second request without its end')
  expect(answered.flatMap(({ statuses }) => statuses).filter((status) => status !== 408)).toEqual([])
}, 40_000)
