/** What must hold of a request's head, tried on what Node's own parser makes of real bytes. */

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { faultOfParser, findHeadFault } from '../../src/http/request-head.ts'
import { sendRaw } from '../support/raw-http.ts'

const MALFORMED = { status: 400, error: 'invalid_request', description: 'request_malformed' }
const HEAD_TOO_LARGE = { status: 431, error: 'invalid_request', description: 'head_too_large' }

let server: Server
let origin: string
beforeAll(async () => {
  // The parser's own check of Host is off, so that ours is what is tried.
  server = createServer({ requireHostHeader: false, maxHeaderSize: 65_536 }, (request, response) => {
    response.setHeader('connection', 'close').end(JSON.stringify(findHeadFault(request) ?? 'none'))
  })
  server.maxHeadersCount = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

async function faultOf(fields: readonly string[], target = '/token'): Promise<unknown> {
  const [reply] = await sendRaw(
    origin,
    `GET ${target} HTTP/1.1\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`,
  )
  return JSON.parse(reply?.text ?? '')
}

const HOST = 'Host: broker.example'

describe('Host', () => {
  test.each([
    ...[
      'broker.example',
      'broker.example:8080',
      'BROKER.example',
      'localhost',
      'a_b-c.example',
      '127.0.0.1',
      '127.0.0.1:1',
    ],
    ...['[::1]', '[::1]:8080', '[2001:db8::1]', '[::ffff:192.0.2.1]:443', 'broker.example:65535', 'x'.repeat(255)],
  ])('may be %s', async (host) => {
    expect(await faultOf([`Host: ${host}`])).toBe('none')
  })

  test.each([
    ...[
      '',
      'a b',
      'a,b',
      'broker.example, broker.example',
      'user@broker.example',
      'broker.example/',
      'broker.example#x',
    ],
    ...[
      'broker.example?x',
      'broker.example:',
      'broker.example:x',
      'broker.example:123456',
      '::1',
      '[::1',
      '[::1]x',
      '[x]',
    ],
    ...['broker.example:65536', '[::1]:65536', '[:::]', '[1.2.3.4]', '[1:2]'],
    ...['x'.repeat(256), 'broker%2eexample', 'b\u00fccher.example', 'broker.example:80:80', '[::1]:', 'a\\b'],
  ])('may not be %j', async (host) => {
    expect(await faultOf([`Host: ${host}`])).toEqual(MALFORMED)
  })

  test('is there once', async () => {
    expect(await faultOf([])).toEqual(MALFORMED)
    expect(await faultOf([HOST, HOST])).toEqual(MALFORMED)
    expect(await faultOf([HOST, 'hOsT: other.example'])).toEqual(MALFORMED)
  })

  test('is not what another field holds or is called like', async () => {
    expect(await faultOf([HOST, 'X-Forwarded-Host: a b', 'X: Host', 'Hosts: a b'])).toBe('none')
    expect(await faultOf(['X-Forwarded-Host: broker.example', 'X: host'])).toEqual(MALFORMED)
  })
})

describe('the target', () => {
  test.each(['/', '/token', '/token?x=1', '//token', '/a/../b', `/${'x'.repeat(2_047)}`])(
    'may be %s',
    async (target) => {
      expect(await faultOf([HOST], target)).toBe('none')
    },
  )

  test.each(['http://broker.example/token', 'https://other.example/', `/${'x'.repeat(2_048)}`])(
    'may not be %s',
    async (target) => {
      expect(await faultOf([HOST], target)).toEqual(MALFORMED)
    },
  )

  test('may not be that of OPTIONS for the whole server', async () => {
    const [reply] = await sendRaw(origin, `OPTIONS * HTTP/1.1\r\n${HOST}\r\n\r\n`)

    expect(JSON.parse(reply?.text ?? '')).toEqual(MALFORMED)
  })
})

test('there may be a hundred fields, and not one more', async () => {
  const fields = (count: number) => Array.from({ length: count - 1 }, (_, number) => `X-${number}: x`)

  expect(await faultOf([HOST, ...fields(100)])).toBe('none')
  expect(await faultOf([HOST, ...fields(101)])).toEqual(HEAD_TOO_LARGE)
})

test.each([
  ['HPE_HEADER_OVERFLOW', HEAD_TOO_LARGE],
  ['ERR_HTTP_REQUEST_TIMEOUT', { status: 408, error: 'invalid_request', description: 'request_too_slow' }],
  ['HPE_INVALID_METHOD', MALFORMED],
  ['ECONNRESET', MALFORMED],
  [undefined, MALFORMED],
])('what the parser refused for %s is answered as what it is', (code, expected) => {
  expect(faultOfParser(code)).toEqual(expected)
})
