/** What is published is what the code does. */

import { existsSync, readFileSync } from 'node:fs'
import Ajv2020 from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { REASON_MEANINGS } from '../../src/audit/reason-meanings.ts'
import { REFUSAL_REASONS } from '../../src/audit/reasons.ts'
import { teamDocumentSchema } from '../../src/federation/document.ts'
import { DESCRIPTIONS } from '../../src/oauth/errors.ts'
import { documentFor } from '../support/document.ts'
import { renderReadme } from '../support/published-lists.ts'
import { renderSchemas } from '../support/schemas.ts'
import { teamFor } from '../support/team-documents.ts'
import { CATALOGUE_FILE, renderCatalogue } from '../support/terraform-catalogue.ts'
import { renderTerraformReadmes } from '../support/terraform-readmes.ts'

const README = new URL('../../src/README.md', import.meta.url)
const FEDERATION_SCHEMA = new URL('../../infra/schema/federation.v1.schema.json', import.meta.url)
const TEAM_SCHEMA = new URL('../../infra/schema/team.v1.schema.json', import.meta.url)
const DOCUMENT = documentFor('https://oidc.example/cluster')

function validatorOf(file: URL): (value: unknown) => boolean {
  const ajv = new Ajv2020.default({ strict: false })
  addFormats.default(ajv)
  return ajv.compile(JSON.parse(readFileSync(file, 'utf8')) as object)
}

test('the published schemas are those that the broker uses: run "npm run generate" where they are not', () => {
  for (const [file, text] of renderSchemas()) {
    expect(existsSync(file), file.pathname).toBe(true)
    expect(readFileSync(file, 'utf8')).toBe(text)
  }
})

test('the closed lists in src/README.md are those of the code: run "npm run generate" where they are not', () => {
  expect(readFileSync(README, 'utf8')).toBe(renderReadme())
  expect(Object.keys(REASON_MEANINGS).sort()).toEqual([...REFUSAL_REASONS].sort())
})

test('the Terraform modules know what the code knows: run "npm run generate" where they do not', () => {
  expect(readFileSync(CATALOGUE_FILE, 'utf8')).toBe(renderCatalogue())
})

test('the tables of Terraform READMEs are those of modules and cases: run "npm run generate" where they are not', () => {
  for (const [file, text] of renderTerraformReadmes()) expect(readFileSync(file, 'utf8'), file).toBe(text)
})

test('descriptions keep to the characters that RFC 6749 allows', () => {
  for (const sentence of Object.values(DESCRIPTIONS)) expect(sentence).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
})

test('the document’s schema takes a good document, with and without what has a default', () => {
  const isValid = validatorOf(FEDERATION_SCHEMA)

  expect(isValid(DOCUMENT)).toBe(true)
  expect(isValid({ version: 1, trust_domain: 'corp.example', trusted_issuers: {} })).toBe(true)
})

test.each([
  ['an unknown member', { ...DOCUMENT, extra: 1 }],
  ['another version', { ...DOCUMENT, version: 2 }],
  ['an unknown provider', { ...DOCUMENT, trusted_issuers: { x: { provider: 'heroku' } } }],
  ['a limit of 0', { ...DOCUMENT, audiences: { ledger: { max_lifetime_seconds: 0 } } }],
  [
    'a binding without a match',
    { ...DOCUMENT, bindings: { b: { trusted_issuer: 'cluster', identity: 'payments/api' } } },
  ],
])('the document’s schema refuses %s, as the broker does', (_what, document) => {
  expect(validatorOf(FEDERATION_SCHEMA)(document)).toBe(false)
})

test.each<[string, boolean, object]>([
  ['takes', true, {}],
  ['takes', true, { identities: undefined, bindings: undefined }],
  ['refuses', false, { audiences: {} }],
  ['refuses', false, { delegation: undefined }],
  ['refuses', false, { version: 2 }],
])('a team document’s schema %s what the broker does (%#)', (_what, isTaken, parts) => {
  const document: unknown = JSON.parse(JSON.stringify(teamFor('payments', parts)))

  expect(validatorOf(TEAM_SCHEMA)(document)).toBe(isTaken)
  expect(teamDocumentSchema.safeParse(document).success).toBe(isTaken)
})
