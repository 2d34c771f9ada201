/** Requests whose end is somewhere else for another reader: what smuggles one request inside of another. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { expectErrorShape, expectIssued } from '../support/answers.ts'
import { formOf, type Reply } from '../support/broker.ts'
import { CHUNKED_FIELD, chunked, headOf, lengthField, sendSegments } from '../support/raw-segments.ts'
import { openScene, type Scene } from '../support/scene.ts'

let scene: Scene
let body: string
beforeAll(async () => {
  scene = await openScene({ cluster: { algorithm: 'ES256' } })
  body = formOf(await scene.proof()).toString()
})
afterAll(() => scene.close())
/** Nothing that was sent has hurt anybody else. */
afterEach(async () => {
  expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
})

function issuedCount(): number {
  return scene.broker.records().filter(({ decision }) => decision === 'issued').length
}

function send(...pieces: readonly string[]): Promise<readonly Reply[]> {
  return sendSegments({ origin: scene.broker.origin }, pieces)
}

/** Asserts that bytes get one refusal or a closed connection, and nobody a token. */
async function expectNothing(...pieces: readonly string[]): Promise<void> {
  const before = issuedCount()
  const replies = await send(...pieces)

  expect(replies.length).toBeLessThanOrEqual(1)
  for (const reply of replies) {
    expect(reply.status).toBe(400)
    expectErrorShape(reply)
  }
  expect(issuedCount()).toBe(before)
}

async function expectToken(...pieces: readonly string[]): Promise<void> {
  const replies = await send(...pieces)
  expect(replies.map(({ status }) => status)).toEqual([200])
}

/** A head and a body, made for each test as the proof is. */
type Request = () => string

const length =
  (value: string): Request =>
  () =>
    headOf({ fields: `Content-Length: ${value}\r\n` }) + body
const coded =
  (field: string): Request =>
  () =>
    headOf({ fields: field }) + chunked(body)
const withFields =
  (fields: string): Request =>
  () =>
    headOf({ fields: fields + lengthField(body) }) + body
const chunks =
  (framed: () => string): Request =>
  () =>
    headOf({ fields: CHUNKED_FIELD }) + framed()
const size = (): string => body.length.toString(16)

const AMBIGUOUS: Readonly<Record<string, Request>> = {
  'a length beside chunks': () => headOf({ fields: lengthField(body) + CHUNKED_FIELD }) + chunked(body),
  'chunks beside a length': () => headOf({ fields: CHUNKED_FIELD + lengthField(body) }) + body,
  'a length of nought beside chunks': coded(`Content-Length: 0\r\n${CHUNKED_FIELD}`),
  'two lengths': () => headOf({ fields: `${lengthField(body)}Content-Length: 5\r\n` }) + body,
  'one length twice': () => headOf({ fields: lengthField(body).repeat(2) }) + body,
  'a list of lengths': () => headOf({ fields: `Content-Length: ${body.length}, ${body.length}\r\n` }) + body,
  'a length with a sign': () => headOf({ fields: `Content-Length: +${body.length}\r\n` }) + body,
  'a negative length': length('-1'),
  'a length in hexadecimal': () => headOf({ fields: `Content-Length: 0x${size()}\r\n` }) + body,
  'a length with a space in it': () =>
    headOf({ fields: `Content-Length: ${String(body.length).replace(/^./, '$& ')}\r\n` }) + body,
  'a length with a fraction': () => headOf({ fields: `Content-Length: ${body.length}.0\r\n` }) + body,
  'a length with an exponent': length('1e3'),
  'a length beyond 64 bits': length('18446744073709551617'),
  'an empty length': length(''),
  'a transfer coding that is not known': coded('Transfer-Encoding: xchunked\r\n'),
  'no transfer coding by name': () => headOf({ fields: `Transfer-Encoding: identity\r\n${lengthField(body)}` }) + body,
  'chunks that are not the last coding': coded('Transfer-Encoding: chunked, identity\r\n'),
  'a coding below the chunks': coded('Transfer-Encoding: gzip, chunked\r\n'),
  'no coding below the chunks': coded('Transfer-Encoding: identity, chunked\r\n'),
  'chunks twice over': coded('Transfer-Encoding: chunked, chunked\r\n'),
  'two fields of chunks': coded(CHUNKED_FIELD + CHUNKED_FIELD),
  'two fields of transfer codings': coded(`Transfer-Encoding: identity\r\n${CHUNKED_FIELD}`),
  'two fields of transfer codings, the other way': coded(`${CHUNKED_FIELD}Transfer-Encoding: identity\r\n`),
  'an empty transfer coding': coded('Transfer-Encoding: \r\n'),
  'a transfer coding in quotes': coded('Transfer-Encoding: "chunked"\r\n'),
  'a transfer coding with a parameter': coded('Transfer-Encoding: chunked;q=1\r\n'),
  'a transfer coding behind a vertical tab': coded('Transfer-Encoding: \x0bchunked\r\n'),
  'a transfer coding behind a NUL': coded('Transfer-Encoding: \0chunked\r\n'),
  'a space before the colon of a transfer coding': coded('Transfer-Encoding : chunked\r\n'),
  'a space before the colon of a length': () => headOf({ fields: `Content-Length : ${body.length}\r\n` }) + body,
  'a tab before a colon': withFields('X-A\t: b\r\n'),
  'a space before a name': withFields('X-A: b\r\n X-B: c\r\n'),
  'a folded transfer coding': coded('Transfer-Encoding:\r\n chunked\r\n'),
  'a folded field': withFields('X-A: b\r\n\tc\r\n'),
  'a folded request line': () => headOf({ line: 'POST /token HTTP/1.1\r\n X-A: b' }) + body,
  'a field without a colon': withFields('X-A\r\n'),
  'a field without a name': withFields(': b\r\n'),
  'a NUL in a value': withFields('X-A: b\0c\r\n'),
  'a NUL in a name': withFields('X\0A: b\r\n'),
  'bare line feeds': () => headOf({ fields: lengthField(body) }).replaceAll('\r\n', '\n') + body,
  'one bare line feed': withFields('X-A: b\nX-B: c\r\n'),
  'a bare line feed that hides a transfer coding': coded('X-A: b\nTransfer-Encoding: chunked\r\n'),
  'a bare line feed at the head’s end': () => headOf({ fields: lengthField(body) }).replace(/\r\n$/, '\n') + body,
  'bare carriage returns': () => headOf({ fields: lengthField(body) }).replaceAll('\r\n', '\r') + body,
  'one bare carriage return': withFields('X-A: b\rX-B: c\r\n'),
  'a carriage return more': withFields('X-A: b\r\r\n'),
  'chunks of HTTP/1.0': () => headOf({ line: 'POST /token HTTP/1.0', fields: CHUNKED_FIELD }) + chunked(body),
  'a chunk size of 0x': chunks(() => `0x${chunked(body)}`),
  'a chunk size with a sign': chunks(() => `+${chunked(body)}`),
  'a negative chunk size': chunks(() => `-${chunked(body)}`),
  'a chunk size behind a space': chunks(() => ` ${chunked(body)}`),
  'a chunk size before a space': chunks(() => chunked(body, ' ')),
  'no chunk size': chunks(() => `\r\n${body}\r\n0\r\n\r\n`),
  'a chunk size beyond 64 bits': chunks(() => `10000000000000000${chunked(body)}`),
  'a chunk that is longer than it says': chunks(() => `${size()}\r\n${body}x\r\n0\r\n\r\n`),
  'a chunk without its end': chunks(() => `${size()}\r\n${body}0\r\n\r\n`),
  'a chunk with a bare line feed after its size': chunks(() => `${size()}\n${body}\r\n0\r\n\r\n`),
  'a chunk with a bare line feed after it': chunks(() => `${size()}\r\n${body}\n0\r\n\r\n`),
  'a chunk with a bare carriage return after its size': chunks(() => `${size()}\r${body}\r\n0\r\n\r\n`),
  'framing in a trailer': chunks(() =>
    chunked(body).replace(/\r\n$/, 'Content-Length: 1\r\nTransfer-Encoding: x\r\n\r\n'),
  ),
}

test.each(Object.entries(AMBIGUOUS))('NET-11 refuses %s', async (_, request) => {
  await expectNothing(request())
})

test('NET-11 takes a genuine exchange with a length, in chunks, and byte by byte', async () => {
  const whole = headOf({ fields: CHUNKED_FIELD }) + chunked(body)

  await expectToken(headOf({ fields: lengthField(body) }) + body)
  await expectToken(whole)
  await expectToken(...Array.from(whole))
  await expectToken(whole.replace('chunked', 'Chunked'))
})

test('NET-11 serves nothing that is hidden in another request', async () => {
  const hidden = headOf({ fields: lengthField(body) }) + body
  const framed = chunked(hidden)
  const withEmptyBody = (fields: string): string => `${headOf({ fields })}0\r\n\r\n${hidden}`
  const requests = [
    withEmptyBody(`Content-Length: 5\r\n${CHUNKED_FIELD}`),
    withEmptyBody(`${CHUNKED_FIELD}Content-Length: 5\r\n`),
    headOf({ fields: `${CHUNKED_FIELD}Content-Length: ${framed.indexOf('\r\n') + 2}\r\n` }) + framed,
    withEmptyBody(`${CHUNKED_FIELD}Transfer-Encoding: x\r\n`),
    withEmptyBody(`Transfer-Encoding: x\r\n${CHUNKED_FIELD}`),
    headOf({ fields: `X-A: b\n${CHUNKED_FIELD}\r\n${hidden}` }),
    headOf({ line: 'GET /healthz HTTP/1.1', fields: `Content-Length: 0\r\n${CHUNKED_FIELD}` }) + hidden,
  ]
  for (const request of requests) await expectNothing(request)
})

test('NET-11 serves nothing that stands in a body which nobody reads', async () => {
  const hidden = headOf({ fields: lengthField(body) }) + body
  const filler = 'x'.repeat(70_000)
  const kept = 'Connection: keep-alive\r\n'
  const before = issuedCount()
  const unread: readonly (readonly [fields: string, line: string, status: number])[] = [
    ['Content-Type: text/plain\r\n', 'POST /token HTTP/1.1', 415],
    ['', 'GET /token HTTP/1.1', 405],
    ['', 'POST /healthz HTTP/1.1', 405],
    ['', 'GET /healthz HTTP/1.1', 200],
    ['', 'POST /nothing HTTP/1.1', 404],
  ]
  for (const [fields, line, status] of unread) {
    const head = `${line}\r\nHost: broker.example\r\n${fields}`
    const last = 'GET /nothing HTTP/1.1\r\nHost: broker.example\r\nConnection: close\r\n\r\n'
    for (const inner of [hidden, hidden + filler]) {
      const statuses = (await send(`${head}${kept}${lengthField(inner)}\r\n${inner}${last}`)).map((it) => it.status)
      expect([[status], [status, 404]]).toContainEqual(statuses)
    }
  }
  const large = `Content-Type: application/x-www-form-urlencoded\r\n${lengthField(hidden + filler)}`
  const refused = await send(`POST /token HTTP/1.1\r\nHost: b\r\n${large}\r\n${hidden}${filler}`)
  expect(refused.map(({ status }) => status)).toEqual([413])
  expect(issuedCount()).toBe(before)
})

/** @see {@link https://www.rfc-editor.org/rfc/rfc9112.html#section-9.6 RFC 9112 section 9.6} */
test('NET-11 does nothing with what follows a refusal that closes the connection', async () => {
  const next = headOf({ fields: lengthField(body) }) + body
  const keptOpen = (request: string): string => request.replace('Connection: close\r\n', '')
  const refused = [
    headOf({ host: 'Host: a\r\nHost: b\r\n', fields: lengthField(body) }) + body,
    headOf({ line: 'POST http://evil.example/token HTTP/1.1', fields: lengthField(body) }) + body,
    headOf({ fields: CHUNKED_FIELD }) + chunked(body, ';a'),
  ]
  for (const request of refused) {
    await expectNothing(keptOpen(request) + next)
    await expectNothing(keptOpen(request), next)
  }
})
