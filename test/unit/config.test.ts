/** Flags and environment: everything that is wrong is told at once, by the name under which it was given. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { SettingsError } from '../../providers/contract/errors.ts'
import { CLIENT_VARIABLES } from '../../src/client/environment.ts'
import { type Environment, type Flags, findProxyVariables, readServeConfig } from '../../src/config.ts'
import { SERVE_SETTINGS, variableOf } from '../../src/config-settings.ts'
import { createAuthority } from '../support/certificates.ts'
import { makeScratch } from '../support/scratch.ts'

const KEY = Buffer.alloc(32, 1).toString('base64')
const USUAL: Flags = { issuer: 'https://broker.example', federation: 'federation.json' }

function read(flags: Flags = {}, env: Environment = {}) {
  return readServeConfig({ ...USUAL, ...flags }, env)
}

/** Names every setting that is told to be wrong. */
function wrongIn(flags: Flags, env: Environment = {}): readonly string[] {
  return problemsOf(flags, env).map(({ path }) => path.join())
}

function problemsOf(flags: Flags, env: Environment = {}): SettingsError['problems'] {
  try {
    read(flags, env)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    for (const { path, code, message } of error.problems) {
      expect({ code, message }).toEqual({ code: 'setting_wrong', message: expect.stringContaining(`${path.join()}: `) })
    }
    return error.problems
  }
  return []
}

test('what nobody set is as the help says', () => {
  expect(read()).toEqual({
    issuer: 'https://broker.example',
    federationPath: 'federation.json',
    listen: { host: '127.0.0.1', port: 8_080 },
    tls: undefined,
    trustedProxies: [],
    store: { kind: 'sqlite', path: './chancery.db' },
    keyRotationSeconds: 30 * 86_400,
    signingKeysDir: undefined,
    audit: { kind: 'stdout' },
    workers: 1,
    metricsListen: { host: '127.0.0.1', port: 9_464, isDefault: true },
    secretsDir: '/run/secrets/chancery',
    egressProxy: undefined,
    insecureHosts: new Set(),
    keyEncryptionKeys: [],
  })
})

test('every setting can be given as a flag, and as a variable', () => {
  const directory = makeScratch()
  const given: Readonly<Record<string, string>> = {
    issuer: 'https://other.example',
    federation: '/etc/federation',
    listen: '127.0.0.2:1',
    'trusted-proxy': '10.0.0.0/8, 192.0.2.1',
    store: 'sqlite:/var/lib/store.db',
    'key-rotation-days': '7',
    'signing-keys': directory,
    audit: 'file:/var/log/audit',
    workers: '3',
    'metrics-listen': '[::1]:2',
    'secrets-dir': directory,
    'egress-proxy': 'http://proxy.example:3128',
    'insecure-host': 'localhost:1,[::1]:2',
  }
  const expected = {
    issuer: 'https://other.example',
    federationPath: '/etc/federation',
    listen: { host: '127.0.0.2', port: 1 },
    tls: undefined,
    trustedProxies: ['10.0.0.0/8', '192.0.2.1'],
    store: { kind: 'sqlite', path: '/var/lib/store.db' },
    keyRotationSeconds: 7 * 86_400,
    signingKeysDir: directory,
    audit: { kind: 'file', path: '/var/log/audit' },
    workers: 3,
    metricsListen: { host: '::1', port: 2, isDefault: false },
    secretsDir: directory,
    egressProxy: new URL('http://proxy.example:3128'),
    insecureHosts: new Set(['localhost:1', '[::1]:2']),
    keyEncryptionKeys: [],
  }
  const variables = Object.fromEntries(Object.entries(given).map(([flag, value]) => [variableOf(flag), value]))

  expect(readServeConfig(given, {})).toEqual(expected)
  expect(readServeConfig({}, variables)).toEqual(expected)
})

describe('of several ways to say it', () => {
  test('the flag wins over the variable', () => {
    expect(read({ listen: '127.0.0.1:1' }, { CHANCERY_LISTEN: '127.0.0.1:2' }).listen.port).toBe(1)
  })

  test('an empty variable counts for nothing, as a shell unsets one so', () => {
    expect(read({}, { CHANCERY_LISTEN: '' }).listen.port).toBe(8_080)
    expect(read({}, { CHANCERY_INSECURE_HOST: '' }).insecureHosts.size).toBe(0)
    expect(read({ 'insecure-host': [] }, { CHANCERY_INSECURE_HOST: 'localhost:1' }).insecureHosts.size).toBe(1)
  })

  test('an empty flag is a value that went missing', () => {
    const flags = SERVE_SETTINGS.map(({ flag }) => flag).filter((flag) => !flag.startsWith('tls-'))

    for (const flag of flags) expect(wrongIn({ [flag]: '' })).toEqual([`--${flag}`])
    expect(wrongIn({ listen: ['127.0.0.1:1', ''] }, { CHANCERY_LISTEN: '127.0.0.1:2' })).toEqual(['--listen'])
  })

  test('the last of a flag that may not be repeated wins, and all of one that may', () => {
    expect(read({ listen: ['127.0.0.1:1', '127.0.0.1:2'] }).listen.port).toBe(2)
    expect(read({ 'trusted-proxy': ['10.0.0.0/8', '192.0.2.1,::1'] }).trustedProxies).toEqual([
      '10.0.0.0/8',
      '192.0.2.1',
      '::1',
    ])
  })

  test('no two settings share a variable', () => {
    const names = SERVE_SETTINGS.map(({ flag }) => variableOf(flag))

    expect(new Set(names).size).toBe(names.length)
    expect(names).toContain('CHANCERY_METRICS_LISTEN')
  })
})

describe('what is wrong', () => {
  test('is told of every setting, by the name under which it was given', () => {
    const flags = {
      issuer: 'x',
      listen: 'x',
      'trusted-proxy': ['x', '10.0.0.0/8', 'y'],
      store: 'x',
      'egress-proxy': 'x',
    }
    const env = {
      CHANCERY_AUDIT: 'x',
      CHANCERY_METRICS_LISTEN: 'x',
      CHANCERY_SECRETS_DIR: '/nowhere',
      CHANCERY_INSECURE_HOST: 'x',
    }

    expect([...wrongIn(flags, env)].sort()).toEqual([
      '--egress-proxy',
      '--issuer',
      '--listen',
      '--store',
      '--trusted-proxy',
      '--trusted-proxy',
      'CHANCERY_AUDIT',
      'CHANCERY_INSECURE_HOST',
      'CHANCERY_METRICS_LISTEN',
      'CHANCERY_SECRETS_DIR',
    ])
  })

  test.each(['issuer', 'federation'])('is that %s is missing', (flag) => {
    expect(wrongIn({ [flag]: undefined })).toEqual([`--${flag}`])
    expect(problemsOf({ [flag]: undefined })[0]?.message).toContain(`or set CHANCERY_${flag.toUpperCase()}`)
  })

  test('is an empty member of a list', () => {
    expect(wrongIn({ 'trusted-proxy': '10.0.0.0/8,' })).toEqual(['--trusted-proxy'])
    expect(wrongIn({ 'insecure-host': ',localhost:1' })).toEqual(['--insecure-host'])
  })

  test('is an issuer that is not https, unless on loopback', () => {
    expect(wrongIn({ issuer: 'http://127.0.0.1:8080' })).toEqual([])
    expect(
      wrongIn({ issuer: 'http://127.0.0.1:8080', listen: '0.0.0.0:1' }, { CHANCERY_KEY_ENCRYPTION_KEY: KEY }),
    ).toEqual(['--issuer'])
  })
})

describe('TLS', () => {
  test('is a certificate with its key', () => {
    const directory = makeScratch()
    const { cert, key } = createAuthority('tests').issue({ hostnames: ['broker.example'] })
    const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
    writeFileSync(certFile, cert)
    writeFileSync(keyFile, key)

    expect(read({ 'tls-cert': certFile, 'tls-key': keyFile }).tls).toEqual({ certFile, keyFile })
    expect(wrongIn({ 'tls-cert': keyFile, 'tls-key': certFile })).toEqual(['--tls-cert, --tls-key'])
  })

  test('is refused where one is missing, by its name', () => {
    expect(wrongIn({ 'tls-cert': 'cert.pem' })).toEqual(['--tls-key'])
    expect(wrongIn({ 'tls-key': 'key.pem' })).toEqual(['--tls-cert'])
  })
})

describe('beyond loopback', () => {
  const OPEN = { listen: '0.0.0.0:8080' }

  test('signing keys are kept encrypted, or the boot stops', () => {
    expect(wrongIn(OPEN)).toEqual(['CHANCERY_KEY_ENCRYPTION_KEY'])
    expect(wrongIn({ listen: '[::]:8080' })).toEqual(['CHANCERY_KEY_ENCRYPTION_KEY'])
    expect(wrongIn(OPEN, { CHANCERY_KEY_ENCRYPTION_KEY: KEY })).toEqual([])
  })

  test('an empty or wrong key is no key', () => {
    expect(wrongIn(OPEN, { CHANCERY_KEY_ENCRYPTION_KEY: '' })).toEqual(['CHANCERY_KEY_ENCRYPTION_KEY'])
    expect(wrongIn(OPEN, { CHANCERY_KEY_ENCRYPTION_KEY_FILE: '' })).toEqual(['CHANCERY_KEY_ENCRYPTION_KEY_FILE'])
    expect(wrongIn(OPEN, { CHANCERY_KEY_ENCRYPTION_KEY: 'x' })).toEqual(['CHANCERY_KEY_ENCRYPTION_KEY'])
  })

  test('no host may be insecure', () => {
    const flags = { ...OPEN, 'insecure-host': 'localhost:1' }

    expect(wrongIn(flags, { CHANCERY_KEY_ENCRYPTION_KEY: KEY })).toEqual(['--insecure-host'])
    expect(wrongIn({ 'insecure-host': 'localhost:1' })).toEqual([])
  })
})

describe('the key-encryption key', () => {
  test('is read from the variable, or from the file that one names', () => {
    const file = join(makeScratch(), 'key')
    writeFileSync(file, `${KEY}\n`)

    expect(read({}, { CHANCERY_KEY_ENCRYPTION_KEY: KEY }).keyEncryptionKeys).toEqual([Buffer.alloc(32, 1)])
    expect(read({}, { CHANCERY_KEY_ENCRYPTION_KEY_FILE: file }).keyEncryptionKeys).toEqual([Buffer.alloc(32, 1)])
  })

  test('is not read from both', () => {
    const file = join(makeScratch(), 'key')
    writeFileSync(file, KEY)

    expect(wrongIn({}, { CHANCERY_KEY_ENCRYPTION_KEY: KEY, CHANCERY_KEY_ENCRYPTION_KEY_FILE: file })).toEqual([
      'CHANCERY_KEY_ENCRYPTION_KEY',
    ])
  })

  test('is no flag, and a wrong one is never repeated', () => {
    const secret = Buffer.alloc(31, 9).toString('base64')

    expect(SERVE_SETTINGS.map(({ flag }) => flag)).not.toContain('key-encryption-key')
    expect(JSON.stringify(problemsOf({}, { CHANCERY_KEY_ENCRYPTION_KEY: secret }))).not.toContain(secret)
    expect(wrongIn({}, { CHANCERY_KEY_ENCRYPTION_KEY_FILE: '/nowhere' })).toEqual(['CHANCERY_KEY_ENCRYPTION_KEY_FILE'])
  })
})

describe('a variable of ours that is no setting', () => {
  test.each([
    'CHANCERY_LISTEM',
    'CHANCERY_PORTS',
    'CHANCERY_',
    'CHANCERY_SERVICE',
    'CHANCERY_PORT_8080',
    'CHANCERY_EMPTY',
  ])('stops the boot, as a slip in a name would be a setting that nobody made: %s', (name) => {
    expect(wrongIn({}, { [name]: 'x' })).toEqual([name])
    expect(wrongIn({}, { [name]: '' })).toEqual([name])
  })

  test.each([
    ...['CHANCERY_SERVICE_HOST', 'CHANCERY_SERVICE_PORT', 'CHANCERY_SERVICE_PORT_HTTP', 'CHANCERY_PORT'],
    ...['CHANCERY_PORT_8080_TCP', 'CHANCERY_PORT_8080_TCP_ADDR', 'CHANCERY_METRICS_SERVICE_HOST'],
  ])('is no slip where Kubernetes sets it beside a Service: %s', (name) => {
    expect(wrongIn({}, { [name]: 'tcp://10.0.0.1:8080' })).toEqual([])
  })

  test.each(CLIENT_VARIABLES)('is no slip where a workload’s side reads it: %s', (name) => {
    expect(wrongIn({}, { [name]: 'x' })).toEqual([])
    expect(SERVE_SETTINGS.map(({ flag }) => variableOf(flag))).not.toContain(name)
  })

  test('is none of ours where another program reads it', () => {
    expect(wrongIn({}, { PATH: 'x', XCHANCERY_LISTEM: 'x', chancery_listem: 'x' })).toEqual([])
  })
})

test('variables of proxies are named, in whatever case', () => {
  const env = { HTTP_PROXY: 'x', https_proxy: 'x', ALL_PROXY: 'x', no_proxy: 'x', http_proxy: '', MY_HTTP_PROXY: 'x' }

  expect(findProxyVariables(env)).toEqual(['HTTP_PROXY', 'https_proxy', 'ALL_PROXY'])
})
