/** Whose proofs recorded ones would be under a new document: clusters are rebuilt, and move. */

import { expect, test } from 'vitest'
import { createIssuerFinder } from '../../src/cli/replay-issuers.ts'
import { federationFor } from '../support/federation-parts.ts'
import { makeJwk } from '../support/key-issuer.ts'

const ROLE = { 'aws.partition': 'aws', 'aws.account_id': '123456789012', 'aws.role_name': 'api' }
const bare = { identities: {}, bindings: {} }
const UUID = '6e5a7e2b-7a44-4e23-9f0e-3f6f64f0a4a1'
const TENANT = 'aaaabbbb-0000-4ccc-8111-dddd2222eeee'

function finderFor(trusted_issuers: Readonly<Record<string, object>>) {
  const find = createIssuerFinder(federationFor({ ...bare, trusted_issuers }))
  return (issuer: string | null, trustedIssuer: string, attributes: Readonly<Record<string, string>> = {}) =>
    find({ issuer, trustedIssuer, attributes: new Map(Object.entries(attributes)) })
}

function cluster(...issuers: string[]): object {
  return { provider: 'kubernetes', issuers }
}

test('a cluster that left the list of its trusted issuer has none, though its name lives on', () => {
  const find = finderFor({ prod: cluster('https://new.example') })

  expect(find('https://new.example', 'prod')).toBe('prod')
  expect(find('https://old.example', 'prod')).toBeUndefined()
  expect(find('https://new.example/', 'prod')).toBeUndefined()
})

test('a cluster that went to another trusted issuer, or whose trusted issuer was renamed, is found', () => {
  const find = finderFor({
    blue: cluster('https://a.example'),
    green: cluster('https://b.example', 'https://c.example'),
  })

  expect(find('https://c.example', 'blue')).toBe('green')
  expect(find('https://a.example', 'prod')).toBe('blue')
})

test('every cloud is asked', () => {
  const web = `https://${UUID}.tokens.sts.global.api.aws`
  const find = finderFor({
    google: { provider: 'gcp' },
    entra: { provider: 'azure', cloud: 'public', tenant_id: TENANT, proof_audiences: ['api://chancery'] },
    aws: {
      provider: 'aws',
      partition: 'aws',
      regions: ['us-east-1'],
      accounts: { '123456789012': { web_identity_issuer: web } },
    },
  })

  expect(find('https://accounts.google.com', 'other')).toBe('google')
  expect(find(`https://login.microsoftonline.com/${TENANT}/v2.0`, 'other')).toBe('entra')
  expect(find(`https://sts.windows.net/${TENANT}/`, 'other')).toBe('entra')
  expect(find(web, 'other', ROLE)).toBe('aws')
  expect(find(web.replace('6e', '7f'), 'aws', ROLE)).toBeUndefined()
})

test('what no iss tells apart is found by the name that was recorded', () => {
  const shared = 'https://kubernetes.default.svc.cluster.local'
  const inline = (kid: string) => ({ ...cluster(shared), keys: { from: 'inline', jwks: { keys: [makeJwk(kid)] } } })
  const find = finderFor({
    one: inline('1'),
    two: inline('2'),
  })

  expect(find(shared, 'two')).toBe('two')
  expect(find(shared, 'three')).toBeUndefined()
  expect(find(null, 'one')).toBe('one')
})

test('an account that left its trusted issuer has none, and one that went to another is found', () => {
  const accounts = (...ids: string[]) => ({
    provider: 'aws',
    accounts: Object.fromEntries(ids.map((id) => [id, {}])),
  })
  const find = finderFor({
    prod: accounts('111111111111'),
    dev: accounts('123456789012'),
    edge: cluster('https://a.example'),
  })

  expect(find('aws', 'prod', ROLE)).toBe('dev')
  expect(find('aws', 'prod', { ...ROLE, 'aws.account_id': '222222222222' })).toBeUndefined()
  expect(find('aws-cn', 'dev', { ...ROLE, 'aws.partition': 'aws-cn' })).toBeUndefined()
})

test('a kind of principal that is taken no more has no trusted issuer', () => {
  const find = finderFor({
    roles: { provider: 'aws', accounts: { '123456789012': {} } },
    people: { provider: 'aws', accounts: { '222222222222': {} }, principals: ['user', 'identity_center'] },
  })
  const other = { 'aws.partition': 'aws', 'aws.account_id': '222222222222' }

  expect(find('aws', 'roles', { ...ROLE, 'aws.role_name': 'AWSReservedSSO_admin_0123456789abcdef' })).toBeUndefined()
  expect(find('aws', 'people', { ...other, 'aws.role_name': 'AWSReservedSSO_admin_0123456789abcdef' })).toBe('people')
  expect(find('aws', 'people', { ...other, 'aws.role_name': 'api' })).toBeUndefined()
  expect(find('aws', 'people', { ...other, 'aws.user_name': 'ci' })).toBe('people')
})

test('however many issuers there are, each gets its own answer', () => {
  const find = finderFor({ prod: cluster('https://a.example') })

  for (let at = 0; at < 10_050; at++) expect(find(`https://${at}.example`, 'prod')).toBeUndefined()
  expect(find('https://a.example', 'prod')).toBe('prod')
})
