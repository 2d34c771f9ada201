/** Why a proof was given an identity, or what kept it from one. */

import { expect, test } from 'vitest'
import { explain } from '../../src/federation/explain.ts'
import { bindingFor } from '../support/document.ts'
import { federationFor } from '../support/federation-parts.ts'

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
    binding: 'one',
    identity: 'api',
    grants: { ledger: ['entries:read'] },
    beaten: ['most', 'all'],
    nearest: [],
  })
})

test('shows the three nearest where none matches, by how many conditions fail and then by name', () => {
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
    near('b', 'wide', 'kubernetes.namespace', ['stage-*'], 'prod'),
    near('c', 'api', 'kubernetes.service_account', ['job', 'cron'], 'api'),
    near('d', 'api', 'kubernetes.service_account', ['web'], 'api'),
  ])
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

function near(binding: string, identity: string, attribute: string, expected: string[], found: string | null) {
  return { binding, identity, attribute, expected, found }
}
