/** Sees where this process connects to, before the first packet leaves. */

import { Socket } from 'node:net'
import { vi } from 'vitest'

/** Watches from now to the end of the test. The answer gives the addresses tried at a port so far, in order. */
export function watchConnections(): (port: number) => readonly string[] {
  const attempts: { readonly address: string; readonly port: number }[] = []
  const connect = Socket.prototype.connect
  function watched(this: Socket, ...args: Parameters<typeof connect>): Socket {
    this.on('connectionAttempt', (address, port) => attempts.push({ address, port }))
    return Reflect.apply(connect, this, args)
  }
  vi.spyOn(Socket.prototype, 'connect').mockImplementation(watched)
  return (wanted) => attempts.filter(({ port }) => port === wanted).map(({ address }) => address)
}
