/** Bindings of two documents: never both for one proof, whichever is the narrower, and whatever its caller says of itself. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { proveDocuments } from '../../src/federation/prove-documents.ts'
import { bindingFor, type DocumentParts } from '../support/document.ts'
import { CLUSTER, CONTEXT, identityOf, located } from '../support/federation-parts.ts'
import { bindingLists, matches, type NamedEntry, WORLD } from '../support/naive-bindings.ts'
import {
  ACCOUNT,
  delegationOf,
  findingsInTeam,
  NAMESPACE,
  platformFor,
  prove,
  teamFor,
  tellFiles,
} from '../support/team-documents.ts'

const POD = 'kubernetes.pod_name'

function platformWith(...bindings: readonly object[]): DocumentParts {
  return { bindings: Object.fromEntries(bindings.map((binding, index) => [`p${index}`, binding])) }
}

describe('a team’s binding is refused that meets the platform’s:', () => {
  test.each<[string, object]>([
    ['the very same', bindingFor('payments', 'api', 'tools/scanner')],
    ['a wider one', bindingFor(['payments', 'tools'], ['api', 'web'], 'tools/scanner')],
    ['a narrower one', bindingFor('payments', 'api', 'tools/scanner', { [POD]: 'api-1' })],
    ['one by a prefix', bindingFor('pay-*', 'api', 'tools/scanner')],
    ['one that crosses it', bindingFor('payments', 'api', 'tools/scanner', { 'kubernetes.node_name': 'n' })],
    ['one that is suspended', { ...bindingFor('payments', 'api', 'tools/scanner'), suspended: true }],
    ['one in shadow', { ...bindingFor('payments', 'api', 'tools/scanner'), mode: 'shadow' }],
  ])('%s', (what, binding) => {
    const namespace = what === 'one by a prefix' ? 'pay-1' : 'payments'
    const delegations = { payments: delegationOf(namespace, { identity_prefix: 'payments/' }) }
    const team = {
      bindings: {
        mine: bindingFor(namespace, 'api', 'payments/api', what === 'one that crosses it' ? { [POD]: 'p' } : {}),
      },
    }

    expect(findingsInTeam(team, { ...platformWith(binding), delegations })).toEqual([
      'error /bindings/mine documents_overlap',
    ])
  })

  test.each(['suspended', 'shadow'])('whether or not the team’s itself is %s', (how) => {
    const mine = {
      ...bindingFor('payments', 'api', 'payments/api'),
      ...(how === 'suspended' ? { suspended: true } : { mode: 'shadow' }),
    }

    expect(
      findingsInTeam({ bindings: { mine } }, platformWith(bindingFor('payments', 'api', 'tools/scanner'))),
    ).toEqual(['error /bindings/mine documents_overlap'])
  })

  test('with both names and a proof that both would match', () => {
    const platform = platformFor(CLUSTER, platformWith(bindingFor('payments', ['a', 'api'], 'tools/scanner')))
    const { findings } = prove({ 'platform.json': platform, 'team.json': teamFor('payments') })

    expect(findings).toHaveLength(1)
    expect(findings[0]?.message).toBe('api and p0 of the platform document both match some proofs')
    expect(findings[0]?.witness).toEqual({ [NAMESPACE]: 'payments', [ACCOUNT]: 'api' })
  })

  test('however many there are, a hundred of them', () => {
    const many = Array.from({ length: 150 }, (_, n) => [`b${n}`, bindingFor('payments', `api-${n}`, 'payments/api')])
    const found = findingsInTeam(
      { bindings: Object.fromEntries(many) },
      platformWith(bindingFor('payments', 'api-*', 'tools/scanner')),
    )

    expect(found.length).toBeGreaterThanOrEqual(100)
    expect(found.length).toBeLessThan(110)
  })
})

test('a binding of the platform’s may stand beside the team’s in the delegated namespace', () => {
  expect(findingsInTeam({}, platformWith(bindingFor('payments', 'agent', 'tools/scanner')))).toEqual([])
})

describe('what its caller says', () => {
  const ACCOUNT_ID = '123456789012'
  const AWS = { trusted_issuers: { aws: { provider: 'aws', accounts: { [ACCOUNT_ID]: {} } } } }
  const delegations = {
    payments: { identity_prefix: 'payments/', trusted_issuers: { aws: { match: { 'aws.account_id': ACCOUNT_ID } } } },
  }
  const binding = (identity: string, more: object) => ({
    trusted_issuer: 'aws',
    match: { 'aws.account_id': ACCOUNT_ID, 'aws.role_name': 'app', ...more },
    identity,
  })
  const found = (team: object, platform: object) =>
    findingsInTeam(
      { identities: { 'payments/api': { grants: {} } }, bindings: { mine: binding('payments/api', team) } },
      { ...AWS, ...platformWith(binding('tools/scanner', platform)), delegations },
    ).filter((line) => !line.includes('attribute_cautioned'))

  test('does not tell a team’s workload from the platform’s', () => {
    expect(found({ 'aws.session_name': 'one' }, { 'aws.session_name': 'two' })).toEqual([
      'error /bindings/mine caller_chooses',
    ])
    expect(found({ 'aws.session_name': 'one' }, {})).toEqual(['error /bindings/mine documents_overlap'])
  })

  test('may do so where an operator can know who sets it, with a warning', () => {
    const tag = (team: string) => ({ 'aws.principal_tags/team': team })

    expect(found(tag('a'), tag('b'))).toEqual(['warning /bindings/mine caller_chooses'])
    expect(found({ ...tag('a'), 'aws.session_name': 'one' }, tag('b'))).toEqual(['error /bindings/mine caller_chooses'])
  })
})

/** The question of this file, asked of every proof of a small world. */
function meet(one: NamedEntry, other: NamedEntry): boolean {
  return (
    one.trusted_issuer === other.trusted_issuer && WORLD.some((point) => matches(one, point) && matches(other, point))
  )
}

test('the proof finds exactly the teams that a reader of every binding would', () => {
  const issuers = Object.fromEntries(
    ['east', 'west'].map((name) => [name, { provider: 'kubernetes', issuers: [`https://${name}.example`] }]),
  )
  const delegation = { identity_prefix: 'team/', trusted_issuers: { east: { match: {} }, west: { match: {} } } }
  const bindings = (entries: readonly NamedEntry[], identity: string) =>
    Object.fromEntries(entries.map(({ name, trusted_issuer, match }) => [name, { trusted_issuer, match, identity }]))
  const seen = { meeting: 0, apart: 0 }
  const property = fc.property(bindingLists, bindingLists, (platform, team) => {
    const document = platformFor(CLUSTER, {
      trusted_issuers: issuers,
      identities: { own: identityOf() },
      bindings: bindings(platform, 'own'),
      delegations: { team: delegation },
    })
    const own = {
      version: 1,
      delegation: 'team',
      identities: { 'team/a': { grants: {} } },
      bindings: bindings(team, 'team/a'),
    }
    const texts = { 'p.json': JSON.stringify(document), 't.json': JSON.stringify(own) }
    const { findings } = proveDocuments(located(texts), CONTEXT)
    fc.pre(findings.every(({ code }) => code === 'documents_overlap'))

    const told = findings.map(({ path }) => path).sort()
    const expected = team.flatMap((one) =>
      platform.filter((other) => meet(one, other)).map(() => `/bindings/${one.name}`),
    )
    expect(told).toEqual(expected.sort())
    seen[expected.length > 0 ? 'meeting' : 'apart']++
  })

  fc.assert(property, { numRuns: 300 })
  expect(Math.min(seen.meeting, seen.apart)).toBeGreaterThan(20)
})

describe('where there is too much to look at', () => {
  const ACCOUNT_ID = '123456789012'
  const AWS = {
    trusted_issuers: { aws: { provider: 'aws', accounts: { [ACCOUNT_ID]: {} }, principals: ['role', 'user'] } },
  }
  const binding = (identity: string, more: object) => ({
    trusted_issuer: 'aws',
    match: { 'aws.account_id': ACCOUNT_ID, ...more },
    identity,
  })
  const byUser = (count: number) =>
    Array.from({ length: count }, (_, n) =>
      binding('tools/scanner', { 'aws.user_id': `AIDA${String(n).padStart(17, '0')}` }),
    )

  test('between delegations and the platform’s bindings, the platform document is refused', () => {
    const delegations = Array.from({ length: 1_500 }, (_, n) => [
      `d${n}`,
      {
        identity_prefix: `d${n}/`,
        trusted_issuers: { aws: { match: { 'aws.account_id': ACCOUNT_ID, 'aws.role_name': `r${n}` } } },
      },
    ])
    const platform = { ...AWS, ...platformWith(...byUser(1_500)), delegations: Object.fromEntries(delegations) }

    expect(tellFiles(prove({ 'platform.json': platformFor(CLUSTER, platform) }).findings)).toEqual([
      'platform.json error /delegations overlap_unproven',
    ])
  })

  test('between one team’s bindings and the platform’s, the team’s document is refused', () => {
    const tags = (n: number) => ({ 'aws.role_name': `r${n}`, 'aws.principal_tags/team': 'a' })
    const many = Array.from({ length: 1_500 }, (_, n) => [`b${n}`, binding('payments/api', tags(n))])
    const users = byUser(1_500).map((each) => ({ ...each, match: { ...each.match, 'aws.principal_tags/team': 'b' } }))
    const delegations = {
      payments: { identity_prefix: 'payments/', trusted_issuers: { aws: { match: { 'aws.account_id': ACCOUNT_ID } } } },
    }
    const team = { identities: { 'payments/api': { grants: {} } }, bindings: Object.fromEntries(many) }
    const found = findingsInTeam(team, { ...AWS, ...platformWith(...users), delegations })

    expect(found[0]).toBe('error /bindings overlap_unproven')
  })
})
