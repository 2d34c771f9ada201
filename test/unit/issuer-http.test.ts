/** Files that an operator replaces, and the connections that depend on them. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createIssuerHttp, followFile } from '../../providers/kit/issuer-http.ts'
import { type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { createAuthority } from '../support/certificates.ts'
import { createTestClock } from '../support/clock.ts'
import { createTestPorts } from '../support/provider-ports.ts'
import { rejection } from '../support/rejection.ts'

/** A directory of one file, which counts how often it is read. */
function createFile(text: string | undefined) {
  const clock = createTestClock()
  const file = { text, reads: 0 }
  const readFile = async (name: string): Promise<string> => {
    file.reads++
    if (name !== 'token' || file.text === undefined) throw new Error('no such file')
    return file.text
  }
  return { clock, file, follow: followFile('token', { now: clock.now, readFile }) }
}

describe('a followed file', () => {
  test('is read when it is first needed, once for all who ask meanwhile', async () => {
    const { file, follow } = createFile('one')
    expect(file.reads).toBe(0)

    expect(await Promise.all([follow(), follow(), follow()])).toEqual(['one', 'one', 'one'])
    expect(file.reads).toBe(1)
  })

  test('is read again within a minute', async () => {
    const { clock, file, follow } = createFile('one')
    await follow()
    file.text = 'two'

    clock.advance(29)
    expect(await follow()).toBe('one')
    expect(file.reads).toBe(1)
    clock.advance(31)

    expect(await follow()).toBe('two')
    expect(file.reads).toBe(2)
  })

  test('is read again at once where the clock was set back', async () => {
    const { clock, file, follow } = createFile('one')
    await follow()
    file.text = 'two'

    clock.advance(-1)

    expect(await follow()).toBe('two')
  })

  test('that cannot be read is an outage, which names the file and is not kept', async () => {
    const { file, follow } = createFile(undefined)

    expect(await rejection(follow())).toMatchObject({ code: 'file_unreadable', facts: { file: 'token' } })
    file.text = 'one'

    expect(await follow()).toBe('one')
    expect(file.reads).toBe(2)
  })

  test('that was there and is gone is an outage too, and no old text is believed', async () => {
    const { clock, file, follow } = createFile('one')
    await follow()
    file.text = undefined
    clock.advance(60)

    expect((await rejection(follow())).code).toBe('file_unreadable')
    expect((await rejection(follow())).code).toBe('file_unreadable')
  })

  test('whose reading failed late takes nothing away from one that was read since', async () => {
    const clock = createTestClock()
    const first = Promise.withResolvers<string>()
    const texts = [first.promise, Promise.resolve('two')]
    let reads = 0
    const readFile = (): Promise<string> => texts[reads++] ?? Promise.resolve('three')
    const follow = followFile('token', { now: clock.now, readFile })
    const slow = rejection(follow())
    clock.advance(30)
    expect(await follow()).toBe('two')

    first.reject(new Error('too late'))
    await slow

    expect(await follow()).toBe('two')
  })
})

describe('the client of an issuer', () => {
  const [old, current] = [createAuthority('old'), createAuthority('current')]
  let upstream: StandInServer
  beforeAll(async () => {
    const tls = current.issue({ hostnames: ['issuer.example'] })
    upstream = await startStandInServer({ route: () => ({ status: 200 }), tls, hostname: 'issuer.example' })
  })
  afterAll(() => upstream.close())

  /** The client of an issuer whose host is private, with files that a test may replace. */
  function createIssuer(caFile: string | undefined) {
    const clock = createTestClock()
    const files: Record<string, string> = { 'ca.pem': old.cert }
    const ports = createTestPorts({ clock, files, addresses: { 'issuer.example': ['127.0.0.1'] } })
    const settings = { trustedIssuer: 'cluster', privateHosts: [upstream.host], caFile }
    return { clock, files, ports, http: createIssuerHttp(settings, ports) }
  }

  test('stays the same as long as its authorities do', async () => {
    const { clock, http } = createIssuer('ca.pem')
    const first = await http()
    clock.advance(3_600)

    expect(await http()).toBe(first)
  })

  test('needs no file where the system’s authorities will do', async () => {
    const { http } = createIssuer(undefined)

    expect(await http()).toHaveProperty('send')
    expect(await http()).toBe(await http())
  })

  test('follows a replaced authority, and is told of by its trusted issuer', async () => {
    const { clock, files, ports, http } = createIssuer('ca.pem')
    const request = { purpose: 'keys', url: upstream.origin, maxBytes: 10 }
    expect((await rejection((await http()).send(request))).code).toBe('upstream_unreachable')
    files['ca.pem'] = current.cert

    clock.advance(60)

    expect((await (await http()).send(request)).status).toBe(200)
    expect(ports.events).toMatchObject([
      { trustedIssuer: 'cluster', outcome: 'upstream_unreachable' },
      { trustedIssuer: 'cluster', outcome: '2xx' },
    ])
  })

  test('may reach the private hosts that it is given, and no others', async () => {
    const { http } = createIssuer('ca.pem')
    const request = { purpose: 'keys', url: 'https://other.example:444/', maxBytes: 10 }

    expect((await rejection((await http()).send(request))).code).toBe('upstream_address_refused')
  })

  test('takes every authority of a file, whatever stands between them', async () => {
    const { files, http } = createIssuer('ca.pem')
    files['ca.pem'] = `# old\n${old.cert}\n# current\n${current.cert}`
    const request = { purpose: 'keys', url: upstream.origin, maxBytes: 10 }

    expect((await (await http()).send(request)).status).toBe(200)
  })

  test.each([
    ['is empty', () => ''],
    ['holds no certificate', () => 'x'],
    ['holds a key alone', () => current.issue({ hostnames: ['x'] }).key],
    ['holds half a certificate', () => current.cert.slice(0, -30)],
    ['holds a certificate that is none', () => '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
    ['holds one that is none beside a good one', () => `${current.cert}${current.cert.replace('MII', 'AAA')}`],
  ])('is none where the file of its authorities %s, as nobody else shall vouch for it', async (_, text) => {
    const { files, http } = createIssuer('ca.pem')
    files['ca.pem'] = text()

    expect(await rejection(http())).toMatchObject({ code: 'file_unreadable', facts: { file: 'ca.pem' } })
  })

  test('is none where its authorities cannot be read', async () => {
    const { http } = createIssuer('gone.pem')

    expect(await rejection(http())).toMatchObject({ code: 'file_unreadable', facts: { file: 'gone.pem' } })
  })
})
