/** How a command asks the broker, on a real socket. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { askBroker } from '../../src/client/ask-broker.ts'

const NEVER = new AbortController().signal

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
}

async function textOf(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body ?? []) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function ask(endpoint: string, signal = NEVER) {
  const body = new URLSearchParams({ grant_type: 'a b', subject_token: 'é' })
  return askBroker(endpoint, { headers: { accept: 'application/json' }, body, signal })
}

test('posts a form as fetch does, and gives status, headers and body', async () => {
  const tell = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url, headers } = request
    const { accept, 'content-type': type, 'content-length': length, 'transfer-encoding': encoding } = headers
    const seen = { method, url, accept, type, length, encoding, text: await textOf(request) }
    response.writeHead(400, { 'x-request-id': 'one', 'retry-after': '7' }).end(JSON.stringify(seen))
  }
  const endpoint = await serve((request, response) => void tell(request, response))
  const { status, headers, body } = await ask(endpoint)

  expect({
    status,
    id: headers.get('x-request-id'),
    after: headers.get('retry-after'),
    none: headers.get('x'),
  }).toEqual({
    status: 400,
    id: 'one',
    after: '7',
    none: null,
  })
  expect(JSON.parse(await textOf(body))).toEqual({
    method: 'POST',
    url: '/token',
    accept: 'application/json',
    type: 'application/x-www-form-urlencoded;charset=UTF-8',
    length: '35',
    text: 'grant_type=a+b&subject_token=%C3%A9',
  })
})

test('follows no redirect', async () => {
  let requests = 0
  const endpoint = await serve((_, response) => {
    requests++
    response.writeHead(307, { location: endpoint }).end()
  })

  expect((await ask(endpoint)).status).toBe(307)
  expect(requests).toBe(1)
})

test('stops where it is told to, before an answer and in the middle of one', async () => {
  const asked = new AbortController()
  const read = new AbortController()
  const silent = await serve(() => asked.abort())
  const endless = await serve((_, response) => void response.writeHead(200).write('{'))

  await expect(ask(silent, asked.signal)).rejects.toMatchObject({ name: 'AbortError' })
  const { body } = await ask(endless, read.signal)
  read.abort()
  await expect(textOf(body)).rejects.toThrow()
})
