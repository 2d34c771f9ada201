/** What a change does to trusted issuers, audiences and the trust domain. */

import { expect, test } from 'vitest'
import type { DocumentParts } from '../support/document.ts'
import { brief, changesBetween } from '../support/run-change.ts'

const bare = { identities: {}, bindings: {} }

function issuer(parts: object = {}): DocumentParts {
  return { ...bare, trusted_issuers: { east: { provider: 'kubernetes', issuers: ['https://a.example'], ...parts } } }
}

function compareIssuers(old: object, next: object) {
  return changesBetween(issuer(old), issuer(next))
}

function compareAudiences(old: object, next: object): readonly string[] {
  return brief(changesBetween({ ...bare, audiences: { a: old } }, { ...bare, audiences: { a: next } }))
}

test('a trusted issuer comes and goes with its settings', () => {
  const none = { ...bare, trusted_issuers: {} }
  const entry = { provider: 'kubernetes', issuers: ['https://a.example'], keys: { from: 'discovery' } }

  expect(changesBetween(none, issuer())).toMatchObject([{ name: 'east', change: 'added', old: null, new: entry }])
  expect(changesBetween(issuer(), none)).toMatchObject([{ name: 'east', change: 'removed', old: entry, new: null }])
})

test('a rebuilt cluster is one more issuer of a list, whose order means nothing', () => {
  const two = ['https://a.example', 'https://b.example']

  expect(compareIssuers({}, { issuers: two })).toMatchObject([
    { kind: 'trusted_issuer', change: 'changed', member: 'issuers', old: ['https://a.example'], new: two },
  ])
  expect(compareIssuers({ issuers: two }, { issuers: two.toReversed() })).toEqual([])
})

test('settings change member by member, and a default that is written out is no change', () => {
  const keys = { from: 'url', url: 'https://a.example/one' }

  expect(compareIssuers({}, { keys: { from: 'discovery' } })).toEqual([])
  expect(compareIssuers({ keys }, { keys: { ...keys, url: 'https://a.example/two' } })).toMatchObject([
    { member: 'keys/url', old: 'https://a.example/one', new: 'https://a.example/two' },
  ])
  expect(compareIssuers({}, { private_hosts: ['a.example'] })).toMatchObject([
    { member: 'private_hosts', old: null, new: ['a.example'] },
  ])
})

test('defaults of a cloud that are written out are no change', () => {
  const aws = (parts: object): DocumentParts => ({
    ...bare,
    trusted_issuers: { east: { provider: 'aws', accounts: { '123456789012': {} }, ...parts } },
  })
  const entra = {
    provider: 'azure',
    tenant_id: 'aaaabbbb-0000-4ccc-8111-dddd2222eeee',
    proof_audiences: ['api://chancery'],
  }
  const azure = (parts: object): DocumentParts => ({ ...bare, trusted_issuers: { east: { ...entra, ...parts } } })

  expect(changesBetween(aws({}), aws({ partition: 'aws', endpoints: ['regional'], principals: ['role'] }))).toEqual([])
  expect(changesBetween(azure({}), azure({ cloud: 'public' }))).toEqual([])
})

test('what is told of suspension and proof audiences is not told again as a member', () => {
  const next = { suspended: true, proof_audiences: ['https://other.example'], issuers: ['https://b.example'] }

  expect(brief(compareIssuers({}, next))).toEqual([
    'trusted_issuer east suspended suspended',
    'trusted_issuer east changed proof_audiences',
    'trusted_issuer east changed issuers',
  ])
})

test('another cloud under the same name is a change of every member', () => {
  const gcp = { ...bare, trusted_issuers: { east: { provider: 'gcp' } } }

  expect(changesBetween(issuer(), gcp)).toContainEqual(
    expect.objectContaining({ member: 'provider', old: 'kubernetes', new: 'gcp' }),
  )
})

test('a trusted issuer is suspended and resumed', () => {
  expect(brief(compareIssuers({}, { suspended: true }))).toEqual(['trusted_issuer east suspended suspended'])
  expect(brief(compareIssuers({ suspended: true }, { suspended: false }))).toEqual([
    'trusted_issuer east resumed suspended',
  ])
})

test('proof audiences are those that a trusted issuer has in the end', () => {
  const [mine, more] = ['https://broker.example', 'https://other.example']
  const changed = [{ kind: 'trusted_issuer', member: 'proof_audiences', old: [mine], new: [mine, more] }]

  expect(compareIssuers({}, { proof_audiences: [mine] })).toEqual([])
  expect(compareIssuers({ proof_audiences: [mine, more] }, { proof_audiences: [more, mine] })).toEqual([])
  expect(compareIssuers({}, { proof_audiences: [mine, more] })).toMatchObject(changed)
  expect(changesBetween(issuer(), { ...issuer(), proof_audiences: [mine, more] })).toMatchObject(changed)
  expect(brief(compareIssuers({ proof_audiences: [mine, more] }, {}))).toEqual([
    'trusted_issuer east narrowed proof_audiences',
  ])
})

test('an audience comes and goes with every default in place', () => {
  const [none, one] = [
    { ...bare, audiences: {} },
    { ...bare, audiences: { a: { scopes: ['r'] } } },
  ]
  const entry = { scopes: ['r'], max_lifetime_seconds: 3_600, signing_alg: 'ES256', token_type: 'at+jwt' }

  expect(changesBetween(none, one)).toMatchObject([{ kind: 'audience', change: 'added', old: null, new: entry }])
  expect(changesBetween(one, none)).toMatchObject([{ kind: 'audience', change: 'removed', old: entry, new: null }])
})

test('an audience changes by its scopes, its lifetime and what its tokens are like', () => {
  const defaults = { max_lifetime_seconds: 3_600, signing_alg: 'ES256', token_type: 'at+jwt' }

  expect(compareAudiences({}, defaults)).toEqual([])
  expect(compareAudiences({ scopes: ['r'] }, { scopes: ['w', 'r'] })).toEqual(['audience a widened scopes'])
  expect(compareAudiences({ scopes: ['r', 'w'] }, { scopes: ['w', 'r'] })).toEqual([])
  expect(compareAudiences({ scopes: ['r'] }, {})).toEqual(['audience a narrowed scopes'])
  expect(compareAudiences({}, { max_lifetime_seconds: 600 })).toEqual(['audience a narrowed max_lifetime_seconds'])
  expect(compareAudiences({ max_lifetime_seconds: 600 }, {})).toEqual(['audience a widened max_lifetime_seconds'])
  expect(compareAudiences({}, { signing_alg: 'RS256' })).toEqual(['audience a changed signing_alg'])
  expect(compareAudiences({}, { token_type: 'JWT' })).toEqual(['audience a changed token_type'])
})

test('another trust domain is told first, as it renames everybody', () => {
  const changes = changesBetween({}, { ...issuer(), trust_domain: 'new.example' })

  expect(changes[0]).toMatchObject({
    kind: 'federation',
    member: 'trust_domain',
    old: 'corp.example',
    new: 'new.example',
  })
  expect(changes.length).toBeGreaterThan(1)
})
