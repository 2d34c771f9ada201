/** Whose proofs recorded ones would be under a new document: clusters are rebuilt, and move. */

import { expect, test } from 'vitest'
import { createIssuerFinder } from '../../src/cli/replay-issuers.ts'
import { federationFor } from '../support/federation-parts.ts'
import { makeJwk } from '../support/key-issuer.ts'

const bare = { identities: {}, bindings: {} }
const UUID = '6e5a7e2b-7a44-4e23-9f0e-3f6f64f0a4a1'
const TENANT = 'aaaabbbb-0000-4ccc-8111-dddd2222eeee'

function finderFor(trusted_issuers: Readonly<Record<string, object>>) {
  return createIssuerFinder(federationFor({ ...bare, trusted_issuers }))
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
  expect(find(web, 'other')).toBe('aws')
  expect(find(web.replace('6e', '7f'), 'aws')).toBeUndefined()
})

test('what no iss tells apart is found by the name that was recorded', () => {
  const shared = 'https://kubernetes.default.svc.cluster.local'
  const inline = (kid: string) => ({ ...cluster(shared), keys: { from: 'inline', jwks: { keys: [makeJwk(kid)] } } })
  const find = finderFor({
    one: inline('1'),
    two: inline('2'),
    aws: { provider: 'aws', partition: 'aws', regions: ['us-east-1'], accounts: { '123456789012': {} } },
  })

  expect(find(shared, 'two')).toBe('two')
  expect(find(shared, 'three')).toBeUndefined()
  expect(find('aws', 'aws')).toBe('aws')
  expect(find('aws', 'aws-prod')).toBeUndefined()
  expect(find(null, 'one')).toBe('one')
})

test('however many issuers there are, each gets its own answer', () => {
  const find = finderFor({ prod: cluster('https://a.example') })

  for (let at = 0; at < 10_050; at++) expect(find(`https://${at}.example`, 'prod')).toBeUndefined()
  expect(find('https://a.example', 'prod')).toBe('prod')
})
