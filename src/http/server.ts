/** The Node server around the application: limits, framing and TLS. It is made here and listens elsewhere. */

import { randomUUID } from 'node:crypto'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import { createServer as createHttpsServer, type Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { WireError } from '../oauth/errors.ts'
import { type Answer, answerError } from './answer.ts'
import type { createApp } from './app.ts'
import { watchChunkExtensions } from './chunk-extensions.ts'
import { faultOfParser, findHeadFault } from './request-head.ts'

/** Time for a request's head and body to arrive, in milliseconds; whoever is slower is closed. */
const REQUEST_TIMEOUT_MS = 10_000

/** How long an idle connection is kept: longer than the usual proxy's, so that it is never we who close first. */
const KEEP_ALIVE_MS = 75_000

const MAX_HEADER_BYTES = 16_384

const TLS_OPTIONS = {
  minVersion: 'TLSv1.2',
  handshakeTimeout: REQUEST_TIMEOUT_MS,
  ALPNProtocols: ['http/1.1'],
} as const

/** A certificate chain and its key, in PEM. */
export interface TlsFiles {
  readonly cert: Buffer
  readonly key: Buffer
}

/** Creates the server of an application, with TLS where there are files for it. HTTP/1.1 only: no other framing to disagree about. */
export function createServer(app: ReturnType<typeof createApp>, tls: TlsFiles | undefined): Server | TlsServer {
  const options = {
    requestTimeout: REQUEST_TIMEOUT_MS,
    headersTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    insecureHTTPParser: false,
    // Node's own refusal would be a bare line; findHeadFault refuses with an answer like every other.
    requireHostHeader: false,
    // A second Authorization is seen beside the first, not dropped.
    joinDuplicateHeaders: true,
  }
  const listener = createListener(app)
  const server =
    tls === undefined
      ? createHttpServer(options, listener)
      : createHttpsServer({ ...options, ...tls, ...TLS_OPTIONS }, listener)
  // Fields are counted in findHeadFault: Node would drop those beyond the limit without a word.
  server.maxHeadersCount = 0
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) =>
    send(response, refusal(faultOfParser(undefined))),
  )
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (socket.writable && socket.bytesWritten === 0) socket.end(toBytes(refusal(faultOfParser(error.code))))
    else socket.destroy()
  })
  // A handshake that failed or took too long has nobody to answer.
  server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy())
  return server
}

/** What a request's address is made up with. Its own host was looked at, and is of no use to anybody. */
const ANY_HOST = 'localhost'

function createListener(app: ReturnType<typeof createApp>) {
  const handle = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  const refused = new WeakSet<Socket>()
  return (request: IncomingMessage, response: ServerResponse): void => {
    // What was sent behind a request that ends its connection is never done. RFC 9112 section 9.6.
    if (refused.has(request.socket)) return
    const fault = findHeadFault(request)
    if (fault !== undefined) {
      refused.add(request.socket)
      send(response, refusal(fault))
      return
    }
    // No answer depends on it, and the adapter would refuse some that are well-formed, with a bare line.
    request.headers.host = ANY_HOST
    if (request.headers['transfer-encoding'] !== undefined) {
      watchChunkExtensions(request, () => {
        refused.add(request.socket)
        request.socket.end(toBytes(refusal(faultOfParser(undefined))))
        request.destroy()
      })
    }
    void handle(request, response)
  }
}

/** An answer after which nothing more is read from the connection. */
function refusal(wire: WireError): Answer {
  return answerError(wire, randomUUID(), { connection: 'close' })
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, withLength(headers, body)).end(body)
}

function toBytes({ status, headers, body }: Answer): string {
  const lines = Object.entries(withLength(headers, body)).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`
}

function withLength(headers: Answer['headers'], body: string): Record<string, string> {
  return { ...headers, 'content-length': String(Buffer.byteLength(body)) }
}
