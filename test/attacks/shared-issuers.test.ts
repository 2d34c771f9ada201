/** Attacks by two entries for one issuer: whose proof it is must never be a matter of which entry is read first. */

import { describe, expect, onTestFinished, test } from 'vitest'
import { expectIssued } from '../support/answers.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { expectErrors } from '../support/expect-check.ts'
import { runCheck } from '../support/run-check.ts'
import { openScene } from '../support/scene.ts'

const ISSUER = 'https://oidc.eks.us-east-1.amazonaws.com/id/2F331C82755EF3E43731C8D6E299FAEF'
const TENANT = 'aaaabbbb-0000-cccc-1111-dddd2222eeee'
const IDENTITIES = { mine: {}, yours: {} }

/** Two settings of each cloud that trust the same issuer, and one that trusts another. */
const SHARED: readonly (readonly [string, object, object, object | undefined])[] = [
  [
    'kubernetes',
    { issuers: [ISSUER] },
    { issuers: ['https://other.example', ISSUER] },
    { issuers: ['https://other.example'] },
  ],
  ['gcp', {}, {}, undefined],
  [
    'azure',
    { cloud: 'public', tenant_id: TENANT, proof_audiences: ['api://chancery'] },
    { cloud: 'public', tenant_id: TENANT, proof_audiences: ['api://other'] },
    { cloud: 'public', tenant_id: 'aaaabbbb-0000-cccc-1111-dddd2222ffff', proof_audiences: ['api://chancery'] },
  ],
  [
    'aws',
    { regions: ['eu-west-1'], accounts: { '123456789012': {} } },
    { regions: ['us-east-1'], accounts: { '210987654321': {}, '123456789012': {} } },
    { regions: ['us-east-1'], accounts: { '210987654321': {} } },
  ],
]

const MATCH: Readonly<Record<string, object>> = {
  kubernetes: { 'kubernetes.namespace': 'payments', 'kubernetes.service_account': 'api' },
  gcp: { 'gcp.subject': '104289563842976421098' },
  azure: { 'azure.object_id': 'bbbbcccc-0000-dddd-1111-eeee2222ffff' },
  aws: { 'aws.account_id': '123456789012', 'aws.role_name': 'api' },
}

/** Binds the very same proofs of both to two identities, which only the entry tells apart. */
function withBoth(provider: string, one: object, other: object): object {
  const binding = (trusted_issuer: string, identity: string) => ({ trusted_issuer, match: MATCH[provider], identity })
  return documentFor(ISSUER, {
    trusted_issuers: { one: { provider, ...one }, other: { provider, ...other } },
    identities: IDENTITIES,
    bindings: { mine: binding('one', 'mine'), yours: binding('other', 'yours') },
  })
}

describe.each(SHARED)('two trusted issuers of %s', (provider, one, shared) => {
  test('CFG-02 with the same issuer are refused, whatever their bindings say', async () => {
    const [found] = await expectErrors(withBoth(provider, one, shared), ['/trusted_issuers/other issuer_shared'])

    expect(found?.message).toMatch(/\bone\b.*\bother\b/)
  })

  test('CFG-02 with the same issuer are refused though one is suspended', async () => {
    const document = withBoth(provider, { ...one, suspended: true }, shared)

    await expectErrors(document, ['/trusted_issuers/other issuer_shared'])
  })
})

test('CFG-02 two issuers of one cloud may bind the same names to two identities', async () => {
  for (const [provider, one, , other] of SHARED) {
    if (other === undefined) continue
    const { code, findings } = await runCheck(withBoth(provider, one, other))
    // Who binds an account that the other one does not take is told, and no more.
    expect({ code, errors: findings.filter(({ severity }) => severity === 'error') }).toEqual({ code: 0, errors: [] })
  }
})

test('CFG-02 one trusted issuer whose bindings overlap is refused, in shadow and suspended, too', async () => {
  const one = bindingFor('payments', ['api', 'web'], 'mine')
  for (const more of [{}, { mode: 'shadow' }, { suspended: true }]) {
    const two = { ...bindingFor('payments', ['web', 'job'], 'yours'), ...more }
    const document = documentFor(ISSUER, { identities: IDENTITIES, bindings: { one, two } })

    await expectErrors(document, ['/bindings/two bindings_overlap'])
  }
})

test('CFG-02 a document with two entries for one issuer leaves the last good one in force', async () => {
  const scene = await openScene()
  onTestFinished(() => scene.close())
  const { issuer } = scene.cluster
  const again = { provider: 'kubernetes', issuers: [issuer] }

  await scene.broker.replaceDocument(
    documentFor(issuer, { trusted_issuers: { cluster: again, again }, identities: { 'payments/api': {} } }),
  )

  const { record } = expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  expect(record?.scope).toBe('entries:read')
})
