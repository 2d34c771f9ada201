/** Connections that are held open, so that the broker may not end. */

import { expect, test } from 'vitest'
import { openSocket, readToClose } from '../support/raw-http.ts'
import { headOf, openTls } from '../support/raw-segments.ts'
import { openWiredScene } from '../support/tls-scene.ts'

/** Requests under way get ten seconds; the rest is for a busy machine. */
const LATEST_MS = 20_000

test('ends within its ten seconds, whatever connections are held, handshakes among them', async () => {
  const [plain, tls] = await Promise.all([openWiredScene('plain'), openWiredScene('tls')])
  const half = headOf({ fields: 'Content-Length: 5\r\n' })
  const sockets = await Promise.all([
    openSocket(plain.wire.origin),
    openSocket(plain.wire.origin),
    openSocket(tls.wire.origin),
    openSocket(tls.wire.origin),
    openTls(tls.wire),
    openTls(tls.wire),
  ])
  sockets[1]?.write(half)
  sockets[3]?.write('\x16\x03\x01\x02', 'latin1')
  sockets[5]?.write(half)
  const closed = Promise.all(sockets.map(readToClose))

  const startedAt = performance.now()
  const stopped = Promise.all([plain.close(), tls.close()])
  const giveUp = setTimeout(() => {
    for (const socket of sockets) socket.destroy()
  }, LATEST_MS)
  await Promise.all([stopped, closed])
  clearTimeout(giveUp)

  expect(performance.now() - startedAt).toBeLessThan(LATEST_MS)
}, 40_000)
