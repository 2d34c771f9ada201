/** Bindings to what their trusted issuer does not take: they may stand, and whoever wrote them is told. */

import { describe, expect, test } from 'vitest'
import { documentFor } from '../support/document.ts'
import { CLUSTER, findingsIn } from '../support/federation-parts.ts'
import { prove, tellFiles } from '../support/team-documents.ts'

const ACCOUNT = '123456789012'
const TENANT = 'aaaabbbb-0000-cccc-1111-dddd2222eeee'
const OBJECT = { 'azure.object_id': 'aaaabbbb-0000-cccc-1111-dddd2222ffff' }
const ROLE = { 'aws.account_id': ACCOUNT, 'aws.role_name': 'api' }
const USER = { 'aws.account_id': ACCOUNT, 'aws.user_id': 'AIDACKCEVSQ6C2EXAMPLE' }
const PERSON = { ...ROLE, 'aws.role_name': 'AWSReservedSSO_Admin_0123456789abcdef' }

const ISSUERS = {
  cluster: { provider: 'kubernetes', issuers: [CLUSTER] },
  aws: { provider: 'aws', accounts: { [ACCOUNT]: {} } },
  users: { provider: 'aws', accounts: { '210987654321': {} }, principals: ['user'] },
  entra: { provider: 'azure', tenant_id: TENANT.toUpperCase(), proof_audiences: ['api://chancery'] },
}

function documentWith(issuer: string, match: object): object {
  const bindings = { b: { trusted_issuer: issuer, match, identity: 'api' } }
  return documentFor(CLUSTER, { trusted_issuers: ISSUERS, identities: { api: {} }, bindings })
}

function warningsFor(issuer: string, match: object): readonly string[] {
  return findingsIn(JSON.stringify(documentWith(issuer, match)))
    .filter(({ code }) => code === 'value_not_taken')
    .map(({ severity, path }) => `${severity} ${path}`)
}

describe('a binding is told of', () => {
  test.each<[string, string, object, string]>([
    ['an account that is not named', 'aws', { ...ROLE, 'aws.account_id': '210987654321' }, 'aws.account_id'],
    [
      'one such account among others',
      'aws',
      { ...ROLE, 'aws.account_id': [ACCOUNT, '210987654321'] },
      'aws.account_id',
    ],
    ['another partition', 'aws', { ...ROLE, 'aws.partition': 'aws-cn' }, 'aws.partition'],
    ['a user, where roles are taken', 'aws', USER, 'aws.user_id'],
    ['a person’s role', 'aws', PERSON, 'aws.role_name'],
    ['a role, where users are taken', 'users', { ...ROLE, 'aws.account_id': '210987654321' }, 'aws.role_name'],
    ['another tenant', 'entra', { ...OBJECT, 'azure.tenant_id': TENANT.replace('a', 'b') }, 'azure.tenant_id'],
  ])('for %s', (_what, issuer, match, attribute) => {
    expect(warningsFor(issuer, match)).toEqual([`warning /bindings/b/match/${attribute}`])
  })
})

describe('a binding is not told of', () => {
  test.each<[string, string, object]>([
    ['what is taken', 'aws', { ...ROLE, 'aws.partition': 'aws' }],
    ['a prefix, below which some are taken', 'aws', { ...ROLE, 'aws.role_name': 'AWSReservedSSO_*' }],
    ['a user, where users are taken', 'users', { ...USER, 'aws.account_id': '210987654321' }],
    ['the tenant, however it is spelt', 'entra', { ...OBJECT, 'azure.tenant_id': TENANT.toUpperCase() }],
    [
      'a cloud whose settings rule nothing out',
      'cluster',
      { 'kubernetes.namespace': 'a', 'kubernetes.service_account': 'b' },
    ],
  ])('for %s', (_what, issuer, match) => {
    expect(warningsFor(issuer, match)).toEqual([])
  })
})

test('a team is told in its own document', () => {
  const delegation = { identity_prefix: 'team/', trusted_issuers: { aws: { match: {} } }, grants: {} }
  const platform = documentFor(CLUSTER, { trusted_issuers: ISSUERS, bindings: {}, delegations: { team: delegation } })
  const binding = { trusted_issuer: 'aws', match: { ...ROLE, 'aws.account_id': '210987654321' }, identity: 'team/api' }
  const team = { version: 1, delegation: 'team', identities: { 'team/api': {} }, bindings: { b: binding } }

  expect(tellFiles(prove({ 'platform.json': platform, 'team.json': team }).findings)).toEqual([
    'team.json warning /bindings/b/match/aws.account_id value_not_taken',
  ])
})
