/** Values that a platform takes in any case are compared in one, wherever they were written; and whom its proofs are for is its own to say. */

import { describe, expect, test } from 'vitest'
import { azureVerifier } from '../../providers/azure/verifier.ts'
import type { VerifierProvider } from '../../providers/contract/provider.ts'
import { gcpVerifier } from '../../providers/gcp/verifier.ts'
import { kubernetesVerifier } from '../../providers/kubernetes/verifier.ts'
import { canonical } from '../../src/federation/canonical.ts'
import { choose } from '../../src/federation/choose.ts'
import { createDocumentSchema, toJsonSchema } from '../../src/federation/document.ts'
import { explain } from '../../src/federation/explain.ts'
import type { ValidationContext } from '../../src/federation/validate.ts'
import { BROKER, bindingFor, documentFor } from '../support/document.ts'
import { APP_URI, IDENTITY, OBJECT_ID, TENANT, VM } from '../support/entra-tokens.ts'
import { CLUSTER, federationFor, findingsIn, tell } from '../support/federation-parts.ts'
import { explainAttributes } from '../support/run-explain.ts'

const ENTRA = { provider: 'azure', tenant_id: TENANT, proof_audiences: [APP_URI] }
const OTHER_ID = 'cccccccc-1111-2222-3333-cccccccccccc'
const KELVIN = '\u212a'

const upper = (text: string): string => text.toUpperCase()

function contextOf(...providers: readonly VerifierProvider<unknown>[]): ValidationContext {
  return { providers, insecureHosts: new Set(), brokerIssuer: BROKER }
}

const AZURE = contextOf(azureVerifier)

/** A document of one tenant whose bindings, by name, match these. */
const entraWith = (matches: Readonly<Record<string, object>>) => ({
  trusted_issuers: { cluster: ENTRA },
  bindings: Object.fromEntries(
    Object.entries(matches).map(([name, match]) => [
      name,
      { trusted_issuer: 'cluster', match, identity: 'payments/api' },
    ]),
  ),
})

const findings = (matches: Readonly<Record<string, object>>) => tell(findingsIn(entraWith(matches), AZURE))

describe('the spelling of a value', () => {
  test('is the platform’s where it takes several for the same, else as written', () => {
    expect(canonical(azureVerifier.attributes.get('azure.resource_id'), VM)).toBe(VM.toLowerCase())
    expect(canonical(kubernetesVerifier.attributes.get('kubernetes.namespace'), 'Payments')).toBe('Payments')
    expect(canonical(undefined, 'Payments')).toBe('Payments')
  })
})

describe('a binding', () => {
  test.each([
    ['azure.object_id', upper(OBJECT_ID), OBJECT_ID],
    ['azure.resource_id', VM, VM.toLowerCase()],
    ['azure.resource_id', upper(VM), VM.toLowerCase()],
    ['azure.identity_resource_id', IDENTITY, IDENTITY.toLowerCase()],
    ['azure.resource_group', 'RG-Pay', 'rg-pay'],
  ])('on %s may be written as %s', (name, written, value) => {
    const federation = federationFor(entraWith({ one: { 'azure.object_id': OBJECT_ID, [name]: written } }), AZURE)
    const attributes = new Map([['azure.object_id', OBJECT_ID]]).set(name, value)

    expect(choose(federation.bindings.findAll('cluster', attributes)).live?.binding.name).toBe('one')
  })

  test('may list values in any case, and one that is listed in two is one', () => {
    const written = [upper(OBJECT_ID), OBJECT_ID, upper(OTHER_ID)]
    const federation = federationFor(entraWith({ one: { 'azure.object_id': written } }), AZURE)
    const [binding] = federation.bindings.bindingsOf('cluster')

    expect(binding?.match.get('azure.object_id')).toEqual({ kind: 'exact', values: [OBJECT_ID, OTHER_ID] })
    expect(
      choose(federation.bindings.findAll('cluster', new Map([['azure.object_id', OTHER_ID]]))).live?.binding.name,
    ).toBe('one')
  })

  test('is found to overlap with one that says the same in another case', () => {
    const one = { 'azure.object_id': OBJECT_ID }
    const other = { 'azure.object_id': upper(OBJECT_ID) }

    expect(findings({ one, other })).toEqual(['error /bindings/other bindings_equal'])
    expect(findings({ one, other: { 'azure.object_id': upper(OTHER_ID) } })).toEqual([])
  })

  test('is refused for a value that is none in any case', () => {
    const impossible = (name: string) => [`error /bindings/one/match/${name} value_impossible`]

    for (const group of [`rg-${KELVIN}`, 'providers', 'Providers', 'rg/pay', '']) {
      expect(findings({ one: { 'azure.object_id': OBJECT_ID, 'azure.resource_group': group } })).toEqual(
        impossible('azure.resource_group'),
      )
    }
    for (const id of ['someone@corp.example', `${OBJECT_ID}\n`, '']) {
      expect(findings({ one: { 'azure.object_id': id } })).toEqual(impossible('azure.object_id'))
    }
  })

  test('by prefix is compared in the same spelling', () => {
    const lower = (text: string): string => text.toLowerCase()
    const attributes = new Map(
      [...kubernetesVerifier.attributes].map(([name, attribute]) => [name, { ...attribute, canonical: lower }]),
    )
    const provider = { ...kubernetesVerifier, attributes }
    const federation = federationFor(
      { bindings: { one: bindingFor('PROD-*', 'API', 'payments/api') } },
      contextOf(provider),
    )
    const found = new Map([
      ['kubernetes.namespace', 'prod-1'],
      ['kubernetes.service_account', 'api'],
    ])

    expect(choose(federation.bindings.findAll('cluster', found)).live?.binding.name).toBe('one')
  })

  test('on a platform that takes one spelling is refused in another', () => {
    const bindings = { one: bindingFor('Payments', 'api', 'payments/api') }

    expect(tell(findingsIn({ bindings }))).toEqual(['error /bindings/one/match/kubernetes.namespace value_impossible'])
  })
})

describe('explaining', () => {
  const document = documentFor(CLUSTER, entraWith({ one: { 'azure.object_id': OBJECT_ID, 'azure.resource_id': VM } }))

  test('takes attributes in any case, and shows what they are compared as', async () => {
    const { code, account } = await explainAttributes(document, {
      'azure.object_id': upper(OBJECT_ID),
      'azure.resource_id': upper(VM),
      'azure.unheard_of': 'As It Is',
    })

    expect(code).toBe(0)
    expect(account?.explanations).toMatchObject([{ binding: 'one', identity: 'payments/api' }])
    expect(account?.attributes).toEqual({
      'azure.object_id': OBJECT_ID,
      'azure.resource_id': VM.toLowerCase(),
      'azure.unheard_of': 'As It Is',
    })
  })

  test('shows what a binding expects as it is compared', () => {
    const federation = federationFor(entraWith({ one: { 'azure.object_id': upper(OBJECT_ID) } }), AZURE)

    expect(explain(federation, 'cluster', new Map([['azure.object_id', OTHER_ID]])).nearest).toMatchObject([
      { attribute: 'azure.object_id', expected: [OBJECT_ID], found: OTHER_ID },
    ])
  })

  test('keeps attributes as they are where their platform takes one spelling', async () => {
    const { code, account } = await explainAttributes(documentFor(CLUSTER), { 'kubernetes.namespace': 'Payments' })

    expect(code).toBe(1)
    expect(account?.attributes).toEqual({ 'kubernetes.namespace': 'Payments' })
  })
})

describe('the proof audiences of a platform that has its own', () => {
  const { proof_audiences: _, ...without } = ENTRA
  const missing = ['error /trusted_issuers/cluster/proof_audiences shape']

  test('are named at the trusted issuer, whatever the document and the broker are called', () => {
    expect(findings({})).toEqual([])
    for (const proof_audiences of [undefined, [BROKER]]) {
      const document = { ...entraWith({}), trusted_issuers: { cluster: without }, proof_audiences }

      expect(tell(findingsIn(document, AZURE))).toEqual(missing)
    }
  })

  test.each<[unknown]>([[[]], [null], [APP_URI], [Array.from({ length: 17 }, (_, at) => `${APP_URI}${at}`)]])(
    'are not %j',
    (proof_audiences) => {
      const document = { ...entraWith({}), trusted_issuers: { cluster: { ...without, proof_audiences } } }

      expect(tell(findingsIn(document, AZURE))).toEqual(missing)
    },
  )

  test('are nobody else’s', () => {
    for (const audience of ['https://management.azure.com/', 'api://AzureADTokenExchange']) {
      const cluster = { ...ENTRA, proof_audiences: [APP_URI, audience] }

      expect(tell(findingsIn({ ...entraWith({}), trusted_issuers: { cluster } }, AZURE))).toEqual([
        'error /trusted_issuers/cluster/proof_audiences/1 proof_audience_foreign',
      ])
    }
  })

  test('are required by the published schema, for that platform alone', () => {
    const schema = JSON.parse(JSON.stringify(toJsonSchema([gcpVerifier, azureVerifier, kubernetesVerifier]))) as {
      properties: { trusted_issuers: { additionalProperties: { oneOf: { required: string[] }[] } } }
    }
    const { oneOf } = schema.properties.trusted_issuers.additionalProperties

    expect(oneOf.map(({ required }) => required.includes('proof_audiences'))).toEqual([false, true, false])
    const { data } = createDocumentSchema([gcpVerifier]).safeParse(
      documentFor('', { trusted_issuers: { g: { provider: 'gcp' } }, bindings: {} }),
    )
    expect(data?.trusted_issuers).toMatchObject({ g: { provider: 'gcp' } })
  })
})
