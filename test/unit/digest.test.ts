/** How tokens and records name several documents at once. */

import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/federation/digest.ts'
import { proveDocuments } from '../../src/federation/prove-documents.ts'
import { CLUSTER, CONTEXT, located } from '../support/federation-parts.ts'
import { type Files, platformFor, prove, teamFor, textOf } from '../support/team-documents.ts'

const PLATFORM = platformFor(CLUSTER)
const PAYMENTS = teamFor('payments')
const ORDERS = teamFor('orders')
const OLD = teamFor('payments', { bindings: {} })
const BROKEN = { ...PAYMENTS, surprise: true }

describe('the digest', () => {
  const digestIn = (files: Files): string | undefined => prove(files).proven?.head.digest

  test('of the platform document alone is that of its text, as Terraform’s sha256() gives it', () => {
    const sha256 = createHash('sha256').update(textOf(PLATFORM)).digest('hex')

    expect(digestIn({ 'a.json': PLATFORM })).toBe(`sha256:${sha256}`)
  })

  test('of several is that of a line for each', () => {
    const [own, orders, payments] = [PLATFORM, ORDERS, PAYMENTS].map((document) => digestOf(textOf(document)))
    const lines = `${own}\norders ${orders}\npayments ${payments}\n`

    expect(digestIn({ 'a.json': PLATFORM, 'b.json': PAYMENTS, 'c.json': ORDERS })).toBe(digestOf(lines))
  })

  test('has nothing to do with files’ names and their order, and changes with every document', () => {
    const digest = digestIn({ 'a.json': PLATFORM, 'b.json': PAYMENTS, 'c.json': ORDERS })

    expect(digestIn({ '1.json': ORDERS, '2.json': PAYMENTS, '3.json': PLATFORM })).toBe(digest)
    const others = [
      digestIn({ 'a.json': PLATFORM }),
      digestIn({ 'a.json': PLATFORM, 'b.json': PAYMENTS }),
      digestIn({ 'a.json': PLATFORM, 'b.json': PAYMENTS, 'c.json': `${textOf(ORDERS)} ` }),
      digestIn({ 'a.json': `${textOf(PLATFORM)} `, 'b.json': PAYMENTS, 'c.json': ORDERS }),
    ]
    expect(new Set([digest, ...others]).size).toBe(5)
  })

  test('is of what is in force: a last good document counts, a broken one does not', () => {
    const standIn = proveDocuments(located({ 'a.json': textOf(PLATFORM), 'payments.json': textOf(BROKEN) }), CONTEXT, [
      { delegation: 'payments', file: 'payments.json', text: () => textOf(OLD) },
    ])
    const itself = prove({ 'a.json': PLATFORM, 'b.json': OLD })

    expect(standIn.proven?.head.digest).toBe(itself.proven?.head.digest)
    expect(digestIn({ 'a.json': PLATFORM, 'b.json': BROKEN })).toBe(digestIn({ 'a.json': PLATFORM }))
  })
})
