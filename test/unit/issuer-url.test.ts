/** Which texts can be the `iss` of a trusted issuer, for every cloud that has issuers. */

import { describe, expect, test } from 'vitest'
import { findIssuerUrlProblem } from '../../providers/kit/issuer-url.ts'
import type { HostAllowance } from '../../providers/kit/upstream-url.ts'

const PUBLIC: HostAllowance = { privateHosts: [], insecureHosts: new Set() }
const WAYS = ['discovery', 'url', 'inline'] as const

const problem = (issuer: string, from: (typeof WAYS)[number] = 'discovery', allowance = PUBLIC) =>
  findIssuerUrlProblem(issuer, from, allowance)

test.each([
  'https://a1b2c3d4-1111-2222-3333-444455556666.tokens.sts.global.api.aws',
  'https://oidc.eks.us-east-1.amazonaws.com/id/2F33',
  'https://issuer.example/',
  'https://issuer.example/realms/a/',
  'https://issuer.example:8443/x',
])('takes %s, wherever its keys are', (issuer) => {
  expect(WAYS.map((from) => problem(issuer, from))).toEqual([undefined, undefined, undefined])
})

describe('refuses, as no token could carry it,', () => {
  test.each([
    'https://ISSUER.example',
    'HTTPS://issuer.example',
    'https://issuer.example:443',
    'https://issuer.example/a/../b',
    'https://issuer.example/./',
    'https://issuer.example//..',
    'https:issuer.example',
    'https:/issuer.example',
    ' https://issuer.example',
    'https://issuer.example ',
    'https://issuer.example\n',
    'https://issu\ter.example',
    'https://issuer。example',
    'https://bücher.example',
    'https://issuer.example/é',
    'https://issuer.example\\x',
    'https://2130706433',
  ])('%j', (issuer) => {
    for (const from of WAYS) expect(problem(issuer, from)).toMatch(/normal form/)
  })
})

test.each([
  ['', 'is not a URL'],
  ['issuer.example', 'is not a URL'],
  ['https://', 'is not a URL'],
  ['https://issuer.example/?tenant=a', 'must not have a query'],
  ['https://issuer.example/?', 'must not have a query'],
  ['https://issuer.example/x#', 'must not have a fragment'],
  ['https://issuer.example/#a', 'must not have a fragment'],
  ['https://user:secret@issuer.example/', 'must not hold credentials'],
  ['https://*.example/', 'must not hold a wildcard: name each issuer'],
  ['http://issuer.example', 'must be https'],
  ['ftp://issuer.example', 'must be https'],
])('refuses %j, wherever its keys are: it %s', (issuer, why) => {
  expect(WAYS.map((from) => problem(issuer, from))).toEqual([why, why, why])
})

describe('an issuer on a private network', () => {
  const PRIVATE = [
    'https://10.0.0.1',
    'https://[fd00::1]/',
    'https://kubernetes.default.svc',
    'https://issuer',
    'https://issuer.example:9443',
  ]

  test.each(PRIVATE)('is refused where it would be fetched: %s', (issuer) => {
    expect(problem(issuer)).toMatch(/in private_hosts if it is yours$/)
  })

  test.each(PRIVATE)('is a name like any other where it is not: %s', (issuer) => {
    expect([problem(issuer, 'url'), problem(issuer, 'inline')]).toEqual([undefined, undefined])
  })

  test('is taken where it is named as private', () => {
    expect(problem('https://10.0.0.1', 'discovery', { ...PUBLIC, privateHosts: ['10.0.0.1'] })).toBeUndefined()
    expect(problem('https://10.0.0.1', 'discovery', { ...PUBLIC, privateHosts: ['10.0.0.2'] })).toBeDefined()
  })
})

test.each(WAYS)('an insecure host may be plain http, with keys from %s; another one may not', (from) => {
  const allowance = { ...PUBLIC, insecureHosts: new Set(['127.0.0.1:8080']) }

  expect(problem('http://127.0.0.1:8080', from, allowance)).toBeUndefined()
  expect(problem('http://127.0.0.1:8081', from, allowance)).toBe('must be https')
})
