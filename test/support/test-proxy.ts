/** An http proxy that tunnels everything to one place, wherever it was asked to. */

import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

export interface TestProxy {
  readonly url: URL
  /** `host:port` of every tunnel that was asked for, and the URL of every request without one. */
  readonly asked: readonly string[]
  /** How the next tunnel is answered: it leads to a port of loopback, is refused with a status, or not answered at all. */
  answerWith(answer: { readonly port: number } | { readonly status: number } | 'nothing'): void
  close(): Promise<void>
}

export async function startTestProxy(): Promise<TestProxy> {
  const asked: string[] = []
  const sockets = new Set<Socket>()
  let answer: Parameters<TestProxy['answerWith']>[0] = 'nothing'
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => undefined)
  }
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end('{}')
  })
  server.on('connection', keep)
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push(request.url ?? '')
    if (answer === 'nothing') return
    if ('status' in answer) {
      socket.end(`HTTP/1.1 ${answer.status} X\r\n\r\n`)
      return
    }
    const upstream = keep(connect(answer.port, '127.0.0.1'))
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    upstream.pipe(socket).pipe(upstream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    asked,
    answerWith: (next) => {
      answer = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
