/** Attacks on what a document says of Google and its accounts: the GCP rows that are decided before any proof comes. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { documentFor } from '../support/document.ts'
import { expectAccepted, expectErrors } from '../support/expect-check.ts'
import { type GoogleScene, googleBinding, googleDocument, openGoogleScene } from '../support/google-scene.ts'
import { ACCOUNT_EMAIL, ACCOUNT_ID } from '../support/google-tokens.ts'

const MACHINE = {
  'gcp.project_id': 'prod-123456',
  'gcp.project_number': '716149158341',
  'gcp.zone': 'us-central1-a',
  'gcp.instance_id': '4340508760561261530',
  'gcp.instance_name': 'vm-1',
} as const

const trusted = { google: { provider: 'gcp' } }

/** A document with one binding of Google's. */
function matching(match: object): object {
  const weak = { trusted_issuer: 'google', match, identity: 'payments/api' }
  return documentFor('', { trusted_issuers: trusted, bindings: { weak } })
}

const UNPINNED = [
  { 'gcp.instance_name': 'vm-1' },
  { 'gcp.instance_name': ['vm-1', 'vm-2'] },
  { 'gcp.instance_id': '4340508760561261530' },
  { 'gcp.project_id': 'prod-123456' },
  { 'gcp.project_number': '716149158341' },
  { 'gcp.project_id': 'prod-123456', 'gcp.instance_name': 'vm-1' },
  { 'gcp.project_id': 'prod-123456', 'gcp.zone': 'us-central1-a', 'gcp.instance_name': 'vm-1' },
  MACHINE,
  { ...MACHINE, 'gcp.email': ACCOUNT_EMAIL },
  {},
]

describe('a binding without the account’s own id', () => {
  test.each(UNPINNED)('GCP-11 refuses %j: a name is free for others once its machine is gone', async (match) => {
    const [found] = await expectErrors(matching(match), ['/bindings/weak/match pin_missing'])

    expect(found?.message).toContain('gcp.subject')
    await expectAccepted(matching({ ...match, 'gcp.subject': ACCOUNT_ID }))
  })

  const BY_EMAIL = [
    { 'gcp.email': ACCOUNT_EMAIL },
    { 'gcp.email': [ACCOUNT_EMAIL, 'billing@prod-123456.iam.gserviceaccount.com'] },
    { 'gcp.email': ACCOUNT_EMAIL, 'gcp.project_id': 'prod-123456' },
  ]

  test.each(BY_EMAIL)('GCP-15 refuses %j: the address may be had by another account', async (match) => {
    await expectErrors(matching(match), ['/bindings/weak/match pin_missing'])
    await expectAccepted(matching({ ...match, 'gcp.subject': ACCOUNT_ID }))
  })

  test('GCP-11, GCP-15 a document with such a binding changes nothing', async () => {
    const scene: GoogleScene = await openGoogleScene()
    onTestFinished(() => scene.close())
    const { account, instance } = scene.cloud.workload
    scene.cloud.deleteServiceAccount(account)
    const weak = { ...googleBinding(''), match: { 'gcp.email': account } }
    const byName = { ...googleBinding(''), match: { 'gcp.instance_name': instance.instance_name } }
    scene.cloud.createServiceAccount(account)

    await scene.broker.replaceDocument(googleDocument(scene.cloud, { bindings: { weak } }))
    await scene.refuses(await scene.proof(), 'binding_missing')
    await scene.broker.replaceDocument(googleDocument(scene.cloud, { bindings: { byName } }))
    await scene.refuses(await scene.proof(), 'binding_missing')

    await scene.broker.replaceDocument(googleDocument(scene.cloud))
    await scene.issues(await scene.proof())
  })
})

describe('a value that Google never gives', () => {
  const IMPOSSIBLE = [
    ['gcp.email', 'ada@corp.example'],
    ['gcp.email', 'payments@gmail.com'],
    ['gcp.email', `${ACCOUNT_EMAIL}.evil.com`],
    ['gcp.email', 'Payments@prod-123456.iam.gserviceaccount.com'],
    ['gcp.email', 'payments+x@prod-123456.iam.gserviceaccount.com'],
    ['gcp.instance_name', 'VM-1'],
    ['gcp.zone', 'projects/1/zones/us-central1-a'],
  ] as const

  test.each(IMPOSSIBLE)('GCP-10 refuses the %s %s in a binding', async (name, value) => {
    const document = matching({ 'gcp.subject': ACCOUNT_ID, [name]: value })

    await expectErrors(document, [`/bindings/weak/match/${name} value_impossible`])
  })

  const NO_IDS = [ACCOUNT_EMAIL, `${ACCOUNT_ID} `, `0${ACCOUNT_ID}`, '1e20', '-1', '']

  test.each(NO_IDS)('GCP-15 refuses the id %j in a binding', async (id) => {
    await expectErrors(matching({ 'gcp.subject': id }), ['/bindings/weak/match/gcp.subject value_impossible'])
  })

  const PREFIXES = [{ 'gcp.subject': '1-*' }, { 'gcp.subject': ACCOUNT_ID, 'gcp.instance_name': 'vm-*' }]

  test.each(PREFIXES)('GCP-11 refuses a prefix: %j', async (match) => {
    const name = Object.keys(match).at(-1)

    await expectErrors(matching(match), [`/bindings/weak/match/${name} prefix_not_allowed`])
  })

  const NO_ATTRIBUTES = ['email', 'sub', 'azp', 'hd', 'gcp.hd', 'gcp.name', 'gcp.azp', 'gcp.organization_number']

  test.each(NO_ATTRIBUTES)('GCP-07 refuses a condition on %s, which is no attribute of a workload', async (name) => {
    const document = matching({ 'gcp.subject': ACCOUNT_ID, [name]: 'x' })

    await expectErrors(document, [`/bindings/weak/match/${name} attribute_unknown`])
  })
})

test('GCP-01 takes an audience of the broker’s own, and refuses Google’s', async () => {
  const withAudience = (audience: string) =>
    documentFor('', {
      trusted_issuers: { google: { provider: 'gcp', proof_audiences: [audience] } },
      bindings: { 'payments-api': googleBinding(ACCOUNT_ID) },
    })
  const foreign = [
    '32555940559.apps.googleusercontent.com',
    'https://sts.googleapis.com',
    'https://oauth2.googleapis.com/token',
    'https://www.googleapis.com/oauth2/v4/token',
    'https://storage.googleapis.com/',
    '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x',
    'prod-123456.svc.id.goog',
    'https://accounts.google.com',
  ]

  await expectAccepted(withAudience('https://broker.example'))
  for (const audience of foreign)
    await expectErrors(withAudience(audience), ['/trusted_issuers/google/proof_audiences/0 proof_audience_foreign'])
})

test('CFG-02 refuses an issuer that trusted issuers of two clouds name', async () => {
  const keys = { from: 'url', url: 'https://keys.corp.example/x' }
  const cluster = { provider: 'kubernetes', issuers: ['https://accounts.google.com'], keys }
  const document = documentFor('', { bindings: {}, trusted_issuers: { ...trusted, cluster } })

  await expectErrors(document, ['/trusted_issuers/cluster issuer_shared'])
})
