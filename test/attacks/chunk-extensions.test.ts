/** Chunk extensions: parsers disagree on where they end, so there are none. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectErrorShape } from '../support/answers.ts'
import { formOf } from '../support/broker.ts'
import { CHUNKED_FIELD, chunked, headOf, lengthField, sendSegments } from '../support/raw-segments.ts'
import { openWiredScene, type WiredScene } from '../support/tls-scene.ts'

const EXTENSIONS = [
  ';',
  ';a',
  ';a=b',
  ';a="b"',
  ';a="\\""',
  ';a="\r\n"',
  ';a=b;c=d',
  ';\t',
  ';;',
  ';a=\x01',
  ` ;a`,
  '\t;a',
]

const HEAD = headOf({ fields: CHUNKED_FIELD })

describe.each([['plain'], ['tls']] as const)('%s', (transport) => {
  let opened: WiredScene
  let body: string
  beforeAll(async () => {
    opened = await openWiredScene(transport)
    body = formOf(await opened.scene.proof()).toString()
  })
  afterAll(() => opened.close())

  function issuedCount(): number {
    return opened.scene.broker.records().filter(({ decision }) => decision === 'issued').length
  }

  /** Asserts that bytes get one refusal or a closed connection, nobody a token, and that none was even made. */
  async function expectNothing(pieces: readonly string[], what?: string): Promise<void> {
    const before = issuedCount()
    const replies = await sendSegments(opened.wire, pieces)

    expect(
      replies.map(({ status }) => status).filter((status) => status !== 400),
      what,
    ).toEqual([])
    expect(replies.length).toBeLessThanOrEqual(1)
    for (const reply of replies) expectErrorShape(reply)
    expect(issuedCount(), what).toBe(before)
  }

  async function expectToken(pieces: readonly string[]): Promise<void> {
    expect((await sendSegments(opened.wire, pieces)).map(({ status }) => status)).toEqual([200])
  }

  test('NET-11 takes chunks without extensions, wherever they are cut', async () => {
    const whole = HEAD + chunked(body)

    for (const at of cutsOf(whole)) await expectToken([whole.slice(0, at), whole.slice(at)])
  })

  test('NET-11 refuses a chunk extension, on the first chunk and on the last', async () => {
    for (const extension of EXTENSIONS) {
      await expectNothing([HEAD + chunked(body, extension)], JSON.stringify(extension))
      await expectNothing([HEAD + chunked(body, '', extension)], JSON.stringify(extension))
    }
  })

  test('NET-11 refuses a chunk extension, wherever the request is cut', async () => {
    for (const whole of [HEAD + chunked(body, ';a=b'), HEAD + chunked(body, '', ';a=b')]) {
      for (const at of cutsOf(whole)) await expectNothing([whole.slice(0, at), whole.slice(at)], `cut at ${at}`)
    }
  })

  test('NET-11 refuses a chunk extension that comes byte by byte', async () => {
    const whole = HEAD + chunked(body, ';a=b')
    const start = HEAD.length - 6

    await expectNothing([whole.slice(0, start), ...whole.slice(start, start + 24).split(''), whole.slice(start + 24)])
  })

  test('NET-11 refuses a chunk extension behind many noughts, wherever they are cut', async () => {
    for (const noughts of ['0'.repeat(100), '0'.repeat(1_000)]) {
      const start = `${HEAD}${noughts}`
      for (const at of [HEAD.length, HEAD.length + 1, HEAD.length + 30, HEAD.length + 99, start.length]) {
        const whole = start + chunked(body, ';a=b')
        await expectNothing([whole.slice(0, at), whole.slice(at)], `${noughts.length} noughts, cut at ${at}`)
      }
    }
  })

  test('NET-11 makes no token of a request whose chunk extension comes after the rest of it was read', async () => {
    for (const framed of [chunked(body, ';a=b'), chunked(body, '', ';a=b')]) {
      await expectNothing([HEAD, framed])
    }
    const last = chunked(body, '', ';a=b')
    const start = last.lastIndexOf('\r\n0')
    await expectNothing([HEAD, last.slice(0, start), last.slice(start)])
  })

  test('NET-11 refuses a chunk extension on any path, and in a request that follows another', async () => {
    const kept = headOf({ fields: lengthField(body) }).replace('Connection: close\r\n', '')
    const other = headOf({ line: 'GET /healthz HTTP/1.1', fields: CHUNKED_FIELD })

    await expectNothing([other + chunked('x', ';a')])
    const replies = await sendSegments(opened.wire, [kept + body, HEAD + chunked(body, ';a')])
    expect(replies.map(({ status }) => status).slice(1)).not.toContain(200)
  })
})

/** Every place near the end of the head, and near the last chunk. */
function cutsOf(whole: string): readonly number[] {
  const body = whole.indexOf('\r\n\r\n') + 4
  const last = whole.lastIndexOf('\r\n0') + 2
  const around = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6]
  return [body, last].flatMap((at) => around.map((offset) => at + offset)).filter((at) => at < whole.length)
}
