/** What clouds must grant and trust: the modules' own tests, and that what they give fits the federation document. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { documentFor } from '../support/document.ts'
import { hasTool } from '../support/found-tool.ts'
import { runChancery } from '../support/process.ts'
import { makeScratch } from '../support/scratch.ts'
import { applyModule, copyInfra, runTerraform, testTerraform } from '../support/terraform-copy.ts'

const CLOUDS = ['aws', 'azure', 'gcp', 'kubernetes']
const INFRA = new URL('../../infra', import.meta.url).pathname
const ISSUER = 'https://broker.corp.example'
const SUBJECT = 'spiffe://corp.example/payments/api'

/** The inputs of each module's documents that say whom the cloud is to trust. */
const TRUSTING: Readonly<Record<string, object>> = {
  aws: { proof_audience: ISSUER, issuer: ISSUER, account_id: '123456789012', roles: { reader: [SUBJECT] } },
  azure: {
    tenant_id: 'aaaabbbb-0000-cccc-1111-dddd2222eeee',
    client_id: '00001111-aaaa-2222-bbbb-3333cccc4444',
    issuer: ISSUER,
    applications: { '/applications/1': { 'payments-api': SUBJECT } },
  },
  gcp: { proof_audience: ISSUER, project_number: '123456789012', issuer: ISSUER, subjects: [SUBJECT] },
  kubernetes: {
    proof_audience: ISSUER,
    issuer: ISSUER,
    token_audience: 'https://prod.kubernetes.corp.example',
    subjects: [SUBJECT],
  },
}

describe.skipIf(!hasTool('terraform', 'workload modules'))('the modules of what clouds must grant', () => {
  test.each(CLOUDS)('pass their own tests: %s', (cloud) => {
    const { passed, complaints } = testTerraform(join(copyInfra(), 'modules', `${cloud}-workload`, 'documents'))

    expect(complaints).toEqual([])
    expect(passed).toBeGreaterThan(10)
  })

  test('are formatted, with everything else and what needs a provider', () => {
    const { out } = runTerraform(INFRA, 'fmt', '-check', '-diff', '-recursive')

    expect(out).toBe('')
  })

  test.each(CLOUDS)('name audiences that a federation document may have, and grant: %s', async (cloud) => {
    const { audience } = applyModule(`${cloud}-workload/documents`, TRUSTING[cloud] ?? {}) as { audience: object }
    const path = join(makeScratch(), 'federation.json')
    const grants = Object.fromEntries(Object.keys(audience).map((name) => [name, []]))
    const parts = { audiences: { ...audience }, identities: { 'payments/api': { grants } } }
    writeFileSync(path, JSON.stringify(documentFor('https://kubernetes.corp.example', parts)))

    expect(Object.keys(audience)).toHaveLength(1)
    expect(await runChancery(['check', '--json', path])).toMatchObject({ code: 0, out: '[]\n' })
  })

  test('give a tenant as a trusted issuer that a federation document may have', async () => {
    const { trusted_issuer } = applyModule('azure-workload/documents', TRUSTING.azure ?? {}) as {
      trusted_issuer: object
    }
    const path = join(makeScratch(), 'federation.json')
    const match = { 'azure.object_id': 'bbbbbbbb-1111-2222-3333-cccccccccccc' }
    const bindings = { api: { trusted_issuer: 'entra', match, identity: 'payments/api' } }
    const parts = { trusted_issuers: { entra: trusted_issuer }, bindings }
    writeFileSync(path, JSON.stringify(documentFor('', parts)))

    expect(await runChancery(['check', '--json', path])).toMatchObject({ code: 0, out: '[]\n' })
  })
})
