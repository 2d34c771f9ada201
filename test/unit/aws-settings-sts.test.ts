/** Whom a document may have asked instead of STS, and what two trusted issuers of AWS must not share. */

import { describe, expect, test } from 'vitest'
import { type AwsSettings, findAwsConflict, parseAwsSettings } from '../../providers/aws/settings.ts'
import type { TrustedIssuer } from '../../providers/contract/provider.ts'
import { BROKER } from '../support/document.ts'
import { problemsOf } from '../support/rejection.ts'

const [A, B] = ['123456789012', '210987654321']
const ISSUER = 'https://a1b2c3d4-1111-2222-3333-444455556666.tokens.sts.global.api.aws'
const OTHER_ISSUER = 'https://ffffffff-1111-2222-3333-444455556666.tokens.sts.global.api.aws'
const ACCOUNTS = { accounts: { [A]: {} } }

const parse = (settings: object, insecureHosts: readonly string[] = []) =>
  parseAwsSettings(settings, { insecureHosts: new Set(insecureHosts), proofAudiences: [BROKER] })

/** Each problem as its path and its code. */
const problems = (settings: object, insecureHosts?: readonly string[]): readonly string[] =>
  problemsOf(() => parse(settings, insecureHosts)).map(({ path, code }) => `${path.join('.')}: ${code}`)

describe('an STS endpoint', () => {
  const at = (sts_endpoint: string, more: object = {}) => ({ ...ACCOUNTS, sts_endpoint, ...more })

  test.each([
    'https://sts.eu-west-1.amazonaws.com',
    'https://sts.eu-west-1.amazonaws.com/',
    'https://sts.amazonaws.com',
  ])('may be one of the table: %s', (endpoint) => {
    expect(parse(at(endpoint)).stsEndpoint).toBe(endpoint)
  })

  test.each(['http://127.0.0.1:4566', 'https://127.0.0.1:4566/'])('may be a host named as insecure: %s', (endpoint) => {
    expect(parse(at(endpoint), ['127.0.0.1:4566']).stsEndpoint).toBe(endpoint)
    expect(problems(at(endpoint), ['127.0.0.1:4567'])).toEqual(['sts_endpoint: url_refused'])
  })

  test.each([
    ...['http://sts.eu-west-1.amazonaws.com', 'https://sts.evil.example', 'https://sts.s3.amazonaws.com', 'x', ''],
    ...['https://sts.amazonaws.com.evil.example', 'https://sts.amazonaws.com:8443', 'https://user@sts.amazonaws.com'],
    ...[
      'https://sts.amazonaws.com/path',
      'https://sts.amazonaws.com/?',
      'https://sts.amazonaws.com/?x=1',
      'https://sts.amazonaws.com?',
    ],
    ...['https://sts.amazonaws.com/#x', 'https://sts.amazonaws.com#', 'https://sts.cn-north-1.amazonaws.com.cn'],
    ...[
      'https://vpce-1.sts.us-east-1.vpce.amazonaws.com',
      'https://10.0.0.1',
      'https://sts.us-gov-west-1.amazonaws.com',
    ],
  ])('may not be %s', (endpoint) => {
    expect(problems(at(endpoint))).toEqual(['sts_endpoint: url_refused'])
  })

  test.each(['http://127.0.0.1:4566/path', 'http://127.0.0.1:4566/?', 'http://127.0.0.1:4566/?x=1'])(
    'may not be more than a host, insecure or not: %s',
    (endpoint) => {
      expect(problems(at(endpoint), ['127.0.0.1:4566'])).toEqual(['sts_endpoint: url_refused'])
    },
  )

  test('may not be a private host: STS’s own names lead to interface endpoints', () => {
    const endpoint = 'https://sts.corp.example'

    expect(problems(at(endpoint, { private_hosts: ['sts.corp.example'] }))).toEqual(['sts_endpoint: url_refused'])
  })

  test('may be one of another partition for that partition', () => {
    const endpoint = 'https://sts.cn-north-1.amazonaws.com.cn'

    expect(parse(at(endpoint, { partition: 'aws-cn' })).stsEndpoint).toBe(endpoint)
  })
})

describe('two trusted issuers', () => {
  const trust = (settings: object): TrustedIssuer<AwsSettings> => ({
    ...{ name: 'x', proofAudiences: [BROKER], settings: parse(settings, ['127.0.0.1:1', '127.0.0.1:2']) },
  })
  const conflict = (one: object, other: object) => findAwsConflict(trust(one), trust(other))
  const withIssuer = (account: string, issuer: string) => ({ accounts: { [account]: { web_identity_issuer: issuer } } })

  test('stand together where they share nothing', () => {
    expect(conflict(withIssuer(A, ISSUER), withIssuer(B, OTHER_ISSUER))).toBeUndefined()
    expect(conflict(ACCOUNTS, { accounts: { [B]: {} } })).toBeUndefined()
  })

  test.each<[string, object, object, string | undefined]>([
    ['an account', ACCOUNTS, { accounts: { [B]: {}, [A]: {} } }, `both name the account ${A}`],
    ['an account of two partitions', ACCOUNTS, { ...ACCOUNTS, partition: 'aws-cn' }, undefined],
    ['an issuer', withIssuer(A, ISSUER), withIssuer(B, ISSUER), `both name the web-identity issuer ${ISSUER}`],
    [
      'an issuer, over partitions',
      withIssuer(A, ISSUER),
      { ...withIssuer(B, ISSUER), partition: 'aws-cn' },
      `both name the web-identity issuer ${ISSUER}`,
    ],
    [
      'a partition, with two endpoints',
      { ...ACCOUNTS, sts_endpoint: 'http://127.0.0.1:1' },
      { accounts: { [B]: {} }, sts_endpoint: 'http://127.0.0.1:2' },
      'both are in one partition and name different sts_endpoint',
    ],
    [
      'a partition, one with an endpoint',
      { ...ACCOUNTS, sts_endpoint: 'http://127.0.0.1:1' },
      { accounts: { [B]: {} } },
      'both are in one partition and name different sts_endpoint',
    ],
    [
      'a partition, with two authorities',
      { ...ACCOUNTS, ca_file: 'a.pem' },
      { accounts: { [B]: {} }, ca_file: 'b.pem' },
      'both are in one partition and name different ca_file',
    ],
    [
      'neither partition, endpoint nor authority',
      { ...ACCOUNTS, ca_file: 'a.pem', sts_endpoint: 'http://127.0.0.1:1' },
      { accounts: { [B]: {} }, ca_file: 'b.pem', partition: 'aws-cn', sts_endpoint: 'http://127.0.0.1:2' },
      undefined,
    ],
  ])('that share %s', (_, one, other, found) => {
    expect(conflict(one, other)).toBe(found)
    expect(conflict(other, one)).toBe(found)
  })
})
