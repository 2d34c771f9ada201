/** A way to a server that can fall silent: connections stay, and nothing comes through. */

import { connect, createServer, type Socket } from 'node:net'

export interface SilentProxy {
  readonly port: number
  fallSilent(): void
  speak(): void
  close(): Promise<void>
}

export async function startSilentProxy(target: number): Promise<SilentProxy> {
  const sockets = new Set<Socket>()
  let isSilent = false
  const join = (from: Socket, to: Socket): void => {
    sockets.add(from)
    from.on('data', (bytes) => {
      if (!isSilent) to.write(bytes)
    })
    from.on('error', () => undefined)
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
  }
  const server = createServer((inner) => {
    const outer = connect(target, '127.0.0.1')
    join(inner, outer)
    join(outer, inner)
  })
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
  return {
    port,
    fallSilent() {
      isSilent = true
    },
    speak() {
      isSilent = false
    },
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
