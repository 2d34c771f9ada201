/** The door of an agent: how long it is held open for whoever says nothing, and what lies in its way. */

import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Door, openDoor } from '../../src/cli/agent/listen.ts'
import { findFreePort } from '../support/process.ts'
import { readToClose } from '../support/raw-http.ts'
import { makeScratch } from '../support/scratch.ts'

let door: Door
let port: number

beforeAll(async () => {
  port = await findFreePort()
  door = await openDoor({ kind: 'loopback', host: '127.0.0.1', port }, (_, response) => response.end('{}'))
})
afterAll(() => door.close())

describe.concurrent('whoever is slow', () => {
  test.each([
    ['says nothing', ''],
    ['sends half a head', 'GET /healthz HTTP/1.1\r\nHost: local'],
    ['sends half a body', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n1'],
  ])('is gone after about five seconds: one that %s', async (_, text) => {
    const before = performance.now()
    const socket = connect(port, '127.0.0.1')
    socket.write(text)
    await readToClose(socket)

    expect(performance.now() - before).toBeLessThan(8_000)
  })
})

test('the socket of an agent that has ended is told of where it cannot be taken away', () => {
  const directory = makeScratch()
  const path = join(directory, 'dead.sock')
  const leave = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', leave, path])
  const uid = process.getuid?.() === 0 ? 65_534 : process.getuid?.()
  if (uid !== undefined) for (const each of [directory, path]) chownSync(each, uid, -1)
  chmodSync(directory, 0o500)
  const source = new URL('../../src/cli/agent/listen.ts', import.meta.url).href
  const script = `const { openDoor } = await import('${source}')
    await openDoor({ kind: 'socket', path: process.argv[1] }, () => undefined).catch(({ name, message }) => console.log(name, message))`
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script, path], {
    ...(uid === undefined ? {} : { uid }),
    encoding: 'utf8',
  })
  chmodSync(directory, 0o700)

  expect(stdout).toMatch(/^SettingsError listen: cannot listen at unix:.*dead\.sock: .*in the way/)
  expect(existsSync(path)).toBe(true)
})
