/** What is served is what was proved: a packed federation answers as the documents themselves do. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Attributes } from '../../providers/contract/proof.ts'
import type { Binding } from '../../src/federation/bindings.ts'
import { buildFederation, type Federation, openFederation } from '../../src/federation/federation.ts'
import { packFederation } from '../../src/federation/packed-federation.ts'
import type { PackedTable } from '../../src/federation/packed-table.ts'
import { bindingFor } from '../support/document.ts'
import { CLUSTER, CONTEXT, identityOf } from '../support/federation-parts.ts'
import { bindingLists, matches, WORLD } from '../support/naive-bindings.ts'
import { ACCOUNT, delegationOf, type Files, NAMESPACE, platformFor, prove, teamFor } from '../support/team-documents.ts'

/** Gives the federation of documents as they are served, and as commands read them. */
function bothOf(files: Files): { served: Federation; read: Federation } {
  const { proven, findings } = prove(files)
  if (proven === undefined) throw new Error(JSON.stringify(findings))
  return {
    served: openFederation(structuredClone(packFederation(proven)), CONTEXT),
    read: buildFederation(proven, CONTEXT),
  }
}

function byName(bindings: readonly Binding[]): readonly Binding[] {
  return bindings.toSorted((one, other) => (one.name < other.name ? -1 : 1))
}

const FILES = {
  'platform.json': platformFor(CLUSTER),
  'payments.json': teamFor('payments'),
  'orders.json': teamFor('orders'),
}

describe('served and read are the same', () => {
  test('in all but how they are held', () => {
    const { served, read } = bothOf(FILES)
    const { bindings: servedBindings, identities: servedIdentities, ...rest } = served
    const { bindings, identities, ...expected } = read

    expect(rest).toEqual(expected)
    expect(servedBindings.size).toBe(3)
    expect(byName(servedBindings.bindingsOf('cluster'))).toEqual(byName(bindings.bindingsOf('cluster')))
    expect(new Map(servedIdentities)).toEqual(identities)
    expect([...servedIdentities.keys()].sort()).toEqual([...identities.keys()].sort())
    expect(servedIdentities.get('payments/api')).toEqual(identities.get('payments/api'))
    expect(servedIdentities.get('payments/nobody')).toBeUndefined()
    expect(servedBindings.bindingsOf('nobody')).toEqual([])
  })

  test('in everything that a binding and an identity may have', () => {
    const full = { claims: { a: [1, { b: 'ü' }] }, lifetime_seconds: 1_200, suspended: true }
    const platform = platformFor(CLUSTER, {
      identities: { 'tools/scanner': identityOf(full), 'preview/*': identityOf() },
      bindings: {
        listed: { ...bindingFor(['a', 'b'], ['x', 'y'], 'tools/scanner'), suspended: true },
        shadowed: { ...bindingFor('c', 'web-*', 'tools/scanner'), mode: 'shadow' },
        templated: bindingFor('preview-*', 'web', 'preview/{kubernetes.namespace}'),
      },
    })
    const { served, read } = bothOf({ 'platform.json': platform })

    expect(byName(served.bindings.bindingsOf('cluster'))).toEqual(byName(read.bindings.bindingsOf('cluster')))
    expect(served.identities.get('tools/scanner')).toEqual(read.identities.get('tools/scanner'))
  })

  test('in what matches any proof, be it the platform’s or a team’s', () => {
    const issuers = {
      east: { provider: 'kubernetes', issuers: ['https://east.example'] },
      west: { provider: 'kubernetes', issuers: ['https://west.example'] },
    }
    const delegations = {
      team: {
        identity_prefix: 'team/',
        trusted_issuers: { east: { match: { [NAMESPACE]: ['a', 'b-1'] } }, west: { match: { [NAMESPACE]: 'a-*' } } },
      },
    }
    let found = 0
    const property = fc.property(bindingLists, bindingLists, (own, others) => {
      const asEntries = (entries: typeof own, identity: string) =>
        Object.fromEntries(
          entries.map(({ name, trusted_issuer, match }) => [name, { trusted_issuer, match, identity }]),
        )
      const platform = {
        trusted_issuers: issuers,
        identities: { own: {} },
        bindings: asEntries(own, 'own'),
        delegations,
      }
      const team = {
        version: 1,
        delegation: 'team',
        identities: { 'team/a': {} },
        bindings: asEntries(others, 'team/a'),
      }
      const files = { 'p.json': platformFor(CLUSTER, platform), 't.json': team }
      const { proven } = prove(files)
      fc.pre(proven !== undefined)
      const { served, read } = bothOf(files)
      const entries = [
        ...own,
        ...(proven.documents.length > 1 ? others.map((entry) => ({ ...entry, name: `team:${entry.name}` })) : []),
      ]

      for (const point of WORLD.filter((_, index) => index % 17 === 0)) {
        for (const issuer of ['east', 'west']) {
          const expected = entries
            .filter((entry) => entry.trusted_issuer === issuer && matches(entry, point))
            .map(({ name }) => name)
          const names = (federation: Federation) =>
            federation.bindings
              .findAll(issuer, point)
              .map(({ name }) => name)
              .sort()
          expect(names(served)).toEqual(expected.sort())
          expect(names(read)).toEqual(expected)
          found += expected.length
        }
      }
    })

    fc.assert(property, { numRuns: 150 })
    expect(found).toBeGreaterThan(100)
  })
})

describe('a team’s binding', () => {
  const attributes = (namespace: string, account: string): Attributes =>
    new Map([
      [NAMESPACE, namespace],
      [ACCOUNT, account],
    ])

  test('is never found outside of its delegation, even if it were to reach there', () => {
    const { proven } = prove({
      ...FILES,
      'platform.json': platformFor(CLUSTER, { delegations: { payments: delegationOf('payments') } }),
    })
    if (proven === undefined) throw new Error('broken')
    const astray = {
      ...proven.head,
      territories: proven.head.territories.map((each) => ({
        ...each,
        match: new Map([[NAMESPACE, { kind: 'exact', values: ['other'] } as const]]),
      })),
    }
    const federations = [
      openFederation(packFederation({ ...proven, head: astray }), CONTEXT),
      buildFederation({ ...proven, head: astray }, CONTEXT),
    ]

    for (const federation of federations) {
      expect(federation.bindings.findAll('cluster', attributes('payments', 'api'))).toEqual([])
      expect(federation.bindings.findAll('cluster', attributes('tools', 'scanner'))).toHaveLength(1)
    }
  })

  test('is looked at before it is given, as a table may give the record of another key', () => {
    const { proven } = prove(FILES)
    if (proven === undefined) throw new Error('broken')
    const packed = packFederation(proven)
    const { bindings, identities } = packed
    const wrong = { ...packed, bindings: swapPlaces(bindings), identities: swapPlaces(identities) }

    const federation = openFederation(wrong, CONTEXT)

    expect(federation.bindings.findAll('cluster', attributes('payments', 'api'))).toEqual([])
    expect(federation.identities.get('payments/api')).toBeUndefined()
  })
})

/** As if every key had the hash of another. */
function swapPlaces(table: PackedTable): PackedTable {
  const full = [...table.slots.keys()].filter((index) => index % 2 === 1 && table.slots[index] !== 0)
  const slots = table.slots.slice()
  for (const [n, index] of full.entries()) slots[index] = table.slots[full[(n + 1) % full.length] ?? 0] ?? 0
  return { ...table, slots }
}
