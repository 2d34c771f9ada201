/** Sends requests in pieces that the server reads one by one, in plain text or over TLS. */

import type { Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { Reply } from './broker.ts'
import { openSocket, parseReplies, readToClose } from './raw-http.ts'

/** How a connection is made: in plain text where there is no authority. */
export interface Wire {
  readonly origin: string
  readonly authority?: string
  readonly alpn?: readonly string[]
}

/** Turns of the event loop that a segment needs from our socket to the server's parser, with room to spare. */
const TURNS = 12

/** Sends each piece in a segment of its own and gives everything that comes back until the server closes. */
export async function sendSegments(wire: Wire, pieces: readonly string[]): Promise<readonly Reply[]> {
  const socket = wire.authority === undefined ? await openSocket(wire.origin) : await openTls(wire)
  socket.setNoDelay(true)
  const received = readToClose(socket)
  for (const piece of pieces) await sendOne(socket, piece)
  return parseReplies(await received)
}

/** Opens a TLS connection to an origin by its address. */
export function openTls({ origin, authority, alpn }: Wire): Promise<TLSSocket> {
  const { hostname, port } = new URL(origin)
  const protocols = alpn === undefined ? {} : { ALPNProtocols: [...alpn] }
  // The certificate's name is another test's subject: here the broker is found by its address.
  const options = { host: hostname, port: Number(port), ca: authority, checkServerIdentity: () => undefined }
  return new Promise((resolve, reject) => {
    const socket = connectTls({ ...options, ...protocols }, () => resolve(socket))
    socket.once('error', reject)
  })
}

/** Both ends are in this process, so a few turns after the bytes are written the server has read them. */
async function sendOne(socket: Socket, piece: string): Promise<void> {
  if (!socket.writable) return
  await new Promise<void>((resolve) => socket.write(piece, 'latin1', () => resolve()))
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** The lines of a request's head that a test wants otherwise. */
export interface HeadParts {
  readonly line?: string
  readonly host?: string
  /** Whole lines, each with its end. */
  readonly fields?: string
}

/** Gives the head of a token request as a client writes it. The connection is to be closed after the answer. */
export function headOf({
  line = 'POST /token HTTP/1.1',
  host = 'Host: broker.example\r\n',
  fields = '',
}: HeadParts): string {
  return `${line}\r\n${host}Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n${fields}\r\n`
}

/** Gives the field that tells a body's length. */
export function lengthField(body: string): string {
  return `Content-Length: ${body.length}\r\n`
}

/** The field that announces chunks. */
export const CHUNKED_FIELD = 'Transfer-Encoding: chunked\r\n'

/** Gives a body as one chunk, with whatever is to stand after its size and that of the last. */
export function chunked(body: string, extension = '', lastExtension = ''): string {
  return `${body.length.toString(16)}${extension}\r\n${body}\r\n0${lastExtension}\r\n\r\n`
}
