/** The small things that helpers go by: names, servers, versions, times. */

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { argumentsOf } from '../../src/cli/called-as.ts'
import { answerDocker, hostOfServer } from '../../src/cli/credential/docker.ts'
import { parseHosts } from '../../src/cli/credential/hosts.ts'
import { answerKubectl, parseExecInfo } from '../../src/cli/credential/kubectl.ts'
import { privateCache } from '../../src/cli/credential/private-cache.ts'
import { readUnverifiedJwt } from '../../src/cli/credential/unverified-jwt.ts'
import { readInput } from '../../src/cli/read-input.ts'
import { tellTime } from '../../src/cli/tell-time.ts'
import { recordedObtain } from '../support/helper-outcomes.ts'
import { problemsOf } from '../support/rejection.ts'
import { makeScratch } from '../support/scratch.ts'

test('a command that is called by a consumer’s name is that consumer’s helper', () => {
  const called = (name: string): readonly string[] =>
    argumentsOf(['/usr/bin/node', `/usr/local/bin/${name}`, 'get', 'x'])

  expect(called('chancery')).toEqual(['get', 'x'])
  expect(called('docker-credential-chancery')).toEqual(['credential', 'docker', 'get', 'x'])
  expect(called('git-credential-chancery')).toEqual(['credential', 'git', 'get', 'x'])
  expect(called('terraform-credentials-chancery')).toEqual(['credential', 'terraform', 'get', 'x'])
  expect(called('aws-credential-chancery')).toEqual(['get', 'x'])
})

describe('Docker’s server', () => {
  test.each([
    ['registry.example', 'registry.example'],
    ['registry.example:5000', 'registry.example:5000'],
    ['https://index.docker.io/v1/', 'index.docker.io'],
    ['HTTPS://registry.example', 'registry.example'],
    ['http://registry.example', undefined],
    ['ftp://registry.example', undefined],
    ['registry.example evil', undefined],
    ['', undefined],
  ])('%s is the host %s', (server, host) => {
    expect(hostOfServer(server)).toBe(host)
  })

  test('cannot smuggle another host past the list', async () => {
    const { obtain, audiences } = recordedObtain()
    const helper = { hosts: parseHosts(['registry.example']), username: '<token>', obtain }
    const tricks = [
      'registry.example@evil.example',
      'https://evil.example/registry.example',
      'https:///registry.example',
    ]

    for (const trick of [...tricks, 'https://evil.example?registry.example', 'registry.example\nevil.example']) {
      expect(await answerDocker('get', helper, async () => trick), trick).toEqual({
        ending: 'refused',
        out: 'credentials not found in native keychain\n',
      })
    }
    expect(audiences).toEqual([])
  })
})

describe('what a Kubernetes client says of itself', () => {
  const info = (more: object): string =>
    JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', spec: {}, ...more })

  test('may name its server', () => {
    expect(parseExecInfo(info({ spec: { cluster: { server: 'https://a' } } })).server).toBe('https://a')
    expect(parseExecInfo(info({ spec: { cluster: { server: 7 } } })).server).toBeUndefined()
    expect(parseExecInfo(undefined)).toEqual({ apiVersion: 'client.authentication.k8s.io/v1', server: undefined })
  })

  test.each([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['another kind', info({ kind: 'TokenReview' })],
    ['a version that is gone', info({ apiVersion: 'client.authentication.k8s.io/v1alpha1' })],
    ['no version', info({ apiVersion: undefined })],
  ])('is refused where it is %s', (_, text) => {
    expect(problemsOf(() => parseExecInfo(text))).toMatchObject([{ code: 'helper_setup' }])
  })

  test('decides who gets a token, where one server was named', async () => {
    const { obtain, audiences } = recordedObtain()
    const ask = (server: string | undefined, only: string | undefined) =>
      answerKubectl({ apiVersion: 'v', server }, only, obtain)

    await expect(ask('https://b', 'https://a')).rejects.toThrow('another one asks')
    await expect(ask(undefined, 'https://a')).rejects.toThrow('provideClusterInfo')
    expect(audiences).toEqual([])
    const { out = '' } = await ask('https://a', 'https://a')
    expect(JSON.parse(out)).toEqual({
      apiVersion: 'v',
      kind: 'ExecCredential',
      status: { token: 'token-for-nobody-in-particular', expirationTimestamp: '2026-01-15T12:15:00Z' },
    })
  })
})

describe('a private cache', () => {
  test('gives back what it was given, under the same key alone', async () => {
    const environment = { XDG_CACHE_HOME: makeScratch() }
    expect(await privateCache('aws', ['one'], environment).write('text')).toBe(true)

    expect(await privateCache('aws', ['one'], environment).read()).toBe('text')
    expect(await privateCache('aws', ['two'], environment).read()).toBeUndefined()
    expect(await privateCache('gcp', ['one'], environment).read()).toBeUndefined()
  })

  test('lies in the user’s home where the environment names no absolute place', async () => {
    const home = makeScratch()
    vi.stubEnv('HOME', home)

    for (const environment of [{}, { XDG_CACHE_HOME: '' }, { XDG_CACHE_HOME: 'relative' }]) {
      await privateCache('aws', [environment], environment).write('text')
    }

    expect(readdirSync(join(home, '.cache', 'chancery')).length).toBe(3)
  })

  test.skipIf(process.getuid?.() !== 0)('believes nothing that another user has written', async () => {
    const directory = makeScratch()
    const cache = privateCache('aws', ['one'], { XDG_CACHE_HOME: directory })
    await cache.write('text')
    const [name = ''] = readdirSync(join(directory, 'chancery'))

    chownSync(join(directory, 'chancery', name), 65_534, 65_534)

    expect(await cache.read()).toBeUndefined()
  })

  test('believes no file that others can read or write, no link, and none that is huge', async () => {
    const directory = makeScratch()
    const cache = privateCache('aws', ['one'], { XDG_CACHE_HOME: directory })
    await cache.write('text')
    const [name = ''] = readdirSync(join(directory, 'chancery'))
    const path = join(directory, 'chancery', name)
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(path, mode)
      expect(await cache.read(), mode.toString(8)).toBeUndefined()
    }
    chmodSync(path, 0o600)
    expect(await cache.read()).toBe('text')
    renameSync(path, join(directory, 'elsewhere'))
    symlinkSync(join(directory, 'elsewhere'), path)
    expect(await cache.read()).toBeUndefined()
    rmSync(path)
    mkdirSync(path, { mode: 0o700 })
    expect(await cache.read()).toBeUndefined()
    rmdirSync(path)
    await cache.write('')
    writeFileSync(path, 'x'.repeat(65_537))
    expect(await cache.read()).toBeUndefined()
  })

  test('is none where others can write to its directory, or put a link or a pipe in its place', async () => {
    const directory = makeScratch()
    const cache = privateCache('aws', ['one'], { XDG_CACHE_HOME: directory })
    const own = join(directory, 'chancery')
    await cache.write('text')
    const [name = ''] = readdirSync(own)
    chmodSync(own, 0o777)
    expect(await Promise.all([cache.read(), cache.write('other')])).toEqual([undefined, false])
    chmodSync(own, 0o700)
    expect(await cache.read()).toBe('text')
    renameSync(own, join(directory, 'elsewhere'))
    symlinkSync(join(directory, 'elsewhere'), own)
    expect(await Promise.all([cache.read(), cache.write('other')])).toEqual([undefined, false])
    mkdirSync(join(directory, 'cache', 'chancery'), { recursive: true, mode: 0o700 })
    spawnSync('mkfifo', ['-m', '600', join(directory, 'cache', 'chancery', name)])
    expect(await privateCache('aws', ['one'], { XDG_CACHE_HOME: join(directory, 'cache') }).read()).toBeUndefined()
  })
})

test('a look into a JWT is a look into no more than a proof can have', () => {
  const part = (text: string): string => Buffer.from(text).toString('base64url')
  const long = (length: number): string => `${part('{}')}.${part('{"a":1}')}.${'A'.repeat(length)}`
  const before = long(0).length

  expect(readUnverifiedJwt(long(65_536 - before))).toEqual({ header: {}, claims: { a: 1 } })
  expect(readUnverifiedJwt(long(65_537 - before))).toBeUndefined()
  expect(readUnverifiedJwt(`${part('{}')}.${part('{"a":1,"a":2}')}.AA`)).toBeUndefined()
})

test('standard input is read to its end, and not for ever', async () => {
  const chunks = async function* (count: number) {
    for (let at = 0; at < count; at++) yield Buffer.alloc(65_536, 'a')
  }

  expect((await readInput(chunks(4))).length).toBe(262_144)
  await expect(readInput(chunks(5))).rejects.toThrow('standard input')
})

test.each([
  [1_768_478_400, '2026-01-15T12:00:00Z (in 0 s)'],
  [1_768_478_400 + 119, '2026-01-15T12:01:59Z (in 119 s)'],
  [1_768_478_400 + 900, '2026-01-15T12:15:00Z (in 15 min)'],
  [1_768_478_400 - 7_200, '2026-01-15T10:00:00Z (2 h ago)'],
  [1_768_478_400 - 864_000, '2026-01-05T12:00:00Z (10 d ago)'],
  ['1768478400', 'not a time'],
  [1e300, 'not a time'],
  [undefined, 'not a time'],
])('%s is told as %s', (time, told) => {
  expect(tellTime(time, 1_768_478_400)).toBe(told)
})
