/** What a team may write: within its delegation, and apart from all that the platform writes. */

import { describe, expect, test } from 'vitest'
import { bindingFor } from '../support/document.ts'
import { CLUSTER, identityOf } from '../support/federation-parts.ts'
import {
  ACCOUNT,
  delegationOf,
  findingsInTeam,
  NAMESPACE,
  platformFor,
  prove,
  teamFor,
} from '../support/team-documents.ts'

const API = 'payments/api'

function withIdentity(name: string, identity: object = {}): object {
  return { identities: { [API]: identityOf(), [name]: { grants: {}, ...identity } } }
}

function withBinding(binding: object): object {
  return { bindings: { b: binding } }
}

test('takes what lies within the delegation', () => {
  expect(findingsInTeam({})).toEqual([])
  expect(findingsInTeam(withIdentity('payments/eu/api'))).toEqual([])
  expect(findingsInTeam({ identities: {}, bindings: {} })).toEqual([])
})

describe('names', () => {
  test.each([
    'orders/api',
    'api',
    'payments',
    'payments-evil/api',
    'payment/api',
    'paymentsx/api',
    'payments.eu/api',
    'orders/*',
  ])('outside are refused: %s', (name) => {
    expect(findingsInTeam(withIdentity(name))).toEqual([
      `error /identities/${name.replace('/', '~1')} identity_outside_delegation`,
    ])
  })

  test.each([
    ['the very same', API],
    ['all names below, itself among them', 'payments/*'],
  ])('that the platform gives are refused: %s', (_what, taken) => {
    const platform = { identities: { 'tools/scanner': identityOf(), [taken]: identityOf() } }

    expect(findingsInTeam({}, platform)).toEqual([`error /identities/${API.replace('/', '~1')} identity_taken`])
  })

  test.each(['payments/preview/web', 'payments/preview/*', 'payments/preview/a/b'])(
    'below a path are refused where the platform gives one of them: %s',
    (taken) => {
      const platform = { identities: { 'tools/scanner': identityOf(), [taken]: identityOf() } }

      expect(findingsInTeam(withIdentity('payments/preview/*'), platform)).toEqual([
        'error /identities/payments~1preview~1* identity_taken',
      ])
    },
  )

  test('below a path may stand beside the platform’s', () => {
    const identities = {
      'tools/scanner': identityOf(),
      'payments/preview': identityOf(),
      'payments/previews/*': identityOf(),
    }

    expect(findingsInTeam(withIdentity('payments/preview/*'), { identities })).toEqual([])
  })

  test('of other documents cannot be bound to, whosever they are', () => {
    const bindings = (identity: string) => withBinding(bindingFor('payments', 'api', identity))
    const platform = { identities: { 'tools/scanner': identityOf(), 'payments/legacy': identityOf() } }

    for (const identity of ['tools/scanner', 'payments/legacy', 'orders/api', 'payments/nobody']) {
      expect(findingsInTeam(bindings(identity), platform)).toEqual(['error /bindings/b/identity identity_unknown'])
    }
  })

  test('of a team cannot be bound to by the platform', () => {
    const platform = platformFor(CLUSTER, { bindings: { theirs: bindingFor('tools', 'x', API) } })
    const { findings, proven } = prove({ 'platform.json': platform, 'team.json': teamFor('payments') })

    expect(findings.map(({ file, path, code }) => [file, path, code])).toEqual([
      ['platform.json', '/bindings/theirs/identity', 'identity_unknown'],
    ])
    expect(proven).toBeUndefined()
  })

  test('made by a template are the team’s own', () => {
    const template = 'payments/{kubernetes.service_account}'
    const binding = withBinding({ ...bindingFor('payments', 'web-*', template) })
    const found = (name: string) => findingsInTeam({ ...withIdentity(name), ...binding })

    expect(found('payments/*')).toContain('error /identities/payments~1api identity_nested')
    expect(findingsInTeam({ identities: { 'payments/*': identityOf() }, ...binding })).toEqual([])
    expect(findingsInTeam({ ...withIdentity('payments/web/*'), ...binding })).toEqual([
      'error /bindings/b/identity identity_unknown',
    ])
  })
})

describe('grants', () => {
  test.each<[string, object, string]>([
    ['another audience', { 'https://orders.example': [] }, '/https:~1~1orders.example audience_outside_delegation'],
    ['another scope', { ledger: ['entries:read', 'entries:write'] }, '/ledger/1 scope_outside_delegation'],
    ['an audience that nobody declares', { nobody: [] }, '/nobody audience_unknown'],
    ['a scope that nobody declares', { ledger: ['all'] }, '/ledger/0 scope_unknown'],
    ['a scope twice', { ledger: ['entries:read', 'entries:read'] }, '/ledger/1 scope_repeated'],
  ])('beyond the delegation’s are refused: %s', (_what, grants, expected) => {
    expect(findingsInTeam({ identities: { [API]: { grants } } })).toEqual([
      `error /identities/payments~1api/grants${expected}`,
    ])
  })

  test('of an audience without scopes go by its name', () => {
    const delegations = { payments: delegationOf('payments', { grants: { 'https://orders.example': [] } }) }

    expect(
      findingsInTeam({ identities: { [API]: { grants: { 'https://orders.example': [] } } } }, { delegations }),
    ).toEqual([])
  })

  test('are none where the delegation has none', () => {
    const delegations = { payments: delegationOf('payments', { grants: {} }) }

    expect(findingsInTeam({}, { delegations })).toEqual([
      'error /identities/payments~1api/grants/ledger audience_outside_delegation',
    ])
  })
})

describe('claims', () => {
  const claims = { team: 'payments', tier: 1 }

  test('are refused where the delegation does not name them', () => {
    const delegations = { payments: delegationOf('payments', { claims: ['team'] }) }

    expect(findingsInTeam({ identities: { [API]: { ...identityOf(), claims } } }, { delegations })).toEqual([
      'error /identities/payments~1api/claims/tier claim_outside_delegation',
    ])
  })

  test('are taken where it does', () => {
    const delegations = { payments: delegationOf('payments', { claims: ['team', 'tier'] }) }

    expect(findingsInTeam({ identities: { [API]: { ...identityOf(), claims } } }, { delegations })).toEqual([])
  })
})

describe('bindings', () => {
  const CLUSTERS = {
    cluster: { provider: 'kubernetes', issuers: [CLUSTER] },
    west: { provider: 'kubernetes', issuers: ['https://west.example'] },
  }

  test('of a trusted issuer that is not delegated are refused', () => {
    const binding = { ...bindingFor('payments', 'api', API), trusted_issuer: 'west' }

    expect(findingsInTeam(withBinding(binding), { trusted_issuers: CLUSTERS })).toEqual([
      'error /bindings/b/trusted_issuer trusted_issuer_outside_delegation',
    ])
    expect(findingsInTeam(withBinding({ ...binding, trusted_issuer: 'toString' }))).toEqual([
      'error /bindings/b/trusted_issuer trusted_issuer_unknown',
    ])
  })

  test.each<[string, object, unknown, string | undefined]>([
    ['the value itself', { [NAMESPACE]: 'p' }, 'p', undefined],
    ['another value', { [NAMESPACE]: 'p' }, 'q', `/${NAMESPACE}`],
    ['a value that begins alike', { [NAMESPACE]: 'p' }, 'p-evil', `/${NAMESPACE}`],
    ['a list that has more', { [NAMESPACE]: 'p' }, ['p', 'q'], `/${NAMESPACE}`],
    ['a prefix of the value', { [NAMESPACE]: 'p-1' }, 'p-*', `/${NAMESPACE}`],
    ['one of a list', { [NAMESPACE]: ['p', 'q'] }, 'q', undefined],
    ['some of a list', { [NAMESPACE]: ['p', 'q', 'r'] }, ['r', 'p'], undefined],
    ['more than a list', { [NAMESPACE]: ['p', 'q'] }, ['q', 'r'], `/${NAMESPACE}`],
    ['a value below a prefix', { [NAMESPACE]: 'p-*' }, 'p-1', undefined],
    ['a longer prefix', { [NAMESPACE]: 'p-*' }, 'p-eu-*', undefined],
    ['the prefix itself', { [NAMESPACE]: 'p-*' }, 'p-*', undefined],
    ['a shorter prefix', { [NAMESPACE]: 'p-eu-*' }, 'p-*', `/${NAMESPACE}`],
    ['a value beside the prefix', { [NAMESPACE]: 'p-*' }, 'p', `/${NAMESPACE}`],
    ['a condition too few', { [NAMESPACE]: 'p', 'kubernetes.node_name': 'n' }, 'p', ''],
    ['anything, where all is delegated', {}, 'anything', undefined],
  ])('must lie inside its match: %s', (_what, match, namespace, outside) => {
    const delegations = {
      payments: { ...delegationOf('p'), identity_prefix: 'payments/', trusted_issuers: { cluster: { match } } },
    }
    const expected = outside === undefined ? [] : [`error /bindings/b/match${outside} match_outside_delegation`]

    expect(findingsInTeam(withBinding(bindingFor(namespace, 'api', API)), { delegations })).toEqual(expected)
  })

  test('are told what they must have', () => {
    const { findings } = prove({
      'platform.json': platformFor(CLUSTER),
      'team.json': teamFor('payments', withBinding(bindingFor('orders', 'api', API))),
    })

    expect(findings[0]?.message).toBe('bindings of payments must have kubernetes.namespace payments, or less')
  })

  test('are held to all that bindings are held to', () => {
    const overlapping = {
      a: bindingFor('payments', ['x', 'y'], API),
      b: bindingFor('payments', ['y', 'z'], 'payments/b'),
    }

    expect(findingsInTeam({ ...withIdentity('payments/b'), bindings: overlapping })).toEqual([
      'error /bindings/b bindings_overlap',
    ])
    expect(
      findingsInTeam(withBinding({ ...bindingFor('payments', 'api', API), match: { [NAMESPACE]: 'payments' } })),
    ).toEqual(['error /bindings/b/match pin_missing'])
  })

  test('are not told apart by what their caller says', () => {
    const account = '123456789012'
    const match = { 'aws.account_id': account, 'aws.role_name': 'app' }
    const binding = (identity: string, more: object) => ({
      trusted_issuer: 'aws',
      match: { ...match, ...more },
      identity,
    })
    const bindings = { a: binding(API, {}), b: binding('payments/b', { 'aws.session_name': 'session' }) }
    const platform = {
      trusted_issuers: { aws: { provider: 'aws', accounts: { [account]: {} } } },
      bindings: {},
      delegations: {
        payments: delegationOf('p', { trusted_issuers: { aws: { match: { 'aws.account_id': account } } } }),
      },
    }
    const delegations = { payments: { ...platform.delegations.payments, identity_prefix: 'payments/' } }

    expect(findingsInTeam({ ...withIdentity('payments/b'), bindings }, { ...platform, delegations })).toEqual([
      'error /bindings/b caller_chooses',
    ])
  })

  test('of too many sets of attributes are told of where they stand', () => {
    const names = Array.from({ length: 65 }, (_, length) => [
      `b${length}`,
      bindingFor('payments', `${'x'.repeat(length + 1)}.*`, API),
    ])

    expect(findingsInTeam({ bindings: Object.fromEntries(names.slice(0, 60)) })).toEqual([])
    const pods = (n: number) => ({
      'kubernetes.pod_name': `p${n}`,
      ...(n % 2 === 0 ? {} : { 'kubernetes.node_name': 'n' }),
    })
    const more = Array.from({ length: 10 }, (_, n) => [
      `m${n}`,
      bindingFor('payments', `${'y'.repeat(n + 1)}.*`, API, pods(n)),
    ])
    expect(findingsInTeam({ bindings: Object.fromEntries([...names.slice(0, 60), ...more]) })).toEqual([
      'error /bindings shapes_too_many',
    ])
  })

  test(`are known by both names: ${ACCOUNT} alone is not enough for two teams`, () => {
    const { proven } = prove({
      'platform.json': platformFor(CLUSTER),
      'a.json': teamFor('payments'),
      'b.json': teamFor('orders'),
    })
    const names = proven?.parts.flatMap(({ bindings }) => bindings.map(({ name }) => name))

    expect(names).toEqual(['scanner', 'payments:api', 'orders:api'])
  })
})
