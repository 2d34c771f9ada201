/** Bodies that are larger than they may be, or other than they say: counted in bytes, on raw connections. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectIssued, expectRefusal } from '../support/answers.ts'
import { formOf, type Reply } from '../support/broker.ts'
import { openSocket, parseReplies, readToClose, sendRaw } from '../support/raw-http.ts'
import { openScene, type Scene } from '../support/scene.ts'

const LIMIT = 65_536

let scene: Scene
let proof: string
beforeAll(async () => {
  scene = await openScene()
  proof = await scene.proof()
  scene.broker.watch(proof)
})
afterAll(() => scene.close())

/** A good exchange, made this long by a parameter that means nothing. */
function bodyOf(length: number): string {
  const body = `${formOf(proof).toString()}&padding=`
  return body + 'x'.repeat(length - body.length)
}

function headOf(...fields: readonly string[]): string {
  const all = ['Host: broker.example', 'Content-Type: application/x-www-form-urlencoded', ...fields]
  return `POST /token HTTP/1.1\r\n${all.map((field) => `${field}\r\n`).join('')}\r\n`
}

/** Frames a body in chunks of this size, with the last, empty one. */
function chunked(body: string, size: number): string {
  const chunks: string[] = []
  for (let at = 0; at < body.length; at += size) {
    const chunk = body.slice(at, at + size)
    chunks.push(`${chunk.length.toString(16)}\r\n${chunk}\r\n`)
  }
  return `${chunks.join('')}0\r\n\r\n`
}

function only(replies: readonly Reply[]): Reply {
  const [reply, ...others] = replies
  expect(others).toEqual([])
  if (reply === undefined) throw new Error('no answer came')
  return reply
}

function expectTooLarge(reply: Reply): void {
  expectRefusal(scene.broker, reply, 'TL', 'body_too_large')
  expect(reply.headers.get('connection')).toBe('close')
}

test('OAU-22 reads 64 KiB, however they are framed', async () => {
  const body = bodyOf(LIMIT)
  const declared = await sendRaw(scene.broker.origin, headOf(`Content-Length: ${LIMIT}`, 'Connection: close') + body)
  expectIssued(scene.broker, only(declared))

  for (const size of [1_024, 65_536, 7]) {
    const head = headOf('Transfer-Encoding: chunked', 'Connection: close')
    expectIssued(scene.broker, only(await sendRaw(scene.broker.origin, head + chunked(body, size))))
  }
})

test('OAU-22 refuses one byte more with an honest length', async () => {
  const sent = await scene.broker.send('/token', {
    method: 'POST',
    body: bodyOf(LIMIT + 1),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })

  expectTooLarge(sent)
})

test('OAU-22 refuses one byte more in chunks, in many or in one', async () => {
  const body = bodyOf(LIMIT + 1)
  for (const size of [1_024, LIMIT, LIMIT + 1]) {
    const replies = await sendRaw(scene.broker.origin, headOf('Transfer-Encoding: chunked') + chunked(body, size))

    expectTooLarge(only(replies))
  }
})

test('OAU-22 refuses by the declared length alone, without waiting for the body', async () => {
  for (const length of [LIMIT + 1, 1_000_000, Number.MAX_SAFE_INTEGER]) {
    const started = performance.now()
    const replies = await sendRaw(scene.broker.origin, `${headOf(`Content-Length: ${length}`)}grant_type=x`)

    expectTooLarge(only(replies))
    expect(performance.now() - started).toBeLessThan(5_000)
  }
})

test('OAU-22 refuses a length that is no number, or stands beside another', async () => {
  const count = scene.broker.records().length
  const body = formOf(proof).toString()
  const wrong: readonly (readonly string[])[] = [
    ['Content-Length: -1'],
    ['Content-Length: +5'],
    ['Content-Length: 0x10'],
    ['Content-Length: 1e3'],
    ['Content-Length: 99999999999999999999999'],
    ['Content-Length:'],
    [`Content-Length: ${body.length}, ${body.length}`],
    [`Content-Length: ${body.length}`, `Content-Length: ${body.length}`],
    [`Content-Length: ${body.length}`, 'Content-Length: 1'],
    [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
    ['Transfer-Encoding: gzip, chunked, identity'],
  ]
  for (const fields of wrong) {
    const [reply, ...others] = await sendRaw(scene.broker.origin, headOf(...fields) + body)

    expect({ fields, status: reply?.status, others }).toEqual({ fields, status: 400, others: [] })
  }
  expect(scene.broker.records().length).toBe(count)
})

test('OAU-22 reads no more than was declared, and closes on whoever sends more', async () => {
  for (const length of [0, 100, LIMIT - 1, LIMIT]) {
    const body = bodyOf(LIMIT + 4_096)
    const started = performance.now()

    const replies = await sendRaw(scene.broker.origin, headOf(`Content-Length: ${length}`) + body)

    // What is left over is no request: its answer may come instead of the first one's, and is the last.
    expect(replies.length).toBeLessThanOrEqual(2)
    expect(replies.at(-1)?.status).toBe(400)
    expect(performance.now() - started).toBeLessThan(5_000)
  }
})

test('OAU-22 cuts off chunks that never end', async () => {
  const socket = await openSocket(scene.broker.origin)
  const received = readToClose(socket)
  let sent = 0
  socket.write(headOf('Transfer-Encoding: chunked'))
  const chunk = `4000\r\n${'x'.repeat(16_384)}\r\n`
  const more = (): void => {
    while (!socket.destroyed && sent < 256 * chunk.length) {
      sent += chunk.length
      if (!socket.write(chunk)) return
    }
  }
  socket.on('drain', more)
  more()

  expectTooLarge(only(parseReplies(await received)))
  expect(sent).toBeLessThan(256 * chunk.length)
})

test('OAU-22 a body that breaks off is recorded, and is no request', async () => {
  const socket = await openSocket(scene.broker.origin)
  const before = scene.broker.records().length
  const brokenOff = () => scene.broker.records().slice(before)
  socket.end(`${headOf('Content-Length: 60000')}${formOf(proof).toString()}`)
  await readToClose(socket)

  await expect.poll(brokenOff).toHaveLength(1)
  expect(brokenOff()).toMatchObject([
    { decision: 'refused', reason: 'body_unreadable', identity: null, proof_digest: null },
  ])
})

test('OAU-22 does not unpack a packed body', async () => {
  const reply = await scene.broker.send('/token', {
    method: 'POST',
    body: new Blob([formOf(proof).toString()]).stream().pipeThrough(new CompressionStream('gzip')),
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' },
    duplex: 'half',
  })

  expectRefusal(scene.broker, reply, 'IR', 'parameter_missing')
})

test('OAU-22 takes no chunk extension, however its line is cut into segments', async () => {
  const body = formOf(proof).toString()
  const size = body.length.toString(16)
  const lines = [
    `${size};x=y\r\n`,
    `${'0'.repeat(60)}|${size} ;x=y\r\n`,
    `${'0'.repeat(100)}|${size};x\r\n`,
    `${size}|;x\r\n`,
  ]
  for (const line of lines) {
    const socket = await openSocket(scene.broker.origin)
    const received = readToClose(socket.setNoDelay(true))
    for (const part of [headOf('Transfer-Encoding: chunked', 'Connection: close'), ...line.split('|')]) {
      socket.write(part)
      await segmentSent()
    }
    socket.write(`${body}\r\n0\r\n\r\n`)

    expect(parseReplies(await received).map(({ status }) => status)).toEqual([400])
  }
})

/** The server is in this process: after a few turns it has read what was written. */
async function segmentSent(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}
