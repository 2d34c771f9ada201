/** What a document may say of AWS accounts. */

import { describe, expect, test } from 'vitest'
import { regionsOf } from '../../providers/aws/endpoints.ts'
import { AWS_SETTINGS_SHAPE, parseAwsSettings } from '../../providers/aws/settings.ts'
import { BROKER } from '../support/document.ts'
import { makeJwk } from '../support/key-issuer.ts'
import { problemsOf } from '../support/rejection.ts'

const [A, B] = ['123456789012', '210987654321']
const ISSUER = 'https://a1b2c3d4-1111-2222-3333-444455556666.tokens.sts.global.api.aws'
const OTHER_ISSUER = 'https://ffffffff-1111-2222-3333-444455556666.tokens.sts.global.api.aws'
const ACCOUNTS = { accounts: { [A]: {} } }
const inline = (...keys: readonly object[]) => ({ from: 'inline', jwks: { keys } })

const parse = (settings: object, insecureHosts: readonly string[] = []) =>
  parseAwsSettings(settings, { insecureHosts: new Set(insecureHosts), proofAudiences: [BROKER] })

/** Each problem as its path and its code. */
const problems = (settings: object, insecureHosts?: readonly string[]): readonly string[] =>
  problemsOf(() => parse(settings, insecureHosts)).map(({ path, code }) => `${path.join('.')}: ${code}`)

describe('the shape', () => {
  test('needs accounts alone: roles of the partition "aws", at every regional host', () => {
    expect(parse(ACCOUNTS)).toEqual({
      partition: 'aws',
      accounts: new Map([[A, { webIdentityIssuer: undefined, keys: { from: 'discovery' } }]]),
      regions: regionsOf('aws'),
      endpoints: ['regional'],
      principals: ['role'],
      stsEndpoint: undefined,
      privateHosts: [],
      caFile: undefined,
    })
  })

  test('may say everything', () => {
    const keys = inline(makeJwk('k1'))
    const settings = {
      partition: 'aws-us-gov',
      accounts: { [A]: { web_identity_issuer: ISSUER, keys }, [B]: { web_identity_issuer: OTHER_ISSUER } },
      regions: ['us-gov-west-1'],
      endpoints: ['regional', 'global', 'fips', 'dualstack', 'fips_dualstack'],
      principals: ['role', 'user', 'identity_center'],
      sts_endpoint: 'https://sts.us-gov-west-1.amazonaws.com/',
      private_hosts: ['keys.corp.example'],
      ca_file: 'ca.pem',
    }

    expect(parse(settings)).toEqual({
      partition: 'aws-us-gov',
      accounts: new Map([
        [A, { webIdentityIssuer: ISSUER, keys }],
        [B, { webIdentityIssuer: OTHER_ISSUER, keys: { from: 'discovery' } }],
      ]),
      regions: ['us-gov-west-1'],
      endpoints: settings.endpoints,
      principals: settings.principals,
      stsEndpoint: settings.sts_endpoint,
      privateHosts: ['keys.corp.example'],
      caFile: 'ca.pem',
    })
  })

  test('has these members', () => {
    expect(Object.keys(AWS_SETTINGS_SHAPE)).toEqual([
      ...['partition', 'accounts', 'regions', 'endpoints', 'principals', 'sts_endpoint', 'private_hosts', 'ca_file'],
    ])
  })

  test.each([
    ['no accounts', {}, 'accounts'],
    ['an empty set of accounts', { accounts: {} }, 'accounts'],
    ['a list of accounts', { accounts: [A] }, 'accounts'],
    ['an account of eleven digits', { accounts: { '12345678901': {} } }, 'accounts.12345678901'],
    ['an account of thirteen digits', { accounts: { '1234567890123': {} } }, 'accounts.1234567890123'],
    ['an account with hyphens', { accounts: { '1234-5678-9012': {} } }, 'accounts.1234-5678-9012'],
    ['an account with a line break', { accounts: { '123456789012\n': {} } }, 'accounts.123456789012\n'],
    ['any account', { accounts: { '*': {} } }, 'accounts.*'],
    ['an account that is null', { accounts: { [A]: null } }, `accounts.${A}`],
    ['more in an account', { accounts: { [A]: { any_issuer: true } } }, `accounts.${A}`],
    [
      'an issuer that is no text',
      { accounts: { [A]: { web_identity_issuer: 1 } } },
      `accounts.${A}.web_identity_issuer`,
    ],
    [
      'an issuer that is too long',
      { accounts: { [A]: { web_identity_issuer: `${ISSUER}/`.padEnd(513, 'x') } } },
      `accounts.${A}.web_identity_issuer`,
    ],
    [
      'an unknown source of keys',
      { accounts: { [A]: { web_identity_issuer: ISSUER, keys: { from: 'x' } } } },
      `accounts.${A}.keys.from`,
    ],
    ['a partition that this version does not know', { ...ACCOUNTS, partition: 'aws-iso' }, 'partition'],
    ['no regions', { ...ACCOUNTS, regions: [] }, 'regions'],
    ['too many regions', { ...ACCOUNTS, regions: Array.from({ length: 65 }, () => 'us-east-1') }, 'regions'],
    ['no kind of endpoint', { ...ACCOUNTS, endpoints: [] }, 'endpoints'],
    ['an unknown kind of endpoint', { ...ACCOUNTS, endpoints: ['vpce'] }, 'endpoints.0'],
    ['no kind of principal', { ...ACCOUNTS, principals: [] }, 'principals'],
    ['root', { ...ACCOUNTS, principals: ['root'] }, 'principals.0'],
    ['federated users', { ...ACCOUNTS, principals: ['role', 'federated_user'] }, 'principals.1'],
    ['an endpoint that is no text', { ...ACCOUNTS, sts_endpoint: 1 }, 'sts_endpoint'],
    [
      'an endpoint that is too long',
      { ...ACCOUNTS, sts_endpoint: 'https://sts.amazonaws.com/'.padEnd(513, 'x') },
      'sts_endpoint',
    ],
    ['no private hosts', { ...ACCOUNTS, private_hosts: [] }, 'private_hosts'],
    ['a file elsewhere', { ...ACCOUNTS, ca_file: '../ca.pem' }, 'ca_file'],
    ['an unknown member', { ...ACCOUNTS, skip_audience: true }, ''],
  ])('refuses %s', (_, settings, path) => {
    expect(problems(settings)).toEqual([`${path}: shape`])
  })

  test('takes 64 regions, and an issuer and an endpoint of 512 characters as far as length goes', () => {
    const long = `${ISSUER}/`.padEnd(512, 'x')

    expect(parse({ accounts: { [A]: { web_identity_issuer: long } } }).accounts.get(A)?.webIdentityIssuer).toBe(long)
    expect(parse({ ...ACCOUNTS, regions: Array.from({ length: 64 }, () => 'us-east-1') }).regions).toHaveLength(64)
    expect(problems({ ...ACCOUNTS, sts_endpoint: 'https://sts.amazonaws.com/'.padEnd(512, 'x') })).toEqual([
      'sts_endpoint: url_refused',
    ])
  })
})

describe('regions', () => {
  test('are those of the partition, by default and by name', () => {
    expect(parse({ ...ACCOUNTS, partition: 'aws-cn' }).regions).toEqual(['cn-north-1', 'cn-northwest-1'])
    expect(problems({ ...ACCOUNTS, partition: 'aws-cn', regions: ['cn-north-1', 'us-east-1'] })).toEqual([
      'regions.1: region_unknown',
    ])
    expect(problems({ ...ACCOUNTS, regions: ['us-east-9', 'us-east-1', 'US-EAST-1', 'aws-global'] })).toEqual([
      'regions.0: region_unknown',
      'regions.2: region_unknown',
      'regions.3: region_unknown',
    ])
  })

  test('that are unknown are named with their partition', () => {
    const [problem] = problemsOf(() => parse({ ...ACCOUNTS, regions: ['us-east-9'] }))

    expect(problem?.message).toBe('us-east-9 is not a region of aws that this version knows')
  })
})

describe('an account', () => {
  const one = (account: object, more: object = {}) => ({ accounts: { [A]: account }, ...more })

  test('may say where the keys of its issuer are', () => {
    const keys = { from: 'url', url: 'https://keys.example/jwks.json' }

    expect(parse(one({ web_identity_issuer: ISSUER, keys })).accounts.get(A)).toEqual({
      webIdentityIssuer: ISSUER,
      keys,
    })
  })

  test.each([
    ['plain http', 'http://issuer.example'],
    ['a query', `${ISSUER}?x`],
    ['an upper-case host', ISSUER.toUpperCase().replace('HTTPS', 'https')],
    ['a default port', `${ISSUER}:443`],
    ['a wildcard', 'https://*.tokens.sts.global.api.aws'],
    ['a private address', 'https://10.0.0.1'],
    ['nothing', ''],
  ])('has no issuer with %s', (_, issuer) => {
    expect(problems(one({ web_identity_issuer: issuer }))).toEqual([
      `accounts.${A}.web_identity_issuer: issuer_refused`,
    ])
  })

  test('has an issuer on a private network where that is expected, or where nothing is fetched from it', () => {
    const issuer = { web_identity_issuer: 'https://10.0.0.1' }

    expect(parse(one(issuer, { private_hosts: ['10.0.0.1'] })).privateHosts).toEqual(['10.0.0.1'])
    expect(parse(one({ ...issuer, keys: inline(makeJwk('k')) })).accounts.size).toBe(1)
    expect(parse(one({ web_identity_issuer: 'http://127.0.0.1:8080' }), ['127.0.0.1:8080']).accounts.size).toBe(1)
  })

  test('has no keys without an issuer', () => {
    expect(problems(one({ keys: { from: 'discovery' } }))).toEqual([`accounts.${A}.keys: keys_unused`])
  })

  test.each([
    ['keys in plain http', { from: 'url', url: 'http://keys.example' }, 'keys.url: url_refused'],
    ['no keys at all', inline(), 'keys.jwks.keys: keys_empty'],
    ['the same key twice', inline(makeJwk('k'), makeJwk('k')), 'keys.jwks.keys.1: key_id_repeated'],
    ['a key that cannot be used', inline({ kty: 'oct', kid: 'k', k: 'AAAA' }), 'keys.jwks.keys.0: key_refused'],
  ])('has an issuer with %s refused', (_, keys, found) => {
    expect(problems(one({ web_identity_issuer: ISSUER, keys }))).toEqual([`accounts.${A}.${found}`])
  })

  test('has an issuer of its own', () => {
    const accounts = {
      [A]: { web_identity_issuer: ISSUER },
      [B]: { web_identity_issuer: ISSUER },
      '000000000000': { web_identity_issuer: ISSUER },
      '111111111111': {},
      '222222222222': {},
    }

    expect(problems({ accounts })).toEqual([
      `accounts.${B}.web_identity_issuer: issuer_refused`,
      'accounts.000000000000.web_identity_issuer: issuer_refused',
    ])
    expect(problemsOf(() => parse({ accounts }))[0]?.message).toMatch(
      /^the account \d{12} has the same web_identity_issuer: every account has its own$/,
    )
  })

  test('with several problems has all of them told', () => {
    const settings = {
      accounts: { [A]: { web_identity_issuer: 'x', keys: inline() }, [B]: { keys: { from: 'discovery' } } },
      regions: ['x'],
      sts_endpoint: 'x',
    }

    expect(problems(settings)).toEqual([
      'regions.0: region_unknown',
      `accounts.${A}.web_identity_issuer: issuer_refused`,
      `accounts.${A}.keys.jwks.keys: keys_empty`,
      `accounts.${B}.keys: keys_unused`,
      'sts_endpoint: url_refused',
    ])
  })
})
