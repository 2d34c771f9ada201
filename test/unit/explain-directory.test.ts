/** What `chancery explain` makes of several documents. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runExplain } from '../../src/cli/explain.ts'
import { CLUSTER } from '../support/federation-parts.ts'
import { makeScratch } from '../support/scratch.ts'
import { ACCOUNT, type Files, NAMESPACE, platformFor, teamFor, textOf } from '../support/team-documents.ts'

async function explain(files: Files, namespace: string) {
  const federation = makeScratch()
  for (const [name, document] of Object.entries(files)) writeFileSync(join(federation, name), textOf(document))
  const out: string[] = []
  const err: string[] = []
  const terminal = { out: (text: string) => void out.push(text), err: (text: string) => void err.push(text) }
  const attributes = JSON.stringify({ [NAMESPACE]: namespace, [ACCOUNT]: 'api' })
  const code = await runExplain({ federation, insecureHost: [], json: true, attributes }, terminal)
  return { code, out: out.join(''), err: err.join('').replaceAll(federation, 'teams') }
}

const FILES = {
  'platform.json': platformFor(CLUSTER),
  'payments.json': teamFor('payments'),
  'orders.json': teamFor('orders'),
}

test('a team’s binding is explained by both of its names', async () => {
  const { code, out } = await explain(FILES, 'orders')

  expect(code).toBe(0)
  expect(out).toContain('"orders:api"')
})

test('a broken team document is told, and the others are explained without it', async () => {
  const files = { ...FILES, 'payments.json': '{' }
  const told = /^teams\/payments\.json is refused: .*"chancery check teams" tells all\n$/

  expect(await explain(files, 'orders')).toMatchObject({ code: 0, err: expect.stringMatching(told) })
  expect(await explain(files, 'payments')).toMatchObject({ code: 1, err: expect.stringMatching(told) })
})

test('nothing is explained without a platform document', async () => {
  expect(await explain({ 'payments.json': teamFor('payments') }, 'payments')).toMatchObject({ code: 1, out: '' })
})
