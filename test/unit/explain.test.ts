/** Why a proof was given an identity, or what kept it from one. */

import { describe, expect, test } from 'vitest'
import { explain } from '../../src/federation/explain.ts'
import { bindingFor } from '../support/document.ts'
import { CLUSTER, federationFor } from '../support/federation-parts.ts'

const identities = {
  api: { grants: { ledger: ['entries:read'] } },
  wide: { grants: {} },
}

function attributesOf(namespace: string, account: string): ReadonlyMap<string, string> {
  return new Map([
    ['kubernetes.namespace', namespace],
    ['kubernetes.service_account', account],
  ])
}

test('names the binding that decides, what its identity may have, and the wider ones that it beat', () => {
  const federation = federationFor({
    identities,
    bindings: {
      all: bindingFor('prod-*', 'api', 'wide'),
      most: bindingFor(['prod-1', 'prod-2'], 'api', 'wide'),
      one: bindingFor('prod-1', 'api', 'api'),
      other: bindingFor('test', 'api', 'api'),
    },
  })

  expect(explain(federation, 'cluster', attributesOf('prod-1', 'api'))).toEqual({
    trusted_issuer: 'cluster',
    issuer_suspended: false,
    binding: 'one',
    identity: 'api',
    template: null,
    entry: 'api',
    grants: { ledger: ['entries:read'] },
    obstacle: null,
    alike: [],
    beaten: [matched('most'), matched('all')],
    shadow: null,
    nearest: [],
  })
})

test('shows the three nearest where none matches, by how many conditions fail, how unlike they are, and name', () => {
  const federation = federationFor({
    identities,
    bindings: {
      far: bindingFor('test', 'web', 'api', { 'kubernetes.pod_name': 'p' }),
      d: bindingFor('prod', 'web', 'api'),
      c: bindingFor('prod', ['job', 'cron'], 'api'),
      b: bindingFor('stage-*', 'api', 'wide'),
      pod: bindingFor('prod', 'api', 'wide', { 'kubernetes.pod_name': 'p' }),
    },
  })

  const { binding, identity, grants, beaten, nearest } = explain(federation, 'cluster', attributesOf('prod', 'api'))

  expect({ binding, identity, grants, beaten }).toEqual({ binding: null, identity: null, grants: {}, beaten: [] })
  expect(nearest).toEqual([
    near('pod', 'wide', 'kubernetes.pod_name', ['p'], null),
    near('c', 'api', 'kubernetes.service_account', ['job', 'cron'], 'api'),
    near('d', 'api', 'kubernetes.service_account', ['web'], 'api'),
  ])
})

test.each([
  ['a letter too many', 'prod', 'apii'],
  ['a letter too few', 'prod', 'ap'],
  ['another case', 'prod', 'API'],
  ['a mistake in a namespace', 'prdo', 'api'],
  ['a beginning that is none', 'previews-7', 'web'],
])('finds what was meant among many, where there is %s', (_what, namespace, account) => {
  const others = Array.from({ length: 40 }, (_, n) => [`a${n}`, bindingFor('prod', `job-${n}`, 'api')] as const)
  const same = Array.from({ length: 40 }, (_, n) => [`b${n}`, bindingFor(`team-${n}`, 'api', 'api')] as const)
  const meant = { meant: bindingFor('prod', 'api', 'api'), previews: bindingFor('preview-*', 'web', 'api') }
  const federation = federationFor({ identities, bindings: { ...Object.fromEntries([...others, ...same]), ...meant } })

  const { nearest } = explain(federation, 'cluster', attributesOf(namespace, account))

  expect(nearest[0]?.binding).toBe(account === 'web' ? 'previews' : 'meant')
})

test('says of a missing attribute that it is missing', () => {
  const bindings = { b: bindingFor('prod', 'api', 'api', { 'kubernetes.pod_name': 'p' }) }

  const { nearest } = explain(federationFor({ identities, bindings }), 'cluster', attributesOf('prod', 'api'))

  expect(nearest).toEqual([near('b', 'api', 'kubernetes.pod_name', ['p'], null)])
})

test('shows nothing of other trusted issuers', () => {
  const federation = federationFor({ identities, bindings: { b: bindingFor('prod', 'api', 'api') } })

  expect(explain(federation, 'west', attributesOf('prod', 'api'))).toMatchObject({ binding: null, nearest: [] })
})

describe('a template', () => {
  const bindings = { previews: bindingFor('preview-*', 'api', 'preview/{kubernetes.namespace}') }
  const federation = federationFor({ identities: { 'preview/*': identities.api }, bindings })

  test('is filled in, with what it was and what says what it may have', () => {
    expect(explain(federation, 'cluster', attributesOf('preview-7', 'api'))).toMatchObject({
      identity: 'preview/preview-7',
      template: 'preview/{kubernetes.namespace}',
      entry: 'preview/*',
      grants: { ledger: ['entries:read'] },
      obstacle: null,
    })
  })

  test('that makes no name says of which value', () => {
    expect(explain(federation, 'cluster', attributesOf('preview-7/x', 'api'))).toMatchObject({
      binding: 'previews',
      identity: null,
      obstacle: {
        reason: 'identity_malformed',
        fault: { attribute: 'kubernetes.namespace', found: 'preview-7/x', why: 'no_segment' },
      },
      nearest: [],
    })
  })
})

describe('what is suspended', () => {
  const wide = bindingFor('prod-*', 'api', 'wide')
  const one = { ...bindingFor(['prod-1', 'prod-2'], 'api', 'api'), suspended: true }
  const also = bindingFor(['prod-1', 'prod-3'], 'api', 'api')

  test('is named among those that decide, and none of the wider is taken instead', () => {
    const federation = federationFor({ identities, bindings: { wide, one, also } })

    const explained = explain(federation, 'cluster', attributesOf('prod-1', 'api'))

    expect(explained).toMatchObject({
      binding: 'also',
      identity: 'api',
      obstacle: { reason: 'binding_suspended', suspended: ['one'], fault: null },
      alike: [{ binding: 'one', is_suspended: true, is_shadow: false }],
      beaten: [matched('wide')],
    })
    expect(explained.grants).toEqual({})
  })

  test('and wider than what decides stands against nothing', () => {
    const federation = federationFor({ identities, bindings: { wide: { ...wide, suspended: true }, also } })

    expect(explain(federation, 'cluster', attributesOf('prod-1', 'api'))).toMatchObject({
      binding: 'also',
      obstacle: null,
      beaten: [{ binding: 'wide', is_suspended: true, is_shadow: false }],
    })
  })

  test('of identities is named, with what its tokens would be', () => {
    const federation = federationFor({ identities: { api: { suspended: true } }, bindings: { also } })

    expect(explain(federation, 'cluster', attributesOf('prod-1', 'api'))).toMatchObject({
      identity: 'api',
      obstacle: { reason: 'identity_suspended', suspended: [] },
    })
  })

  test('of trusted issuers is said beside what its bindings say', () => {
    const trusted_issuers = { cluster: { provider: 'kubernetes', issuers: [CLUSTER], suspended: true } }
    const federation = federationFor({ identities, bindings: { also }, trusted_issuers })

    expect(explain(federation, 'cluster', attributesOf('prod-1', 'api'))).toMatchObject({
      issuer_suspended: true,
      binding: 'also',
      obstacle: null,
    })
  })
})

describe('in shadow', () => {
  const live = bindingFor(['prod-1', 'prod-2'], 'api', 'wide')
  const trial = { ...bindingFor('prod-1', 'api', 'api'), mode: 'shadow' }
  const wider = { ...bindingFor('prod-*', 'api', 'api'), mode: 'shadow' }

  test('what would decide is told beside what does, and what would not among the beaten', () => {
    const federation = federationFor({ identities, bindings: { live, trial, wider } })
    const explained = explain(federation, 'cluster', attributesOf('prod-1', 'api'))

    expect(explained).toMatchObject({ binding: 'live', identity: 'wide', alike: [], nearest: [] })
    expect(explained.beaten).toEqual([{ binding: 'wider', is_suspended: false, is_shadow: true }])
    expect(explained.shadow).toEqual({
      binding: 'trial',
      identity: 'api',
      template: null,
      entry: 'api',
      grants: { ledger: ['entries:read'] },
      obstacle: null,
      alike: [],
    })
  })

  test('a binding alone decides nothing, and the nearest of the others are shown', () => {
    const federation = federationFor({ identities, bindings: { live, trial: { ...trial, suspended: true } } })
    const explained = explain(federation, 'cluster', attributesOf('prod-1', 'api'))
    const alone = explain(federationFor({ identities, bindings: { trial } }), 'cluster', attributesOf('prod-1', 'api'))

    expect(explained.shadow?.obstacle).toEqual({ reason: 'binding_suspended', suspended: ['trial'], fault: null })
    expect(alone).toMatchObject({
      binding: null,
      identity: null,
      entry: null,
      shadow: { binding: 'trial' },
      nearest: [],
    })
  })

  test('what matches takes no place among the nearest', () => {
    const near = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, bindingFor(`prod-${name}`, 'api', 'wide')]))
    const federation = federationFor({ identities, bindings: { ...near, trial, wider } })
    const { nearest } = explain(federation, 'cluster', attributesOf('prod-1', 'api'))

    expect(nearest.map(({ binding }) => binding)).toEqual(['a', 'b', 'c'])
  })

  test('and near, it is shown as what it is', () => {
    const federation = federationFor({ identities, bindings: { trial } })

    expect(explain(federation, 'cluster', attributesOf('prod-2', 'api')).nearest).toMatchObject([
      { binding: 'trial', is_shadow: true, found: 'prod-2' },
    ])
  })
})

function matched(binding: string) {
  return { binding, is_suspended: false, is_shadow: false }
}

function near(binding: string, identity: string, attribute: string, expected: string[], found: string | null) {
  return { ...matched(binding), identity, attribute, expected, found }
}
