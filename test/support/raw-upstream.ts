/** An upstream that answers in raw bytes: what no HTTP server would ever send. */

import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface RawUpstream {
  readonly origin: string
  /** `127.0.0.1:PORT`, as `--insecure-host` takes it. */
  readonly host: string
  /** Connections so far. */
  connections(): number
  /** What every request is answered with from now on. */
  answerWith(answer: string | Uint8Array | ((socket: Socket) => void)): void
  close(): Promise<void>
}

/** Starts an upstream that says nothing until it is told what. Each request head gets one answer, and the connection stays open. */
export async function startRawUpstream(): Promise<RawUpstream> {
  const sockets = new Set<Socket>()
  let answer: (socket: Socket) => void = () => undefined
  let connections = 0
  const server = createServer((socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', () => answer(socket))
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin: `http://${host}`,
    host,
    connections: () => connections,
    answerWith(next) {
      answer = typeof next === 'function' ? next : (socket) => void socket.write(next)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
