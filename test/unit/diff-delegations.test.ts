/** What a change does to delegations, and to what teams write within them. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Difference } from '../../src/federation/change.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { CLUSTER } from '../support/federation-parts.ts'
import { brief, changesBetween, diff, PAYMENTS as payments, writeTeam } from '../support/run-change.ts'
import { makeScratch } from '../support/scratch.ts'

const bare = { identities: {}, bindings: {} }

function compare(next: object, old: object = payments): readonly string[] {
  return brief(
    changesBetween({ ...bare, delegations: { payments: old } }, { ...bare, delegations: { payments: next } }),
  )
}

async function changesOf(old: string, next: string): Promise<readonly string[]> {
  const { out } = await diff(old, next, { json: true })
  return brief((JSON.parse(out) as Difference).changes)
}

test('a delegation comes and goes whole', () => {
  const [none, one] = [bare, { ...bare, delegations: { payments } }]

  expect(changesBetween(none, one)).toMatchObject([{ kind: 'delegation', change: 'added', old: null, new: payments }])
  expect(changesBetween(one, none)).toMatchObject([{ kind: 'delegation', change: 'removed', old: payments, new: null }])
})

test('the proofs that a team may bind are widened and narrowed by containment', () => {
  const match = (namespace: unknown) => ({
    ...payments,
    trusted_issuers: { cluster: { match: { 'kubernetes.namespace': namespace } } },
  })

  expect(compare(match(['billing', 'payments']))).toEqual([])
  expect(compare(match('payments'))).toEqual(['delegation payments narrowed trusted_issuers/cluster'])
  expect(compare(match(['billing', 'payments', 'x']))).toEqual(['delegation payments widened trusted_issuers/cluster'])
  expect(compare({ ...payments, trusted_issuers: {} })).toEqual([
    'delegation payments narrowed trusted_issuers/cluster',
  ])
  expect(compare(payments, { ...payments, trusted_issuers: {} })).toEqual([
    'delegation payments widened trusted_issuers/cluster',
  ])
})

test('what a team may grant is told by audience', () => {
  expect(compare({ ...payments, grants: { ledger: ['entries:read', 'entries:write'] } })).toEqual([
    'delegation payments ledger widened grants',
  ])
  expect(compare({ ...payments, grants: {} })).toEqual(['delegation payments ledger narrowed grants'])
  expect(compare({ ...payments, grants: { ledger: ['entries:write'] } })).toEqual([
    'delegation payments ledger changed grants',
  ])
  expect(compare(payments, { ...payments, grants: {} })).toEqual(['delegation payments ledger widened grants'])
})

test('a longer prefix gives fewer names, and another gives other ones', () => {
  expect(compare({ ...payments, identity_prefix: 'payments/eu/' })).toEqual([
    'delegation payments narrowed identity_prefix',
  ])
  expect(compare({ ...payments, identity_prefix: 'billing/' })).toEqual(['delegation payments changed identity_prefix'])
})

test('claims that a team may set are widened and narrowed', () => {
  const claims = { ...payments, claims: ['team'] }

  expect(compare(claims)).toEqual(['delegation payments widened claims'])
  expect(compare(payments, claims)).toEqual(['delegation payments narrowed claims'])
})

test('what teams write is compared with the rest, and moving it between documents is a renaming', async () => {
  const api = { 'payments/api': { grants: { ledger: ['entries:read'] } } }
  const none = writeTeam({})
  const one = writeTeam({ identities: api, bindings: { api: bindingFor('payments', 'api', 'payments/api') } })

  expect(await changesOf(none, one)).toEqual([
    'identity payments/api added',
    'grant payments/api ledger added',
    'binding payments:api added',
  ])

  const before = join(makeScratch(), 'before.json')
  const bindings = { 'payments-api': bindingFor('payments', 'api', 'payments/api') }
  writeFileSync(before, JSON.stringify(documentFor(CLUSTER, { delegations: {}, identities: api, bindings })))

  expect(await changesOf(before, one)).toEqual(['delegation payments added', 'binding payments:api renamed name'])
})

test('a new directory with a broken team document is refused, and an old one is compared without it', async () => {
  const broken = writeTeam({ identities: { 'other/api': { grants: {} } } })
  const good = writeTeam({ identities: { 'payments/api': { grants: {} } } })

  const refused = await diff(good, broken)
  const mended = await diff(broken, good)

  expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('payments.json') })
  expect(mended).toMatchObject({ code: 0, out: expect.stringContaining('+ identity payments/api') })
})
