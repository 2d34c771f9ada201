/** Speaks to a server in raw bytes: what no HTTP client would ever send. */

import { connect, type Socket } from 'node:net'
import type { Reply } from './broker.ts'

/** Opens a connection to an origin such as `http://127.0.0.1:8080`. */
export function openSocket(origin: string): Promise<Socket> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => resolve(socket))
    socket.once('error', reject)
  })
}

/** Sends bytes as they are and gives everything that comes back until the server closes. */
export async function sendRaw(origin: string, ...parts: readonly (string | Uint8Array)[]): Promise<readonly Reply[]> {
  const socket = await openSocket(origin)
  const received = readToClose(socket)
  for (const part of parts) socket.write(part)
  return parseReplies(await received)
}

/** Gives what arrives until the connection ends, by whatever end. */
export function readToClose(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    // A server that closes while we still write resets the connection: what it said before counts.
    socket.on('error', () => undefined)
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
  })
}

/** Splits a connection's bytes into answers, each as long as it says. */
export function parseReplies(text: string): readonly Reply[] {
  const replies: Reply[] = []
  let rest = text
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    if (end === -1) throw new Error(`this is no HTTP answer: ${JSON.stringify(rest)}`)
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n')
    const headers = new Headers(lines.map((line): [string, string] => splitField(line)))
    const { body, after } = splitBody(rest.slice(end + 4), headers)
    rest = after
    replies.push({
      status: Number(statusLine.split(' ')[1]),
      headers,
      text: body,
      json: (body === '' ? {} : JSON.parse(body)) as Readonly<Record<string, unknown>>,
      requestId: headers.get('x-request-id') ?? '',
    })
  }
  return replies
}

function splitField(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), line.slice(colon + 1).trim()]
}

function splitBody(text: string, headers: Headers): { body: string; after: string } {
  if (headers.get('transfer-encoding') !== 'chunked') {
    const length = Number(headers.get('content-length') ?? text.length)
    return { body: text.slice(0, length), after: text.slice(length) }
  }
  const [line = '', size = ''] = /^([0-9a-f]+)\r\n/i.exec(text) ?? []
  const length = Number.parseInt(size, 16)
  if (Number.isNaN(length)) throw new Error(`this is no chunk: ${JSON.stringify(text)}`)
  const chunk = text.slice(line.length, line.length + length)
  const rest = text.slice(line.length + length + 2)
  if (length === 0) return { body: '', after: rest }
  const { body, after } = splitBody(rest, headers)
  return { body: chunk + body, after }
}
