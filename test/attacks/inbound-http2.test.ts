/** HTTP/2 is not spoken here: none of its framing is ever read. */

import { connect } from 'node:http2'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { expectErrorShape } from '../support/answers.ts'
import { formOf } from '../support/broker.ts'
import { headOf, lengthField, openTls, sendSegments } from '../support/raw-segments.ts'
import { openWiredScene, type WiredScene } from '../support/tls-scene.ts'

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

const DATA = 0
const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const CONTINUATION = 9
const END_HEADERS = 4

/** @see {@link https://www.rfc-editor.org/rfc/rfc9113.html#section-4.1 RFC 9113 section 4.1} */
function frame(type: number, flags: number, stream: number, payload = ''): string {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return head.toString('latin1') + payload
}

/** `:method: POST`, `:scheme: https` and `:path: /` of the static table. */
const FIELDS = '\x83\x87\x84'

/** A literal field without indexing. */
function literal(name: string, value: string): string {
  return `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`
}

function repeat(count: number, make: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => make(index)).join('')
}

const FLOODS: Readonly<Record<string, string>> = {
  'nothing but a beginning': '',
  'a transfer coding': frame(HEADERS, END_HEADERS, 1, FIELDS + literal('transfer-encoding', 'chunked')),
  'names in capitals': frame(HEADERS, END_HEADERS, 1, FIELDS + literal('Content-Length', '5')),
  'ten thousand fields': frame(HEADERS, END_HEADERS, 1, FIELDS + literal('x', 'y').repeat(10_000)),
  'ten thousand streams that are reset at once': repeat(
    10_000,
    (index) => frame(HEADERS, END_HEADERS, 2 * index + 1, FIELDS) + frame(RST_STREAM, 0, 2 * index + 1, '\0\0\0\x08'),
  ),
  'ten thousand continuations': frame(HEADERS, 0, 1, FIELDS) + frame(CONTINUATION, 0, 1).repeat(10_000),
  'ten thousand settings': frame(SETTINGS, 0, 0).repeat(10_000),
  'ten thousand empty pieces of data': frame(HEADERS, END_HEADERS, 1, FIELDS) + frame(DATA, 0, 1).repeat(10_000),
}

describe.each([['plain'], ['tls']] as const)('%s', (transport) => {
  let opened: WiredScene
  let body: string
  beforeAll(async () => {
    opened = await openWiredScene(transport)
    body = formOf(await opened.scene.proof()).toString()
  })
  afterAll(() => opened.close())
  afterEach(async () => {
    const replies = await sendSegments(opened.wire, [headOf({ fields: lengthField(body) }) + body])
    expect(replies.map(({ status }) => status)).toEqual([200])
  })

  test.each(Object.entries(FLOODS))('NET-12 closes at once when HTTP/2 is begun with %s', async (_, flood) => {
    const begun = PREFACE + frame(SETTINGS, 0, 0) + flood

    const connections = await Promise.all(Array.from({ length: 8 }, () => sendSegments(opened.wire, [begun])))

    for (const replies of connections) {
      expect(replies.map(({ status }) => status)).toEqual([400])
      for (const reply of replies) expectErrorShape(reply)
    }
  })

  test('NET-12 gives an HTTP/2 client no session', async () => {
    const url = opened.wire.origin.replace('127.0.0.1', 'localhost')
    const options = { ca: opened.wire.authority, checkServerIdentity: () => undefined }
    const failed = new Promise<Error>((resolve) => {
      const session = connect(url, { ...options, lookup: (_name, _options, done) => done(null, [LOOPBACK]) })
      session.on('error', resolve)
      session.request({ ':path': '/healthz' }).on('error', () => undefined)
    })

    expect(await failed).toBeInstanceOf(Error)
  })

  test.each(['HTTP/2.0', 'HTTP/2', 'HTTP/3.0'])('NET-12 refuses %s in the line of a request', async (version) => {
    const request = headOf({ line: `POST /token ${version}`, fields: lengthField(body) }) + body

    const replies = await sendSegments(opened.wire, [request])

    expect(replies.map(({ status }) => status)).toEqual([400])
  })

  test('NET-12 stays with HTTP/1.1 when it is asked to change', async () => {
    for (const protocol of ['h2c', 'h2', 'websocket', 'TLS/1.2', 'HTTP/2.0']) {
      const asked = `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n`
      const request = headOf({ fields: asked + lengthField(body) }) + body
      const replies = await sendSegments(opened.wire, [request])

      expect(replies.map(({ status }) => status)).toEqual([200])
      expect(replies[0]?.headers.get('upgrade')).toBe(null)
    }
  })

  test('NET-12 refuses ten thousand fields, and a head of 16 KiB and more', async () => {
    for (const fields of ['x: y\r\n'.repeat(101), 'x: y\r\n'.repeat(10_000), `x: ${'y'.repeat(16_384)}\r\n`]) {
      const replies = await sendSegments(opened.wire, [headOf({ fields: fields + lengthField(body) }) + body])

      expect(replies.map(({ status }) => status)).toEqual([431])
      for (const reply of replies) expectErrorShape(reply)
    }
  })
})

const LOOPBACK = { address: '127.0.0.1', family: 4 }

describe('the choice of a protocol', () => {
  let opened: WiredScene
  beforeAll(async () => {
    opened = await openWiredScene('tls')
  })
  afterAll(() => opened.close())

  test('NET-12 chooses HTTP/1.1 where a client offers both, and where it offers nothing', async () => {
    for (const [alpn, chosen] of [
      [['h2', 'http/1.1'], 'http/1.1'],
      [['http/1.1'], 'http/1.1'],
      [[], false],
    ] as const) {
      const socket = await openTls({ ...opened.wire, ...(alpn.length === 0 ? {} : { alpn }) })
      expect(socket.alpnProtocol).toBe(chosen)
      socket.destroy()
    }
  })

  test.each([[['h2']], [['h2c']], [['h3']], [['http/1.0']], [['h2', 'spdy/3.1']]])(
    'NET-12 refuses a client that offers only %s',
    async (alpn) => {
      await expect(openTls({ ...opened.wire, alpn })).rejects.toMatchObject({
        code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
      })
    },
  )
})
