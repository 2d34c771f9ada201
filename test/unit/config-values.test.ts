/** Values as an operator writes them: read the one way that is meant, or refused with what to write instead. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkTls,
  isLoopback,
  parseAudit,
  parseDirectory,
  parseInsecureHost,
  parseIssuer,
  parseListenAddress,
  parseNetwork,
  parseProxy,
  parseRotationDays,
  parseStore,
  readKeys,
} from '../../src/config-values.ts'
import { createAuthority } from '../support/certificates.ts'
import { makeScratch } from '../support/scratch.ts'

describe('days between rotations', () => {
  test.each([2, 7, 30, 90, 365])('may be %d', (days) => {
    expect(parseRotationDays(String(days))).toBe(days)
  })

  test.each(['', '0', '1', '366', '999', '1000', '-2', '+2', '2.0', '1e1', '0x10', ' 7', '7 ', '7d', '٧'])(
    'may not be "%s"',
    (text) => {
      expect(() => parseRotationDays(text)).toThrow(/whole number of days from 2 to 365/)
    },
  )
})

describe('an address to listen on', () => {
  test.each([
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8_080 }],
    ['0.0.0.0:0', { host: '0.0.0.0', port: 0 }],
    ['[::]:8080', { host: '::', port: 8_080 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
    ['localhost:8080', { host: '127.0.0.1', port: 8_080 }],
  ])('may be %s', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address)
  })

  test.each([
    ...[
      '',
      '8080',
      ':8080',
      '127.0.0.1',
      '127.0.0.1:',
      '127.0.0.1:65536',
      '127.0.0.1:-1',
      '127.0.0.1:123456',
      '::1:8080',
    ],
    ...[
      'broker.example:8080',
      '[::1:8080',
      '::1]:8080',
      '[]:8080',
      '127.0.0.256:1',
      '127.1:8080',
      'http://127.0.0.1:1',
    ],
    ...['127.0.0.1:80a', ' 127.0.0.1:80', '127.0.0.1:80\n'],
  ])('may not be %j', (text) => {
    expect(() => parseListenAddress(text)).toThrow(text)
  })

  test.each([
    ['127.0.0.1', true],
    ['127.255.0.9', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['128.0.0.1', false],
    ['::ffff:127.0.0.1', false],
    ['127.0.0.1.example', false],
    ['1127.0.0.1', false],
    ['::11', false],
  ])('is this machine’s alone, or not: %s %s', (address, expected) => {
    expect(isLoopback(address)).toBe(expected)
  })
})

describe('an issuer', () => {
  test.each([
    'https://broker.example',
    'https://broker.example:8443',
    'https://broker.example/a/b',
    'https://192.0.2.1',
  ])('may be %s, and is taken to the byte', (text) => {
    expect(parseIssuer(text, false)).toBe(text)
    expect(parseIssuer(text, true)).toBe(text)
  })

  test.each(['http://127.0.0.1:8080', 'http://[::1]:8080', 'http://127.0.0.1'])(
    'may be %s on loopback alone',
    (text) => {
      expect(parseIssuer(text, true)).toBe(text)
      expect(() => parseIssuer(text, false)).toThrow('https')
    },
  )

  test.each([
    ['broker.example', 'is not a URL'],
    ['', 'is not a URL'],
    ['https://', 'is not a URL'],
    ['http://broker.example', 'must be https'],
    ['http://localhost:8080', 'must be https'],
    ['http://127.0.0.2:8080', 'must be https'],
    ['ftp://127.0.0.1', 'must be https'],
    ['https://broker.example?x=1', 'no query'],
    ['https://broker.example?', 'no query'],
    ['https://broker.example#x', 'no fragment'],
    ['https://broker.example#', 'no fragment'],
    ['https://user@broker.example', 'no credentials'],
    ['https://:secret@broker.example', 'no credentials'],
    ['https://broker.example/', 'slash'],
    ['https://broker.example/a/', 'slash'],
    ['https://BROKER.example', 'write https://broker.example'],
    ['https://broker.example:443', 'write https://broker.example'],
    ['https://broker.example/a/../b', 'write https://broker.example/b'],
    ['HTTPS://broker.example', 'write https://broker.example'],
    [' https://broker.example', 'write https://broker.example'],
    ['https://bro\nker.example', 'write https://broker.example'],
    ['https://bücher.example', 'write https://xn--bcher-kva.example'],
  ])('may not be %j: it %s', (text, message) => {
    expect(() => parseIssuer(text, true)).toThrow(message)
  })

  test('that is taken is one that every URL reader writes the same way', () => {
    const texts = fc.oneof(
      fc.tuple(fc.domain(), fc.webPath()).map(([domain, path]) => `https://${domain}${path}`),
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
    )
    const property = fc.property(texts, (text) => {
      const outcome = attempt(() => parseIssuer(text, false))

      fc.pre(outcome !== undefined)
      expect([text, `${text}/`]).toContain(new URL(text).href)
      expect(text).toMatch(/^https:\/\/[^?#]+[^/]$/)
    })

    fc.assert(property, { numRuns: 300 })
  })
})

function attempt(read: () => string): string | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

describe('a host that need not be safe', () => {
  test.each(['localhost:8080', '127.0.0.1:1', '[::1]:65535', 'a-b.example:443'])('may be %s', (text) => {
    expect(parseInsecureHost(text)).toBe(text)
  })

  test.each([
    'localhost',
    'localhost:0',
    'LOCALHOST:80',
    'http://localhost:80',
    '*:80',
    '[::G]:80',
    'a_b:80',
    '',
    ':80',
    'a b:80',
    'a:65536',
  ])('may not be %j', (text) => {
    expect(() => parseInsecureHost(text)).toThrow(text)
  })
})

describe('stores, sinks, proxies, networks and directories', () => {
  test('are read as they are meant', () => {
    const directory = makeScratch()

    expect(parseStore('sqlite:./chancery.db')).toEqual({ kind: 'sqlite', path: './chancery.db' })
    expect(parseAudit('stdout')).toEqual({ kind: 'stdout' })
    expect(parseAudit('postgres')).toEqual({ kind: 'postgres' })
    expect(parseAudit('file:/var/log/audit.jsonl')).toEqual({ kind: 'file', path: '/var/log/audit.jsonl' })
    expect(parseProxy('http://proxy.example:3128').href).toBe('http://proxy.example:3128/')
    expect(parseNetwork('10.0.0.0/8')).toBe('10.0.0.0/8')
    expect(parseDirectory(directory)).toBe(directory)
  })

  test.each<[string, (text: string) => unknown, readonly string[]]>([
    ['sqlite:PATH', parseStore, ['', 'sqlite', 'sqlite:', 'chancery.db', 'mysql://u@h/d', 'SQLITE:x']],
    ['stdout, file:PATH or postgres', parseAudit, ['', 'file', 'file:', 'STDOUT', 'stderr', 'postgres:', '/var/log/x']],
    [
      'such as http://proxy',
      parseProxy,
      ['', 'proxy:3128', 'https://proxy.example', 'socks5://p', 'http://p/x', 'http://p?x', 'http://p#x', 'nonsense'],
    ],
    ['such as 10.0.0.0/8', parseNetwork, ['', '10.0.0.0/33', 'localhost', '10.0.0.0/8,10.0.0.0/8']],
  ])('are refused where they are none, with what to write instead: %s', (advice, parse, texts) => {
    for (const text of texts) expect(() => parse(text)).toThrow(advice)
  })

  test('whatever may hold a password is not repeated', () => {
    const texts = ['https://user:s3cret@h.example', 'postgres://user:s3cret@h', 'nonsense s3cret']

    for (const parse of [parseProxy, parseStore, parseAudit, (text: string) => parseIssuer(text, true)]) {
      for (const text of texts) expect(() => parse(text)).toThrow(/^(?!.*s3cret)/)
    }
  })

  test('a file is no directory, and neither is nothing', () => {
    const file = join(makeScratch(), 'file')
    writeFileSync(file, '')

    expect(() => parseDirectory(file)).toThrow('is not a directory')
    expect(() => parseDirectory(`${file}-absent`)).toThrow('is not a directory')
  })
})

describe('keys of the operator', () => {
  const KEY = Buffer.alloc(32, 0xfb)
  const text = KEY.toString('base64')

  test('are base64 of 32 bytes, several after commas, the first first', () => {
    const other = Buffer.alloc(32, 1)

    expect(readKeys(text, undefined)).toEqual([KEY])
    expect(readKeys(`${text}, ${other.toString('base64')}\n`, undefined)).toEqual([KEY, other])
    expect(readKeys(text.replace('=', ''), undefined)).toEqual([KEY])
  })

  test('may be in a file, and are none where nobody gave any', () => {
    const file = join(makeScratch(), 'key')
    writeFileSync(file, `${text}\n`)

    expect(readKeys(undefined, file)).toEqual([KEY])
    expect(readKeys(undefined, undefined)).toEqual([])
  })

  test.each([
    ['nothing', ''],
    ['31 bytes', Buffer.alloc(31, 7).toString('base64')],
    ['33 bytes', Buffer.alloc(33, 7).toString('base64')],
    ['hex', KEY.toString('hex')],
    ['base64url', KEY.toString('base64url')],
    ['a character that is no base64', text.replace('+', '!')],
    ['a space within', `${text.slice(0, 10)} ${text.slice(10)}`],
    ['bits that no encoder writes', `${text.slice(0, 42)}/=`],
    ['an empty one behind a comma', `${text},`],
    ['a wrong one behind a right one', `${text},x`],
  ])('are refused where they are %s, and never repeated', (_what, wrong) => {
    expect(() => readKeys(wrong, undefined)).toThrow(
      /^every key must be base64 of exactly 32 bytes, as "openssl rand -base64 32" gives$/,
    )
  })

  test('are refused where their file cannot be read', () => {
    expect(() => readKeys(undefined, join(makeScratch(), 'absent'))).toThrow('ENOENT')
  })
})

describe('a certificate and its key', () => {
  function write(name: string, text: string, directory: string): string {
    const file = join(directory, name)
    writeFileSync(file, text)
    return file
  }
  const authority = createAuthority('tests')

  test('are taken where they belong together', () => {
    const directory = makeScratch()
    const { cert, key } = authority.issue({ hostnames: ['broker.example'] })
    const files = { certFile: write('cert.pem', cert, directory), keyFile: write('key.pem', key, directory) }

    expect(checkTls(files)).toEqual(files)
  })

  test('are refused where they do not, or are not what they should be', () => {
    const directory = makeScratch()
    const [one, other] = [0, 1].map(() => authority.issue({ hostnames: ['broker.example'] }))
    const certFile = write('cert.pem', one?.cert ?? '', directory)
    const keyFile = write('key.pem', one?.key ?? '', directory)
    const otherKey = write('other.pem', other?.key ?? '', directory)
    mkdirSync(join(directory, 'folder'))

    expect(() => checkTls({ certFile, keyFile: otherKey })).toThrow('key values mismatch')
    expect(() => checkTls({ certFile: keyFile, keyFile })).toThrow()
    expect(() => checkTls({ certFile, keyFile: join(directory, 'absent') })).toThrow('ENOENT')
    expect(() => checkTls({ certFile: join(directory, 'folder'), keyFile })).toThrow('EISDIR')
  })
})
