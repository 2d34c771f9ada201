/** What the platform document may delegate: never one name or one proof to two teams. */

import { describe, expect, test } from 'vitest'
import { CLUSTER, findingsIn, tell } from '../support/federation-parts.ts'
import { ACCOUNT, delegationOf, NAMESPACE } from '../support/team-documents.ts'

const ACCOUNT_ID = '123456789012'
const AWS = { provider: 'aws', accounts: { [ACCOUNT_ID]: {} } }
const CLUSTERS = { cluster: { provider: 'kubernetes', issuers: [CLUSTER] }, aws: AWS }

/** Tells what is found in a document with these delegations, and nothing else of interest. */
function found(delegations: Readonly<Record<string, object>>): readonly string[] {
  return tell(findingsIn({ trusted_issuers: CLUSTERS, delegations }))
}

function matching(match: object, prefix: string, issuer = 'cluster'): object {
  return { identity_prefix: prefix, trusted_issuers: { [issuer]: { match } } }
}

describe('takes', () => {
  test.each<[string, object]>([
    ['one namespace', delegationOf('payments')],
    ['several', delegationOf(['payments', 'refunds'])],
    [
      'those that begin alike',
      { ...delegationOf('payments'), trusted_issuers: { cluster: { match: { [NAMESPACE]: 'payments-*' } } } },
    ],
    ['a whole cluster', matching({}, 'payments/')],
    ['an account', matching({ 'aws.account_id': ACCOUNT_ID }, 'payments/', 'aws')],
    ['names alone', { identity_prefix: 'payments/' }],
    ['claims', delegationOf('payments', { claims: ['team', 'tier'] })],
  ])('%s', (_what, delegation) => {
    expect(found({ payments: delegation })).toEqual([])
  })

  test('neighbours: prefixes and matches that only begin alike', () => {
    const one = matching({ [NAMESPACE]: 'payments' }, 'payments/')
    const other = matching({ [NAMESPACE]: 'payments-evil' }, 'payments-evil/')
    const below = matching({ [NAMESPACE]: 'payments-eu-*' }, 'payments.eu/')

    expect(found({ one, other, below })).toEqual([])
  })

  test('the same namespace of two clusters', () => {
    const east = matching({ 'aws.account_id': ACCOUNT_ID }, 'east/', 'aws')
    const west = matching({ [NAMESPACE]: 'payments' }, 'west/')

    expect(found({ east, west })).toEqual([])
  })
})

describe('refuses, and says where', () => {
  test.each<[string, object, string]>([
    ['a prefix without its slash', { identity_prefix: 'payments' }, '/identity_prefix shape'],
    ['a prefix that breaks a segment', { identity_prefix: 'payments-*' }, '/identity_prefix shape'],
    ['an empty prefix', { identity_prefix: '' }, '/identity_prefix shape'],
    ['a prefix that is a slash', { identity_prefix: '/' }, '/identity_prefix shape'],
    ['no prefix', { grants: {} }, '/identity_prefix shape'],
    ['an unknown member', delegationOf('payments', { bindings: {} }), '/bindings member_unknown'],
    ['no match', { identity_prefix: 'p/', trusted_issuers: { cluster: {} } }, '/trusted_issuers/cluster/match shape'],
    ['a stranger’s proofs', matching({}, 'p/', 'stranger'), '/trusted_issuers/stranger trusted_issuer_unknown'],
    ['an inherited name', matching({}, 'p/', 'toString'), '/trusted_issuers/toString trusted_issuer_unknown'],
    [
      'an unknown attribute',
      matching({ 'aws.account_id': '1' }, 'p/'),
      '/trusted_issuers/cluster/match/aws.account_id attribute_unknown',
    ],
    [
      'an impossible value',
      matching({ [NAMESPACE]: 'P' }, 'p/'),
      `/trusted_issuers/cluster/match/${NAMESPACE} value_impossible`,
    ],
    [
      'a bare star',
      matching({ [NAMESPACE]: '*' }, 'p/'),
      `/trusted_issuers/cluster/match/${NAMESPACE} prefix_malformed`,
    ],
    [
      'two prefixes',
      matching({ [NAMESPACE]: 'p-*', [ACCOUNT]: 'a-*' }, 'p/'),
      '/trusted_issuers/cluster/match prefix_repeated',
    ],
    [
      'what its caller may say',
      matching({ 'aws.session_name': 'session' }, 'p/', 'aws'),
      '/trusted_issuers/aws/match/aws.session_name caller_chooses',
    ],
    [
      'an audience that nobody declares',
      delegationOf('p', { grants: { nobody: [] } }),
      '/grants/nobody audience_unknown',
    ],
    [
      'a scope that nobody declares',
      delegationOf('p', { grants: { ledger: ['all'] } }),
      '/grants/ledger/0 scope_unknown',
    ],
    ['a claim that is ours', delegationOf('p', { claims: ['team', 'sub'] }), '/claims/1 claim_reserved'],
  ])('%s', (_what, delegation, expected) => {
    expect(found({ payments: delegation })).toEqual([`error /delegations/payments${expected}`])
  })

  test.each([
    ['the same', 'payments/', 'payments/'],
    ['one inside the other', 'payments/', 'payments/eu/'],
    ['one around the other', 'payments/eu/west/', 'payments/'],
  ])('two prefixes of which one name could be both’s: %s', (_what, one, two) => {
    const delegations = { two: matching({ [NAMESPACE]: 'two' }, two), one: matching({ [NAMESPACE]: 'one' }, one) }
    const blamed = one.length > two.length ? 'one' : 'two'

    expect(found(delegations)).toEqual([`error /delegations/${blamed}/identity_prefix delegations_overlap`])
  })

  test('a match that cannot be read, without saying what else it would be', () => {
    const delegations = { one: delegationOf('one'), two: matching({ 'kubernetes.cluster': 'x' }, 'two/') }

    expect(found(delegations)).toEqual([
      'error /delegations/two/trusted_issuers/cluster/match/kubernetes.cluster attribute_unknown',
    ])
  })

  test('every prefix inside another, whatever stands between them', () => {
    const names = { a: 'a/', 'a-b': 'a-b/', inner: 'a/b/', innermost: 'a/b/c/', 'a.b': 'a.b/' }
    const delegations = Object.entries(names).map(([name, prefix]) => [name, { identity_prefix: prefix }])

    expect(found(Object.fromEntries(delegations))).toEqual([
      'error /delegations/inner/identity_prefix delegations_overlap',
      'error /delegations/innermost/identity_prefix delegations_overlap',
    ])
  })

  test.each<[string, object, object]>([
    ['equal', { [NAMESPACE]: 'a' }, { [NAMESPACE]: 'a' }],
    ['nested', { [NAMESPACE]: 'a-1' }, { [NAMESPACE]: 'a-*' }],
    ['everything', { [NAMESPACE]: 'a' }, {}],
    ['lists that share a value', { [NAMESPACE]: ['a', 'b'] }, { [NAMESPACE]: ['b', 'c'] }],
    ['each open where the other is not', { [NAMESPACE]: 'a' }, { [ACCOUNT]: 'w' }],
  ])('two matches of which one proof could be both’s: %s', (_what, one, two) => {
    const findings = findingsIn({ delegations: { one: matching(one, 'one/'), two: matching(two, 'two/') } })

    expect(tell(findings)).toEqual(['error /delegations/two/trusted_issuers/cluster/match delegations_overlap'])
    expect(findings[0]?.message).toMatch(/^one and two /)
    expect(findings[0]?.witness).toEqual(expect.objectContaining(_what === 'nested' ? { [NAMESPACE]: 'a-1' } : {}))
  })

  test('more sets of attributes than lookups can bear', () => {
    const match = (n: number) => ({ [n % 2 === 0 ? NAMESPACE : ACCOUNT]: `${'x'.repeat(1 + (n >> 1))}-*` })
    const delegations = Array.from({ length: 66 }, (_, n) => [`d${n}`, matching(match(n), `d${n}/`)])

    expect(found(Object.fromEntries(delegations))).toEqual(['error /trusted_issuers/cluster shapes_too_many'])
  })

  test('with a warning alone what an operator can know who sets', () => {
    const tagged = (team: string) =>
      matching({ 'aws.account_id': ACCOUNT_ID, 'aws.principal_tags/team': team }, `${team}/`, 'aws')
    const findings = found({ a: tagged('a'), b: tagged('b') })

    expect(findings.every((line) => line.startsWith('warning '))).toBe(true)
    expect(findings).toContain(
      'warning /delegations/b/trusted_issuers/aws/match/aws.principal_tags~1team caller_chooses',
    )
  })
})
