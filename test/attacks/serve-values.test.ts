/** Attacks through flags and the environment: whatever is wrong stops the boot and names itself. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import type { Flags } from '../../src/config.ts'
import { SERVE_SETTINGS, variableOf } from '../../src/config-settings.ts'
import { expectStopped, stopsOf } from '../support/stopped-boot.ts'

const KEY = Buffer.alloc(32, 7).toString('base64')
const KEY_VARIABLE = 'CHANCERY_KEY_ENCRYPTION_KEY'
const KEY_FILE_VARIABLE = 'CHANCERY_KEY_ENCRYPTION_KEY_FILE'

const REQUIRED: Flags = { issuer: 'https://broker.example', federation: '/federation.json' }

const ADDRESSES = [
  '8080',
  ':8080',
  'localhost',
  '127.0.0.1',
  'broker.example:8080',
  '127.0.0.1:',
  '127.0.0.1:99999',
  '127.0.0.1:-1',
  '127.0.0.1:80x',
  '127.0.0.1:8080/',
  '256.0.0.1:80',
  '::1:8080',
  '[::1:8080',
  'http://127.0.0.1:8080',
  ' 127.0.0.1:8080',
  '*:8080',
]

/** For each flag, values that it cannot have. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  workers: ['0', '-1', '1.5', 'two', 'AUTO', '1025', '1e2', ' 2'],
  issuer: [
    'broker.example',
    'https://',
    'https://broker.example/',
    'https://broker.example?',
    'https://broker.example?x=1',
    'https://broker.example#',
    'https://broker.example#x',
    'https://user:pass@broker.example',
    'HTTPS://broker.example',
    'https://Broker.example',
    'https://br\u00f6ker.example',
    'https://broker.example:443',
    'https://broker.example/a/../b',
    'https://broker.example/a/',
    ' https://broker.example',
    'ftp://broker.example',
    'http://broker.example',
    'http://localhost:8080',
    'http://127.0.0.2:8080',
  ],
  listen: ADDRESSES,
  'metrics-listen': ADDRESSES,
  'trusted-proxy': [
    '10.0.0.0/33',
    '10.0.0',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '::/129',
    'proxy',
    '*',
    '10.0.0.1,',
  ],
  store: ['chancery.db', 'sqlite', 'sqlite:', 'SQLITE:chancery.db', 'file:chancery.db', 'memory', 'none'],
  'key-rotation-days': ['0', '1', '1.5', '-30', '366', '1000', '30d', 'never', '0x10', ' 30', '٣٠'],
  'signing-keys': ['/nowhere/at/all', process.execPath],
  audit: ['stderr', 'STDOUT', 'file:', 'syslog', '/var/log/audit', 'none', 'off'],
  'secrets-dir': ['/nowhere/at/all', process.execPath],
  'egress-proxy': [
    'proxy',
    'proxy:3128',
    'https://proxy.example',
    'socks5://proxy.example',
    'http://p.example/x',
    'http://p.example/?x',
    'none',
  ],
  'insecure-host': [
    '127.0.0.1',
    'http://127.0.0.1:80',
    '*:80',
    '*.example:80',
    '127.0.0.1:0',
    '127.0.0.1:70000',
    'Host:80',
    ':80',
    'a b:80',
    '127.0.0.1:80,',
    '10.0.0.0/8:80',
  ],
}

describe('a wrong value', () => {
  test.each(Object.entries(WRONG))('CFG-09 of --%s stops the boot and names itself', (flag, values) => {
    for (const value of values) {
      expectStopped([`--${flag}`], { ...REQUIRED, [flag]: value })
      expectStopped([variableOf(flag)], { ...REQUIRED, [flag]: undefined }, { [variableOf(flag)]: value })
    }
  })

  const flags = SERVE_SETTINGS.map(({ flag }) => flag)

  test('CFG-09 is known of every flag', () => {
    const apart = ['federation', 'tls-cert', 'tls-key']

    expect(new Set([...Object.keys(WRONG), ...apart])).toEqual(new Set(flags))
  })

  test.each(flags)('CFG-09 --%s with nothing after it is not taken for its default', (flag) => {
    const names = stopsOf({ ...REQUIRED, [flag]: '' }).map(({ name }) => name)

    expect(names).not.toEqual([])
    for (const name of names) expect(name).toContain(flag.startsWith('tls-') ? '--tls-' : `--${flag}`)
  })

  test('CFG-09 a required one that is missing names itself, and its variable', () => {
    const [issuer, federation, ...others] = stopsOf({})

    expect([issuer?.name, federation?.name, others]).toEqual(['--issuer', '--federation', []])
    expect(issuer?.message).toContain('CHANCERY_ISSUER')
    expect(federation?.message).toContain('CHANCERY_FEDERATION')
  })

  test.each([
    ['store', 'postgres://chancery:opensesame@db.example'],
    ['audit', 'postgres://chancery:opensesame@db.example/chancery'],
    ['egress-proxy', 'https://chancery:opensesame@proxy.example:3128'],
    ['issuer', 'https://chancery:opensesame@broker.example'],
  ])('CFG-09 of --%s is told without the password in it', (flag, value) => {
    const [stop] = stopsOf({ ...REQUIRED, [flag]: value })

    expect(stop?.name).toBe(`--${flag}`)
    expect(stop?.message).not.toContain('opensesame')
  })

  test.each([
    [['serve', '--skip-audience-check']],
    [['serve', '--insecure']],
    [['serve', '--issuer']],
    [['serve', 'https://broker.example']],
    [['server']],
  ])('CFG-09 %j is no command, and ends with 2', async (args) => {
    const written: string[] = []
    const terminal = { out: (text: string) => void written.push(text), err: (text: string) => void written.push(text) }

    expect(await runProgram(args, terminal)).toBe(2)
    expect(written.join('')).toContain(args.at(-1))
  })
})

describe('files and keys', () => {
  let directory = ''
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'chancery-settings-'))
    writeFileSync(join(directory, 'text'), 'not what was asked for')
    writeFileSync(join(directory, 'key'), `${KEY}\n`)
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  test('CFG-09 a certificate without its key, or the key without it, stops the boot and names what is missing', () => {
    expectStopped(['--tls-key'], { ...REQUIRED, 'tls-cert': 'cert.pem' })
    expectStopped(['--tls-cert'], { ...REQUIRED, 'tls-key': 'key.pem' })
  })

  test('CFG-09 files that are no certificate and key stop the boot', () => {
    for (const name of ['text', 'nothing', '']) {
      const file = join(directory, name)
      expectStopped(['--tls-cert, --tls-key'], { ...REQUIRED, 'tls-cert': file, 'tls-key': file })
    }
  })

  const SHORT = Buffer.alloc(31, 7).toString('base64')
  const LONG = Buffer.alloc(33, 7).toString('base64')

  test.each([
    'opensesame',
    SHORT,
    LONG,
    Buffer.alloc(32, 7).toString('hex'),
    Buffer.alloc(32, 0xff).toString('base64url').replaceAll('/', '_'),
    `${KEY},`,
    `,${KEY}`,
    `${KEY},opensesame`,
    `${KEY} ${KEY}`,
    `${KEY}\n${KEY}`,
    `"${KEY}"`,
    '',
    ' ',
    '0',
  ])('CFG-09 a key-encryption key %j stops the boot, and is not repeated', (key) => {
    const file = join(directory, 'wrong-key')
    writeFileSync(file, key)

    expectStopped([KEY_VARIABLE], REQUIRED, { [KEY_VARIABLE]: key })
    expectStopped([KEY_FILE_VARIABLE], REQUIRED, { [KEY_FILE_VARIABLE]: file })
    const [stop] = stopsOf(REQUIRED, { [KEY_VARIABLE]: key })
    if (key.trim().length > 1) expect(stop?.message).not.toContain(key.trim())
  })

  test('CFG-09 a key that is given twice, or in no file, stops the boot', () => {
    const file = join(directory, 'key')

    expect(stopsOf(REQUIRED, { [KEY_FILE_VARIABLE]: file })).toEqual([])
    expectStopped([KEY_VARIABLE], REQUIRED, { [KEY_VARIABLE]: KEY, [KEY_FILE_VARIABLE]: file })
    expectStopped([KEY_FILE_VARIABLE], REQUIRED, { [KEY_FILE_VARIABLE]: join(directory, 'nothing') })
    expectStopped([KEY_FILE_VARIABLE], REQUIRED, { [KEY_FILE_VARIABLE]: directory })
  })
})
