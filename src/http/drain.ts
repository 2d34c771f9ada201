/** Ends a server without ending what it is doing. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Watches a server's connections from before it listens, and gives what ends it: it takes no more, closes idle ones at once, busy
 * ones after their request, and whatever is left when the time is up, a TLS handshake that never went on included.
 */
export function prepareDrain(server: Server, patienceMs: number): () => Promise<void> {
  const sockets = new Set<Socket>()
  const responses = new Set<ServerResponse>()
  let isDraining = false
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  // Node would keep a connection open after the answer, which then says so, for another 75 seconds.
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    if (isDraining) response.shouldKeepAlive = false
    responses.add(response)
    response.once('close', () => responses.delete(response))
  })
  return () =>
    new Promise((resolve) => {
      if (!server.listening) return resolve()
      isDraining = true
      for (const response of responses) response.shouldKeepAlive = false
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
