/** A port that leads to another one, until it is shut: a broker that goes away and comes back. */

import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Gate {
  readonly origin: string
  /** How long whoever came has waited for what lies behind it, in all, in milliseconds. */
  waitedMs(): number
  /** Drops every connection, and every one that comes. */
  shut(): void
  open(): void
  close(): Promise<void>
}

export async function startGate(port: number): Promise<Gate> {
  const sockets = new Set<Socket>()
  let isOpen = true
  let waited = 0
  const server = createServer((inner) => {
    if (!isOpen) {
      inner.destroy()
      return
    }
    const outer = connect(port, '127.0.0.1')
    for (const socket of [inner, outer]) {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    }
    let since: number | undefined
    inner.on('data', () => {
      since ??= performance.now()
    })
    outer.on('data', () => {
      if (since !== undefined) waited += performance.now() - since
      since = undefined
    })
    inner.pipe(outer).pipe(inner)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const drop = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    waitedMs: () => waited,
    shut() {
      isOpen = false
      drop()
    },
    open() {
      isOpen = true
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        drop()
      }),
  }
}
