/** Which of several documents that name no delegation is the platform's. */

import { describe, expect, test } from 'vitest'
import { proveDocuments } from '../../src/federation/prove-documents.ts'
import { documentFor } from '../support/document.ts'
import { CLUSTER, CONTEXT, located } from '../support/federation-parts.ts'
import { type Files, platformFor, prove, teamFor, tellFiles, textOf, whose } from '../support/team-documents.ts'

const PLATFORM = platformFor(CLUSTER)
const PAYMENTS = teamFor('payments')
const ORDERS = teamFor('orders')
const { delegation: _, ...NAMELESS } = teamFor('payments') as { delegation: string }
/** What a team would write that wants to be the platform. */
const USURPER = documentFor(CLUSTER, { delegations: {} })
const MALFORMED = '{"version": 1'

describe('a team’s document that does not name its delegation', () => {
  test.each<[string, Files]>([
    ['says nothing that a team may not', { 'a.json': PLATFORM, 'b.json': NAMELESS, 'c.json': ORDERS }],
    ['stands before the platform’s', { 'z.json': PLATFORM, 'b.json': NAMELESS, 'c.json': ORDERS }],
    ['is a list', { 'a.json': PLATFORM, 'b.json': '[]', 'c.json': ORDERS }],
    ['is a platform document itself', { 'platform.json': PLATFORM, 'b.json': USURPER, 'c.json': ORDERS }],
    ['is one, beside a compressed platform’s', { 'platform.json.gz': PLATFORM, 'b.json': USURPER, 'c.json': ORDERS }],
  ])('breaks nobody else’s where it %s', (_what, files) => {
    const proof = prove(files)

    expect(tellFiles(proof.findings)).toEqual(['b.json error  delegation_missing'])
    expect(proof.findings[0]?.message).toContain(Object.keys(files)[0])
    expect(whose(proof)).toEqual(['platform', 'orders'])
  })

  test('is replaced by its last good one', () => {
    const documents = { 'a.json': textOf(PLATFORM), 'b.json': textOf(NAMELESS) }
    const before = { delegation: 'payments', file: 'b.json', text: () => textOf(PAYMENTS) }

    expect(whose(proveDocuments(located(documents), CONTEXT, [before]))).toEqual(['platform', 'payments'])
  })
})

test.each<[string, object | string, readonly string[]]>([
  ['cannot be read', MALFORMED, ['b.json error  delegation_missing', 'platform.json error  json_malformed']],
  [
    'is broken',
    { ...PLATFORM, extra: 1 },
    ['platform.json error /extra member_unknown', 'b.json error  delegation_missing'],
  ],
])('no other file takes the place of a platform.json that %s', (_what, platform, expected) => {
  const proof = prove({ 'b.json': USURPER, 'platform.json': platform })

  expect(tellFiles(proof.findings)).toEqual(expected)
  expect(proof.proven).toBeUndefined()
})

test('a team whose delegation is called platform has no claim to it', () => {
  const platform = platformFor(CLUSTER, { delegations: { platform: { identity_prefix: 'p/' } } })
  const team = { version: 1, delegation: 'platform' }

  expect(whose(prove({ 'a.json': platform, 'platform.json': team }))).toEqual(['platform', 'platform'])
})

test('of two files called platform neither is chosen', () => {
  const proof = prove({ 'platform.json': PLATFORM, 'platform.json.gz': USURPER })

  expect(tellFiles(proof.findings)).toEqual([
    'platform.json error  documents_many',
    'platform.json.gz error  documents_many',
  ])
  expect(proof.proven).toBeUndefined()
})
