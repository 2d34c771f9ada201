/** Which URLs a document may make us fetch. */

import { describe, expect, test } from 'vitest'
import {
  authorityOf,
  findUrlProblem,
  type HostAllowance,
  hostnameOf,
  isInsecureHost,
  isPrivateHost,
} from '../../providers/kit/upstream-url.ts'

const NOWHERE: HostAllowance = { privateHosts: [], insecureHosts: new Set() }
const allowing = (privateHosts: readonly string[], insecureHosts: readonly string[] = []): HostAllowance => ({
  privateHosts,
  insecureHosts: new Set(insecureHosts),
})

describe('a URL of the public Internet', () => {
  test.each([
    'https://issuer.example',
    'https://issuer.example/',
    'https://issuer.example/a/b?c=d&e=%20',
    'https://issuer.example:443/',
    'https://issuer.example:6443/',
    'https://issuer.example:8443/',
    'https://oidc.eks.us-east-1.amazonaws.com/id/2F33',
    'https://xn--mnchen-3ya.example/',
  ])('may be fetched: %s', (url) => {
    expect(findUrlProblem(url, NOWHERE)).toBeUndefined()
  })

  test.each([
    ['nothing', '', 'is not a URL'],
    ['a path', '/keys', 'is not a URL'],
    ['a name', 'issuer.example', 'is not a URL'],
    ['a host that is none', 'https://', 'is not a URL'],
    ['a port that is none', 'https://issuer.example:99999/', 'is not a URL'],
    ['a space at the end', 'https://issuer.example/ ', 'is not a URL'],
    ['a line break inside', 'https://issuer.example/\nx', 'is not a URL'],
    ['a tab inside its host', 'https://issuer\t.example/', 'is not a URL'],
    ['backslashes', 'https:\\\\issuer.example\\', 'is not a URL'],
    ['a user', 'https://user@issuer.example/', 'must not hold credentials'],
    ['a password', 'https://:secret@issuer.example/', 'must not hold credentials'],
    ['an empty user', 'https://@issuer.example/', 'must not hold credentials'],
    ['an at sign that hides the host', 'https://issuer.example@10.0.0.1/', 'must not hold credentials'],
    ['a fragment', 'https://issuer.example/#x', 'must not have a fragment'],
    ['an empty fragment', 'https://issuer.example/#', 'must not have a fragment'],
    [
      'a template for a host',
      'https://oidc.{region}.issuer.example/',
      'must name a host by letters, digits and hyphens',
    ],
    ['an empty label', 'https://a..issuer.example/', 'must name a host by letters, digits and hyphens'],
    ['a wildcard for a host', 'https://*.issuer.example/', 'must not hold a wildcard: name each issuer'],
    ['a wildcard in its path', 'https://issuer.example/id/*', 'must not hold a wildcard: name each issuer'],
    ['plain http', 'http://issuer.example/', 'must be https'],
    ['a file', 'file:///etc/passwd', 'must be https'],
    ['data', 'data:application/json,{}', 'must be https'],
    ['ftp', 'ftp://issuer.example/', 'must be https'],
    ['a blob of a good origin', 'blob:https://issuer.example/x', 'must be https'],
    ['a port for something else', 'https://issuer.example:22/', 'is on an unusual port'],
    ['the port of plain http', 'https://issuer.example:80/', 'is on an unusual port'],
  ])('must not be or have %s', (_, url, problem) => {
    expect(findUrlProblem(url, NOWHERE)).toContain(problem)
  })
})

describe('a host on a private network', () => {
  test.each([
    'https://10.0.0.1/',
    'https://8.8.8.8/',
    'https://127.0.0.1:6443/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://127.0.0.1./',
    'https://[::1]/',
    'https://[::ffff:169.254.169.254]/',
    'https://[2606:4700::1111]/',
  ])('is no address: %s', (url) => {
    expect(findUrlProblem(url, NOWHERE)).toMatch(/^must not name an IP address: name .+ in private_hosts/)
  })

  test.each([
    'https://localhost/',
    'https://LOCALHOST/',
    'https://kubernetes/',
    'https://api.localhost/',
    'https://kubernetes.default.svc/',
    'https://kubernetes.default.svc.cluster.local/',
    'https://kubernetes.default.svc.cluster.local./',
    'https://metadata.google.internal/',
    'https://metadata.google.internal./',
  ])('is told by its name: %s', (url) => {
    expect(findUrlProblem(url, NOWHERE)).toMatch(/^is on a private network: name .+ in private_hosts/)
  })

  test.each(['https://localhost./', 'https://kubernetes./'])('is told by its name, behind a dot: %s', (url) => {
    expect(findUrlProblem(url, NOWHERE)).toMatch(/^is on a private network/)
  })

  test.each([
    ['https://10.0.0.1/', '10.0.0.1'],
    ['https://10.0.0.1/', '10.0.0.1:443'],
    ['https://10.0.0.1:6443/', '10.0.0.1:6443'],
    ['https://10.0.0.1:6443/', '10.0.0.1'],
    ['https://[fd00::1]:6443/', '[fd00::1]:6443'],
    ['https://[fd00::1]/', '[fd00::1]'],
    ['https://issuer.corp.internal:9443/', 'issuer.corp.internal:9443'],
    ['https://issuer.corp.internal:9443/', 'issuer.corp.internal'],
  ])('%s may be fetched where %s is named', (url, host) => {
    expect(findUrlProblem(url, allowing([host]))).toBeUndefined()
    expect(isPrivateHost(new URL(url), allowing([host]))).toBe(true)
  })

  test.each([
    ['https://10.0.0.1/', '10.0.0.2'],
    ['https://10.0.0.1/', '10.0.0.1:6443'],
    ['https://10.0.0.1:6443/', '10.0.0.1:443'],
    ['https://10.0.0.11/', '10.0.0.1'],
    ['https://a.corp.internal/', 'corp.internal'],
    ['https://corp.internal.attacker.local/', 'corp.internal'],
  ])('%s may not be fetched where %s is named', (url, host) => {
    expect(findUrlProblem(url, allowing([host]))).toBeDefined()
    expect(isPrivateHost(new URL(url), allowing([host]))).toBe(false)
  })

  test('named as private is still https', () => {
    expect(findUrlProblem('http://10.0.0.1/', allowing(['10.0.0.1', '10.0.0.1:80']))).toBe('must be https')
  })
})

describe('a host that the operator allows to be plain', () => {
  const allowance = allowing([], ['127.0.0.1:8080', 'issuer.test:80', '[::1]:8080'])

  test.each(['http://127.0.0.1:8080/x', 'https://127.0.0.1:8080/', 'http://issuer.test/', 'http://[::1]:8080/'])(
    'may be fetched: %s',
    (url) => {
      expect(findUrlProblem(url, allowance)).toBeUndefined()
      expect(isPrivateHost(new URL(url), allowance)).toBe(true)
    },
  )

  test.each([
    'http://127.0.0.1:8081/',
    'http://127.0.0.1/',
    'https://issuer.test.local/',
    'http://issuer.test:8080/',
    'http://sub.issuer.test/',
    'ftp://127.0.0.1:8080/',
    'http://user@127.0.0.1:8080/',
    'http://127.0.0.1:8080/#x',
    'http://127.0.0.1:8080/*',
  ])('is allowed for itself and nothing else: %s', (url) => {
    expect(findUrlProblem(url, allowance)).toBeDefined()
  })

  test('is allowed for its port, the usual one where it names none', () => {
    expect(isInsecureHost(new URL('http://issuer.test'), allowance)).toBe(true)
    expect(isInsecureHost(new URL('https://issuer.test'), allowance)).toBe(false)
    expect(isInsecureHost(new URL('https://issuer.test:80'), allowance)).toBe(true)
  })
})

test('a host is written as the settings write it', () => {
  const urls = ['http://A.example', 'https://a.example', 'https://a.example:8443', 'https://[::1]/', 'https://[::1]:1/']

  expect(urls.map((url) => authorityOf(new URL(url)))).toEqual([
    'a.example:80',
    'a.example:443',
    'a.example:8443',
    '[::1]:443',
    '[::1]:1',
  ])
  expect(urls.map((url) => hostnameOf(new URL(url)))).toEqual(['a.example', 'a.example', 'a.example', '::1', '::1'])
})
