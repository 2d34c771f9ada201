/** Which attributes `chancery explain` takes from whoever types them. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runExplain } from '../../src/cli/explain.ts'
import { documentFor } from '../support/document.ts'
import { CLUSTER } from '../support/federation-parts.ts'
import { makeScratch } from '../support/scratch.ts'

const WRITE = 'write a JSON object of strings, each name once'

async function explain(attributes: string, parts: object = {}): Promise<string> {
  const federation = join(makeScratch(), 'federation.json')
  writeFileSync(federation, JSON.stringify({ ...documentFor(CLUSTER), ...parts }))
  const written: string[] = []
  const write = (text: string) => void written.push(text)
  await runExplain({ federation, attributes, insecureHost: [] }, { out: write, err: write })
  return written.join('')
}

test.each([
  ['nothing', ''],
  ['no JSON', 'payments'],
  ['a list', '[]'],
  ['null', 'null'],
  ['a number', '{"kubernetes.namespace":5}'],
  ['a list of values', '{"kubernetes.namespace":["payments"]}'],
  ['a name twice', '{"kubernetes.namespace":"payments","kubernetes.namespace":"orders"}'],
])('refuses %s', async (_what, attributes) => {
  await expect(explain(attributes)).rejects.toThrow(WRITE)
})

test('refuses a name that no such proof has, and says which they have', async () => {
  const misspelt = '{"kubernetes.namespace":"payments","kubernetes.servicaccount":"api"}'

  await expect(explain(misspelt)).rejects.toThrow(
    /such proofs have no kubernetes\.servicaccount; they have kubernetes\.namespace, kubernetes\.service_account, /,
  )
})

test('takes a name of a family', async () => {
  const trusted = { aws: { provider: 'aws', regions: ['eu-west-1'], accounts: { '123456789012': {} } } }
  const parts = { trusted_issuers: trusted, bindings: {} }

  expect(await explain('{"aws.account_id":"123456789012","aws.principal_tags/team":"a"}', parts)).toContain(
    'aws.principal_tags/team = a',
  )
})

test('says of an identity without grants that it may have nothing', async () => {
  const attributes = '{"kubernetes.namespace":"payments","kubernetes.service_account":"api"}'
  const told = await explain(attributes, { identities: { 'payments/api': {} } })

  expect(told).toContain('matches: identity payments/api\n  may have nothing: payments/api has no grants\n')
})
