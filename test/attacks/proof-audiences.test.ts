/** Attacks through the audience that proofs are made for: it is named, and it is ours alone. */

import { expect, onTestFinished, test } from 'vitest'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { startTestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { BROKER, documentFor } from '../support/document.ts'
import { expectAccepted, expectErrors } from '../support/expect-check.ts'
import { openScene } from '../support/scene.ts'

const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/2F331C82755EF3E43731C8D6E299FAEF'

const trusting = (more: object, issuer = ISSUER) => ({
  cluster: { provider: 'kubernetes', issuers: [issuer], ...more },
})

const FOREIGN = [
  'sts.amazonaws.com',
  'https://sts.amazonaws.com',
  'https://sts.amazonaws.com/',
  'https://sts.amazonaws.com:443/',
  'STS.amazonaws.com',
  'sts.us-east-1.amazonaws.com',
  'https://sts.eu-west-1.amazonaws.com/',
  'sts-fips.us-east-1.amazonaws.com',
  'sts.cn-north-1.amazonaws.com.cn',
  'pods.eks.amazonaws.com',
  'api://AzureADTokenExchange',
  'api://azureadtokenexchange',
  'API://AZUREADTOKENEXCHANGE',
  'api://AzureADTokenExchange/',
  'https://management.azure.com/',
  'https://management.azure.com',
  'https://management.azure.com//',
  'https://management.core.windows.net//',
  'https://management.azure.com/.default',
  'https://graph.microsoft.com',
  '00000003-0000-0000-c000-000000000000',
  'https://vault.azure.net',
  'https://prod.vault.azure.net',
  'vault',
  'Vault',
  'https://vault',
  '407408718192-abc.apps.googleusercontent.com',
  'https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x',
  '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x',
  'https://sts.googleapis.com',
  'https://oauth2.googleapis.com/token',
  'https://accounts.google.com',
  'project.svc.id.goog',
  'https://kubernetes.default.svc',
  'https://kubernetes.default.svc.cluster.local',
  'https://kubernetes.default.svc.cluster.local:443',
  'https://kubernetes.default.svc.corp.example',
  'kubernetes.default.svc',
  'https://kubernetes',
  'api',
  'spire-server',
  'istio-ca',
  'sigstore',
]

test.each(FOREIGN)('CFG-01 refuses the proof audience %s, which is somebody else’s', async (audience) => {
  const whole = documentFor(ISSUER, { proof_audiences: [audience] })
  const beside = documentFor(ISSUER, { proof_audiences: [BROKER, audience] })
  const ofOne = documentFor(ISSUER, { trusted_issuers: trusting({ proof_audiences: [audience] }) })

  const [found] = await expectErrors(whole, ['/proof_audiences/0 proof_audience_foreign'])
  await expectErrors(beside, ['/proof_audiences/1 proof_audience_foreign'])
  await expectErrors(ofOne, ['/trusted_issuers/cluster/proof_audiences/0 proof_audience_foreign'])
  expect(found?.message).toContain(audience)
})

test('CFG-01 refuses the cluster’s own API audience, however it becomes the proof audience', async () => {
  const refused = ['/trusted_issuers/cluster/issuers/0 proof_audience_foreign']

  await expectErrors(documentFor(ISSUER, { proof_audiences: [BROKER, ISSUER] }), refused)
  await expectErrors(documentFor(ISSUER, { trusted_issuers: trusting({ proof_audiences: [ISSUER] }) }), refused)
  await expectErrors(documentFor(ISSUER, { proof_audiences: undefined }), refused, { issuer: ISSUER })
})

test('CFG-01 refuses a foreign audience that is the broker’s own name, where no other is given', async () => {
  const document = documentFor(ISSUER, { proof_audiences: undefined })

  for (const issuer of ['https://kubernetes.default.svc', 'https://vault', 'https://sts.amazonaws.com']) {
    const { length } = await expectErrors(document, [expect.stringContaining('proof_audience_foreign')], { issuer })
    expect(length).toBe(1)
  }
})

test.each([
  'https://broker.example',
  'https://broker.example/',
  'chancery',
  'urn:example:broker',
  'https://sts.amazonaws.com.broker.example',
  'https://vault.broker.example',
  'https://broker.example/sts.amazonaws.com',
  'apis',
])('CFG-01 takes the proof audience %s', async (audience) => {
  await expectAccepted(documentFor(ISSUER, { proof_audiences: [audience] }))
})

test('CFG-01 a document with a foreign audience changes nothing, and starts nothing', async () => {
  const scene = await openScene()
  onTestFinished(() => scene.close())
  const document = documentFor(scene.cluster.issuer, { proof_audiences: [BROKER, 'sts.amazonaws.com'] })
  const forAws = await scene.proof({ audiences: ['sts.amazonaws.com'] })

  await scene.broker.replaceDocument(document)

  expectProofRefused(scene.broker, await scene.broker.exchange(forAws), 'audience_mismatch')
  expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  const boot = startTestBroker({ clock: createTestClock(), document, insecureHosts: [scene.cluster.host] })
  await expect(boot).rejects.toMatchObject({ name: 'SettingsError', problems: [{ code: 'document_refused' }] })
})

const EMPTY: readonly (readonly [string, unknown])[] = [
  ['an empty list', []],
  ['null', null],
  ['an empty text', ''],
  ['text', BROKER],
  ['an object', { aud: BROKER }],
  ['false', false],
]

test.each(EMPTY)('CFG-03 refuses %s for the proof audiences', async (_, value) => {
  await expectErrors(documentFor(ISSUER, { proof_audiences: value }), ['/proof_audiences shape'])
  const ofOne = documentFor(ISSUER, { trusted_issuers: trusting({ proof_audiences: value }) })
  await expectErrors(ofOne, ['/trusted_issuers/cluster/proof_audiences shape'])
})

test.each(['', ' ', 'a b', 'caf\u00e9', `${BROKER}\n`, '\u0000', 'a'.repeat(256), null, 1, [BROKER]])(
  'CFG-03 refuses %j as a proof audience',
  async (audience) => {
    await expectErrors(documentFor(ISSUER, { proof_audiences: [BROKER, audience] }), ['/proof_audiences/1 shape'])
  },
)

test('CFG-03 refuses more audiences than a person can oversee', async () => {
  const many = Array.from({ length: 17 }, (_, at) => `https://broker-${at}.example`)

  await expectErrors(documentFor(ISSUER, { proof_audiences: many }), ['/proof_audiences shape'])
})

test('CFG-03 where no proof audience is named, it is the broker’s issuer and nothing else', async () => {
  const scene = await openScene({ document: ({ issuer }) => documentFor(issuer, { proof_audiences: undefined }) })
  onTestFinished(() => scene.close())
  const exchange = async (audience: string) =>
    scene.broker.exchange(await scene.proof({ audiences: audience === '' ? [] : [audience] }))

  expectIssued(scene.broker, await exchange(BROKER))
  for (const audience of ['', 'https://other.example', `${BROKER}/`, `${BROKER}:443`, BROKER.toUpperCase(), 'ledger'])
    expectProofRefused(scene.broker, await exchange(audience), 'audience_mismatch')
  const unnamed = await scene.forge({ aud: undefined })
  expectProofRefused(scene.broker, await scene.broker.exchange(unnamed), 'audience_mismatch')
})

test('CFG-03 a trusted issuer’s own proof audiences stand instead of the document’s', async () => {
  const own = 'https://edge.broker.example'
  const scene = await openScene({
    document: ({ issuer }) => documentFor(issuer, { trusted_issuers: trusting({ proof_audiences: [own] }, issuer) }),
  })
  onTestFinished(() => scene.close())

  expectIssued(scene.broker, await scene.broker.exchange(await scene.proof({ audiences: [own] })))
  expectProofRefused(scene.broker, await scene.broker.exchange(await scene.proof()), 'audience_mismatch')
})
