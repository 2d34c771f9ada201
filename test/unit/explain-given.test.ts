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

test('tells of a name that no such proof has, as of a slip of the pen', async () => {
  const told = await explain('{"kubernetes.namespace":"payments","kubernetes.servicaccount":"api"}')

  expect(told).toContain('\nsuch proofs have no attribute kubernetes.servicaccount: is it spelt right?\n')
  expect(told).toContain('payments-api: kubernetes.service_account must be api, and the proof has none')
})

test('takes a name of a family', async () => {
  const trusted = { aws: { provider: 'aws', regions: ['eu-west-1'], accounts: { '123456789012': {} } } }
  const parts = { trusted_issuers: trusted, bindings: {} }

  const told = await explain('{"aws.account_id":"123456789012","aws.principal_tags/team":"a"}', parts)

  expect(told).toContain('aws.principal_tags/team = a')
  expect(told).not.toContain('such proofs')
})

test('says of an identity without grants that it may have nothing', async () => {
  const attributes = '{"kubernetes.namespace":"payments","kubernetes.service_account":"api"}'
  const told = await explain(attributes, { identities: { 'payments/api': {} } })

  expect(told).toContain('matches: identity payments/api\n  may have nothing: payments/api has no grants\n')
})
