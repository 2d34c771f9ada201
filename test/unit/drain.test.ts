/** Ending a server: what is under way goes on, and nothing waits for what comes after it. */

import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { prepareDrain } from '../../src/http/drain.ts'

/** Longer than a test may take. */
const NEVER_MS = 60_000

async function openServer(patienceMs: number) {
  const asked: ServerResponse[] = []
  const server = createServer((_request, response) => void asked.push(response))
  server.keepAliveTimeout = NEVER_MS
  const drain = prepareDrain(server, patienceMs)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const dial = async (line: string): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    await Promise.all([once(server, 'connection'), once(socket, 'connect')])
    socket.write(line)
    return socket
  }
  return { server, drain, dial, asked }
}

test('closes a connection after the request that it was busy with, and says so', async () => {
  const { server, drain, dial, asked } = await openServer(NEVER_MS)
  const socket = await dial('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  await once(server, 'request')
  const ended = drain()
  asked[0]?.end('done')

  expect(await text(socket)).toMatch(/^HTTP\/1.1 200 OK\r\n.*connection: close\r\n.*done$/is)
  await ended
})

test('closes a connection after the request whose head came late', async () => {
  const { server, drain, dial, asked } = await openServer(NEVER_MS)
  const socket = await dial('GET / HTTP/1.1\r\n')
  const other = await dial('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  await once(server, 'request')
  const ended = drain()
  socket.write('host: a\r\n\r\n')
  await once(server, 'request')
  for (const response of asked) response.end('done')

  expect(await text(socket)).toMatch(/connection: close/is)
  expect(await text(other)).toMatch(/connection: close/is)
  await ended
})

test('closes what is left when the time is up', async () => {
  const { server, drain, dial } = await openServer(50)
  const socket = await dial('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
  await once(server, 'request')
  await drain()

  expect(await text(socket)).toBe('')
})
