/** Several documents as one federation: which take effect, which do not, and what stands in for those. */

import { describe, expect, test } from 'vitest'
import { buildFederation } from '../../src/federation/federation.ts'
import { type LastGoodDocument, type LocatedDocuments, proveDocuments } from '../../src/federation/prove-documents.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { CLUSTER, CONTEXT, identityOf, located } from '../support/federation-parts.ts'
import {
  ACCOUNT,
  delegationOf,
  type Files,
  NAMESPACE,
  platformFor,
  prove,
  teamFor,
  tellFiles,
  textOf,
  whose,
} from '../support/team-documents.ts'

const PLATFORM = platformFor(CLUSTER)
const PAYMENTS = teamFor('payments')
const ORDERS = teamFor('orders')
const BROKEN = { ...PAYMENTS, surprise: true }
const MALFORMED = '{"version": 1, "delegation": "payments"'

function filesOf(files: Files): LocatedDocuments {
  return located(Object.fromEntries(Object.entries(files).map(([file, document]) => [file, textOf(document)])))
}

function proveAfter(files: Files, ...lastGood: readonly LastGoodDocument[]) {
  return proveDocuments(filesOf(files), CONTEXT, lastGood)
}

/** A team's document that was good before, with a workload of its own name. */
function lastGood(delegation: string, account = 'old', file = `${delegation}.json`): LastGoodDocument {
  const bindings = { [account]: bindingFor(delegation, account, `${delegation}/api`) }
  return { delegation, file, text: () => textOf(teamFor(delegation, { bindings })) }
}

function namesIn({ proven }: ReturnType<typeof prove>): readonly string[] | undefined {
  return proven?.parts.flatMap(({ bindings }) => bindings.map(({ name }) => name))
}

describe('the platform document', () => {
  test('may be alone, with delegations or without', () => {
    expect(whose(prove({ 'a.json': PLATFORM }))).toEqual(['platform'])
    expect(whose(prove({ 'a.json': documentFor(CLUSTER) }))).toEqual(['platform'])
  })

  test('may have any name, and stand anywhere', () => {
    expect(whose(prove({ 'a.json': ORDERS, 'b.json': PLATFORM, 'c.json': PAYMENTS }))).toEqual([
      'platform',
      'orders',
      'payments',
    ])
  })

  test.each<[string, Files, readonly string[]]>([
    ['there is nothing', {}, ['federation error  document_missing']],
    ['there are teams’ alone', { 'a.json': PAYMENTS }, ['federation error  document_missing']],
    [
      'there are two',
      { 'a.json': PLATFORM, 'b.json': PLATFORM },
      ['a.json error  documents_many', 'b.json error  documents_many'],
    ],
    [
      'there are two, one of them broken',
      { 'a.json': PLATFORM, 'b.json': { trusted_issuers: {} } },
      ['a.json error  documents_many', 'b.json error  documents_many'],
    ],
    [
      'it is broken',
      { 'a.json': { ...PLATFORM, extra: 1 }, 'b.json': PAYMENTS },
      ['a.json error /extra member_unknown'],
    ],
    ['it may be what nobody can read', { 'a.json': '{', 'b.json': PAYMENTS }, ['a.json error  json_malformed']],
    ['it is not even an object', { 'a.json': '[]' }, ['a.json error  shape']],
    [
      'both are broken',
      { 'a.json': { ...PLATFORM, extra: 1 }, 'b.json': BROKEN },
      ['a.json error /extra member_unknown', 'b.json error /surprise member_unknown'],
    ],
    [
      'two of its delegations share names',
      { 'a.json': platformFor(CLUSTER, { delegations: { a: delegationOf('a'), b: { identity_prefix: 'a/' } } }) },
      ['a.json error /delegations/b/identity_prefix delegations_overlap'],
    ],
    [
      'its delegations are broken',
      { 'a.json': { ...PLATFORM, delegations: { a: { identity_prefix: 'a' } } } },
      ['a.json error /delegations/a/identity_prefix shape'],
    ],
  ])('is needed: nothing takes effect where %s', (_what, files, expected) => {
    const proof = proveAfter(files, lastGood('payments'))

    expect(tellFiles(proof.findings)).toEqual(expected)
    expect(proof.proven).toBeUndefined()
  })
})

describe('a team’s document', () => {
  test('adds to the platform’s', () => {
    const { proven, findings } = prove({ 'a.json': PLATFORM, 'b.json': PAYMENTS })
    const federation = proven && buildFederation(proven, CONTEXT)
    const attributes = new Map([
      [NAMESPACE, 'payments'],
      [ACCOUNT, 'api'],
    ])

    expect(findings).toEqual([])
    expect(federation?.bindings.findAll('cluster', attributes).map(({ name }) => name)).toEqual(['payments:api'])
    expect(federation?.identities.get('payments/api')?.grants).toEqual(new Map([['ledger', ['entries:read']]]))
  })

  test.each<[string, object | string, readonly string[]]>([
    ['is not JSON', MALFORMED, ['b.json error  json_malformed']],
    ['has not the right shape', BROKEN, ['b.json error /surprise member_unknown']],
    ['is of nobody', teamFor('strangers'), ['b.json error /delegation delegation_unknown']],
    [
      'has an inherited name',
      teamFor('toString', { identities: {}, bindings: {} }),
      ['b.json error /delegation delegation_unknown'],
    ],
    ['does not say whose it is', { ...PAYMENTS, delegation: 7 }, ['b.json error /delegation shape']],
    ['says nothing at all', { ...PAYMENTS, delegation: null }, ['b.json error /delegation shape']],
    ['trusts somebody', { ...PAYMENTS, trusted_issuers: {} }, ['b.json error /trusted_issuers member_unknown']],
    ['declares an audience', { ...PAYMENTS, audiences: {} }, ['b.json error /audiences member_unknown']],
    ['chooses a trust domain', { ...PAYMENTS, trust_domain: 'x' }, ['b.json error /trust_domain member_unknown']],
    [
      'chooses proof audiences',
      { ...PAYMENTS, proof_audiences: ['x'] },
      ['b.json error /proof_audiences member_unknown'],
    ],
    ['delegates', { ...PAYMENTS, delegations: {} }, ['b.json error /delegations member_unknown']],
    ['is of another version', { ...PAYMENTS, version: 2 }, ['b.json error /version shape']],
    [
      'goes beyond its delegation',
      { ...PAYMENTS, identities: { 'orders/api': identityOf() }, bindings: {} },
      ['b.json error /identities/orders~1api identity_outside_delegation'],
    ],
  ])('that %s is left out alone', (_what, document, expected) => {
    const proof = prove({ 'a.json': PLATFORM, 'b.json': document, 'c.json': ORDERS })

    expect(tellFiles(proof.findings)).toEqual(expected)
    expect(whose(proof)).toEqual(['platform', 'orders'])
  })

  test('that there are two of is left out whichever it is', () => {
    const proof = prove({ 'a.json': PLATFORM, 'b.json': PAYMENTS, 'c.json': ORDERS, 'd.json': BROKEN })

    expect(tellFiles(proof.findings)).toEqual([
      'b.json error /delegation delegation_repeated',
      'd.json error /surprise member_unknown',
      'd.json error /delegation delegation_repeated',
    ])
    expect(proof.findings[0]?.message).toContain('b.json, d.json')
    expect(whose(proof)).toEqual(['platform', 'orders'])
  })

  test('that there are two of stays where it alone is named for its delegation', () => {
    const files = { 'a.json': PLATFORM, 'payments.json': PAYMENTS, 'evil.json': { ...ORDERS, delegation: 'payments' } }
    const proof = prove(files)

    expect(tellFiles(proof.findings).filter((line) => !line.startsWith('evil.json'))).toEqual([])
    expect(tellFiles(proof.findings)).toContain('evil.json error /delegation delegation_repeated')
    expect(namesIn(proof)).toEqual(['scanner', 'payments:api'])
    expect(whose(prove({ ...files, 'payments.json.gz': PAYMENTS }))).toEqual(['platform'])
  })

  test('that has warnings is taken', () => {
    const short = teamFor('payments', { identities: { 'payments/api': identityOf({ lifetime_seconds: 300 }) } })
    const proof = prove({ 'a.json': PLATFORM, 'b.json': short })

    expect(tellFiles(proof.findings)).toEqual([
      'b.json warning /identities/payments~1api/lifetime_seconds lifetime_short',
    ])
    expect(whose(proof)).toEqual(['platform', 'payments'])
  })
})

describe('the last good document', () => {
  test.each<[string, object | string]>([
    ['not JSON', MALFORMED],
    ['of the wrong shape', BROKEN],
    ['of nobody in particular, though of the same file', { ...PAYMENTS, delegation: 7 }],
  ])('stands in for one that is %s', (_what, document) => {
    const proof = proveAfter(
      { 'a.json': PLATFORM, 'payments.json': document },
      lastGood('payments'),
      lastGood('orders'),
    )

    expect(namesIn(proof)).toEqual(['scanner', 'payments:old'])
    expect(proof.findings).toHaveLength(1)
  })

  test('stands in for one that was moved, as long as it says whose it is', () => {
    expect(namesIn(proveAfter({ 'a.json': PLATFORM, 'new.json': BROKEN }, lastGood('payments')))).toEqual([
      'scanner',
      'payments:old',
    ])
    expect(namesIn(proveAfter({ 'a.json': PLATFORM, 'new.json': MALFORMED }, lastGood('payments')))).toEqual([
      'scanner',
    ])
  })

  test('stands in once for two files of one delegation', () => {
    const proof = proveAfter({ 'a.json': PLATFORM, 'b.json': PAYMENTS, 'c.json': PAYMENTS }, lastGood('payments'))

    expect(namesIn(proof)).toEqual(['scanner', 'payments:old'])
  })

  test.each<[string, Files]>([
    ['a good one', { 'payments.json': PAYMENTS }],
    ['a good one beside a file that nobody can read', { 'p.json': PAYMENTS, 'payments.json': MALFORMED }],
  ])('gives way to %s', (_what, files) => {
    expect(namesIn(proveAfter({ 'a.json': PLATFORM, ...files }, lastGood('payments')))).toEqual([
      'scanner',
      'payments:api',
    ])
  })

  test('is gone with its file', () => {
    const proof = proveAfter({ 'a.json': PLATFORM, 'orders.json': MALFORMED }, lastGood('payments'))

    expect(namesIn(proof)).toEqual(['scanner'])
    expect(tellFiles(proof.findings)).toEqual(['orders.json error  json_malformed'])
  })

  test('is gone with a file that is another team’s now', () => {
    const other = { ...ORDERS, surprise: true }

    expect(namesIn(proveAfter({ 'a.json': PLATFORM, 'payments.json': other }, lastGood('payments')))).toEqual([
      'scanner',
    ])
  })

  test.each<[string, object]>([
    ['delegates nothing to the team any more', { delegations: {} }],
    ['delegates other proofs', { delegations: { payments: delegationOf('other', { identity_prefix: 'payments/' }) } }],
    ['delegates other grants', { delegations: { payments: delegationOf('payments', { grants: {} }) } }],
    ['binds one of its workloads', { bindings: { mine: bindingFor('payments', 'old', 'tools/scanner') } }],
    ['has one of its names', { identities: { 'tools/scanner': identityOf(), 'payments/api': identityOf() } }],
  ])('is proved anew, and left out where the platform’s %s', (_what, parts) => {
    const proof = proveAfter(
      { 'a.json': platformFor(CLUSTER, { ...parts }), 'payments.json': MALFORMED },
      lastGood('payments'),
    )

    expect(whose(proof)).toEqual(['platform'])
    expect(tellFiles(proof.findings)).toEqual([
      'payments.json error  json_malformed',
      'payments.json error  last_good_unfit',
    ])
  })

  test('is never another’s than it says', () => {
    const disguised = { ...lastGood('orders'), delegation: 'payments' }
    const platform = { ...lastGood('payments'), text: () => textOf(PLATFORM) }

    for (const document of [disguised, platform]) {
      const proof = proveAfter({ 'a.json': PLATFORM, 'payments.json': BROKEN }, document)
      expect(whose(proof)).toEqual(['platform'])
    }
  })
})
