/** The server that every stand-in for a cloud is made of: routes, a log of what was asked, and failures on demand. */

import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** A request as a route sees it. */
export interface StandInRequest {
  readonly method: string
  /** As it was sent, before anybody parsed it: what a signature over the request covers. */
  readonly target: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  /** Names and values by turns, as they were sent: in their case and order, and each as often as it came. */
  readonly rawHeaders: readonly string[]
  readonly body: string
}

export interface StandInAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | object
}

/** How a path misbehaves until it is told to recover. */
export type Failure =
  | 'down'
  | 'slow'
  | 'huge'
  | 'redirecting'
  | 'encoded'
  | 'wrong'
  /** Answers with this instead. */
  | StandInAnswer

export interface StandInServer {
  /** `http://127.0.0.1:PORT`, or https where there is a certificate. */
  readonly origin: string
  /** `127.0.0.1:PORT`, as `--insecure-host` takes it. */
  readonly host: string
  /** Every request so far, in order, failed ones included. */
  readonly requests: readonly StandInRequest[]
  /** Makes a path fail, or every path where it is `*`. */
  fail(path: string, failure: Failure): void
  recover(): void
  close(): Promise<void>
}

export interface StandInOptions {
  readonly route: (request: StandInRequest) => StandInAnswer | Promise<StandInAnswer>
  readonly tls?: { readonly cert: string; readonly key: string }
  /** The name that the certificate is for. */
  readonly hostname?: string
  /** A free one by default. */
  readonly port?: number
}

/** Starts a stand-in on loopback. Rejects where its port is taken. */
export async function startStandInServer({
  route,
  tls,
  hostname = '127.0.0.1',
  port = 0,
}: StandInOptions): Promise<StandInServer> {
  const requests: StandInRequest[] = []
  const failures = new Map<string, Failure>()
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await readRequest(incoming)
    requests.push(request)
    const failure = failures.get(request.path) ?? failures.get('*')
    if (failure === undefined) send(response, await route(request))
    else misbehave(failure, incoming, response)
  }
  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    handle(incoming, response).catch(() => response.destroy())
  }
  const server: Server = tls === undefined ? createHttpServer(listener) : createHttpsServer(tls, listener)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const host = `${hostname}:${(server.address() as AddressInfo).port}`
  return {
    origin: `${tls === undefined ? 'http' : 'https'}://${host}`,
    host,
    requests,
    fail: (path, failure) => failures.set(path, failure),
    recover: () => failures.clear(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function readRequest(incoming: IncomingMessage): Promise<StandInRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
  const { method = 'GET', url: target = '/', headers, rawHeaders } = incoming
  const { pathname, searchParams } = new URL(target, 'http://stand-in')
  const body = Buffer.concat(chunks).toString()
  return { method, target, path: pathname, query: searchParams, headers, rawHeaders, body }
}

function send(response: ServerResponse, { status, headers = {}, body = '' }: StandInAnswer): void {
  const isText = typeof body === 'string'
  response.writeHead(status, { ...(isText ? {} : { 'content-type': 'application/json' }), ...headers })
  response.end(isText ? body : JSON.stringify(body))
}

function misbehave(failure: Failure, incoming: IncomingMessage, response: ServerResponse): void {
  if (failure === 'down') incoming.socket.destroy()
  else if (failure === 'huge') pour(response)
  // Head and first byte come at once, the rest never does.
  else if (failure === 'slow') response.writeHead(200, { 'content-type': 'application/json' }).write('{')
  else send(response, typeof failure === 'object' ? failure : WRONG_ANSWERS[failure])
}

const WRONG_ANSWERS: Readonly<Record<'redirecting' | 'encoded' | 'wrong', StandInAnswer>> = {
  redirecting: { status: 302, headers: { location: 'http://127.0.0.1:9/elsewhere' } },
  encoded: { status: 200, headers: { 'content-encoding': 'gzip, deflate, br' }, body: 'x' },
  wrong: { status: 200, body: { message: 'this is not what you asked for' } },
}

/** Sends white space for as long as anybody reads it. */
function pour(response: ServerResponse): void {
  const chunk = ' '.repeat(65_536)
  response.writeHead(200, { 'content-type': 'application/json' })
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  }
  response.on('drain', more)
  more()
}
