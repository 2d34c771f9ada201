/** Ends a server without ending what it is doing. */

import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Watches a server's connections from before it listens, and gives what ends it: it takes no more, closes idle ones at once, busy
 * ones after their request, and whatever is left when the time is up, a TLS handshake that never went on included.
 */
export function prepareDrain(server: Server, patienceMs: number): () => Promise<void> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return () =>
    new Promise((resolve) => {
      if (!server.listening) return resolve()
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, patienceMs)
      server.close(() => {
        clearTimeout(timer)
        resolve()
      })
      server.closeIdleConnections()
    })
}
