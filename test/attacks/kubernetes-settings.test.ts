/** Attacks on what a document says of clusters and their workloads: the K8S rows that are decided before any proof comes. */

import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { generateStandInKey, type StandInKey } from '../../providers/kit/stand-in-keys.ts'
import { type KubernetesStandIn, startKubernetesStandIn } from '../../providers/kubernetes/stand-in/stand-in.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { expectAccepted, expectErrors } from '../support/expect-check.ts'
import { openScene, POD } from '../support/scene.ts'

const IN_CLUSTER = 'https://kubernetes.default.svc.cluster.local'
const PUBLIC = 'https://oidc.eks.us-east-1.amazonaws.com/id/2F331C82755EF3E43731C8D6E299FAEF'

let one: StandInKey
let other: StandInKey
beforeAll(async () => {
  one = await generateStandInKey('ES256')
  other = await generateStandInKey('ES256')
})

const inline = (...keys: readonly StandInKey[]) => ({ from: 'inline', jwks: { keys: keys.map(({ jwk }) => jwk) } })

/** A document that trusts these issuers and binds nothing. */
function trusting(issuers: Readonly<Record<string, object>>): object {
  const trusted = Object.entries(issuers).map(([name, more]) => [name, { provider: 'kubernetes', ...more }])
  return documentFor('', { trusted_issuers: Object.fromEntries(trusted), bindings: {} })
}

describe('an issuer that every cluster has', () => {
  test.each([
    'https://kubernetes.default.svc',
    'https://kubernetes.default.svc/',
    'https://kubernetes.default.svc:6443',
    'https://kubernetes.default',
    'https://kubernetes',
    IN_CLUSTER,
    `${IN_CLUSTER}/`,
    `${IN_CLUSTER}:6443`,
    'https://kubernetes.default.svc.corp.example',
  ])('K8S-09 refuses %s with keys by discovery', async (issuer) => {
    const { hostname } = new URL(issuer)
    const refused = ['/trusted_issuers/edge/issuers/0 issuer_refused']

    await expectErrors(trusting({ edge: { issuers: [issuer] } }), refused)
    await expectErrors(trusting({ edge: { issuers: [issuer], keys: { from: 'discovery' } } }), refused)
    await expectErrors(trusting({ edge: { issuers: [issuer], private_hosts: [hostname] } }), refused)
    await expectErrors(trusting({ edge: { issuers: [issuer], private_hosts: [hostname], ca_file: 'ca.pem' } }), refused)
  })

  test.each([`${IN_CLUSTER}//`, `${IN_CLUSTER}/oidc`, `${IN_CLUSTER}./`, 'https://kubernetes.default.svc/id/1'])(
    'K8S-09 refuses another spelling of it (%s) with keys by discovery, whatever the document says of the host',
    async (issuer) => {
      const hosts = ['kubernetes.default.svc', 'kubernetes.default.svc.cluster.local']

      await expectErrors(trusting({ edge: { issuers: [issuer], private_hosts: hosts } }), [
        '/trusted_issuers/edge/issuers/0 issuer_refused',
      ])
    },
  )

  test('K8S-09 takes it with the keys inline, or by a URL that is another cluster’s to nobody', async () => {
    await expectAccepted(trusting({ edge: { issuers: [IN_CLUSTER], keys: inline(one) } }))
    const url = 'https://keys.corp.example/edge.json'
    await expectAccepted(trusting({ edge: { issuers: [IN_CLUSTER], keys: { from: 'url', url } } }))
  })

  test('K8S-09 refuses the same issuer twice in one list', async () => {
    const document = trusting({ edge: { issuers: [IN_CLUSTER, IN_CLUSTER], keys: inline(one) } })

    await expectErrors(document, ['/trusted_issuers/edge/issuers/1 issuer_refused'])
  })
})

describe('an issuer that two trusted issuers name', () => {
  const SHARED = ['/trusted_issuers/b issuer_shared']
  const url = 'https://keys.corp.example/b.json'

  test('K8S-09 refuses a common kid', async () => {
    const twin = { ...other, jwk: { ...other.jwk, kid: one.keyId } }
    const pairs = [
      [inline(one), inline(one)],
      [inline(one), inline(other, one)],
      [inline(one), inline(twin)],
    ]

    for (const [a, b] of pairs) {
      const document = trusting({
        a: { issuers: [IN_CLUSTER], keys: a },
        b: { issuers: [PUBLIC, IN_CLUSTER], keys: b },
      })
      const [finding] = await expectErrors(document, SHARED)
      expect(finding?.message).toContain(one.keyId)
    }
  })

  test('K8S-09 refuses keys that are not written in the document, on either side', async () => {
    const discovered = { from: 'discovery' }
    const fetched = { from: 'url', url }
    const pairs = [
      [discovered, discovered],
      [discovered, inline(one)],
      [inline(one), discovered],
      [inline(one), fetched],
      [fetched, inline(one)],
      [fetched, fetched],
    ]

    for (const [a, b] of pairs) {
      await expectErrors(trusting({ a: { issuers: [PUBLIC], keys: a }, b: { issuers: [PUBLIC], keys: b } }), SHARED)
    }
  })

  test('K8S-09 takes two clusters whose kids differ', async () => {
    const a = { issuers: [IN_CLUSTER], keys: inline(one) }
    const b = { issuers: [IN_CLUSTER], keys: inline(other) }

    await expectAccepted(trusting({ a, b }))
  })
})

/** Two clusters that call themselves the same, each with a `payments/api` of its own that is another identity. */
async function openTwins() {
  const twin = await startTwin()
  const scene = await openScene({
    cluster: { issuer: IN_CLUSTER },
    document: ({ jwks }) => {
      const entry = (keys: object) => ({
        provider: 'kubernetes',
        issuers: [IN_CLUSTER],
        keys: { from: 'inline', ...keys },
      })
      return documentFor(IN_CLUSTER, {
        trusted_issuers: { east: entry({ jwks }), west: entry({ jwks: twin.jwks }) },
        identities: { 'east/api': { grants: { ledger: [] } }, 'west/api': { grants: { ledger: [] } } },
        bindings: {
          east: { ...bindingFor('payments', 'api', 'east/api'), trusted_issuer: 'east' },
          west: { ...bindingFor('payments', 'api', 'west/api'), trusted_issuer: 'west' },
        },
      })
    },
  })
  onTestFinished(async () => {
    await scene.close()
    await twin.close()
  })
  return { scene, twin, now: scene.clock.now }
}

async function startTwin(): Promise<KubernetesStandIn> {
  const now = () => 1_768_478_400
  const twin = await startKubernetesStandIn({ now, issuer: IN_CLUSTER })
  twin.createServiceAccount('payments', 'api')
  twin.createPod('payments', 'api-1', 'api')
  return twin
}

test('K8S-09 clusters of one issuer are told apart by their keys, and neither speaks for the other', async () => {
  const { scene, twin } = await openTwins()
  const { broker, cluster } = scene
  const unknown = await cluster.sign(cluster.claimsFor(POD), { kid: 'nobody' })
  const borrowed = await cluster.sign(cluster.claimsFor(POD), { kid: twin.key.keyId })
  const unnamed = await cluster.sign(cluster.claimsFor(POD), { kid: undefined })

  const east = expectIssued(broker, await broker.exchange(await scene.proof()))
  const west = expectIssued(broker, await broker.exchange(await twin.requestToken(POD)))

  expect(east.record).toMatchObject({ trusted_issuer: 'east', identity: 'east/api' })
  expect(west.record).toMatchObject({ trusted_issuer: 'west', identity: 'west/api' })
  expectProofRefused(broker, await broker.exchange(borrowed), 'signature_invalid')
  expectProofRefused(broker, await broker.exchange(unknown), 'key_unknown')
  expectProofRefused(broker, await broker.exchange(unnamed), 'key_unknown')
})

const pinnedTo = (match: object) =>
  documentFor(PUBLIC, { bindings: { weak: { trusted_issuer: 'cluster', match, identity: 'payments/api' } } })

const NS = 'kubernetes.namespace'
const ACCOUNT = 'kubernetes.service_account'

test.each([
  [{ 'kubernetes.pod_name': 'api-1' }],
  [{ 'kubernetes.node_name': 'node-1' }],
  [{ 'kubernetes.pod_uid': '5e0bd49b', 'kubernetes.node_uid': '646e7c5e' }],
  [{ 'kubernetes.service_account_uid': '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798' }],
  [{ [NS]: 'payments', 'kubernetes.pod_name': 'api-1' }],
  [{ [ACCOUNT]: 'api', 'kubernetes.pod_name': 'api-1' }],
])('K8S-17 refuses a binding that does not fix namespace and account: %j', async (match) => {
  await expectErrors(pinnedTo(match), ['/bindings/weak/match pin_missing'])
})

test('K8S-17 refuses a binding on any namespace and any account', async () => {
  await expectErrors(pinnedTo({ [NS]: '*', [ACCOUNT]: '*' }), [
    '/bindings/weak/match/kubernetes.namespace prefix_malformed',
    '/bindings/weak/match/kubernetes.service_account prefix_malformed',
  ])
  await expectErrors(pinnedTo({ [NS]: '*', [ACCOUNT]: 'api' }), [
    '/bindings/weak/match/kubernetes.namespace prefix_malformed',
  ])
  await expectErrors(pinnedTo({ [NS]: 'payments', [ACCOUNT]: '*' }), [
    '/bindings/weak/match/kubernetes.service_account prefix_malformed',
  ])
})

const UNSEPARATED: readonly (string | readonly string[])[] = [
  'prod*',
  '*',
  '**',
  '*-x',
  'prod-*-x',
  'prod-**',
  '-prod*',
  'p*d',
  '*prod-*',
  '-*',
  '.*',
  'prod-*\n',
  ['prod-*', 'stage'],
  ['prod', 'prod-*'],
  ['prod-*', 'stage-*'],
]

test.each(UNSEPARATED.map((value) => ({ value })))('K8S-18 refuses the prefix $value', async ({ value }) => {
  await expectErrors(pinnedTo({ [NS]: value, [ACCOUNT]: 'api' }), [
    '/bindings/weak/match/kubernetes.namespace prefix_malformed',
  ])
})

test.each(['prod-?', 'prod-[a-z]', 'prod-.+', '^prod$', '%', 'Prod', ' prod', 'prod ', '', 'pro/*', 'prod.*'])(
  'K8S-18 refuses %j, which no namespace can be or begin with',
  async (value) => {
    await expectErrors(pinnedTo({ [NS]: value, [ACCOUNT]: 'api' }), [
      '/bindings/weak/match/kubernetes.namespace value_impossible',
    ])
  },
)

test('K8S-18 refuses two prefixes in one binding, and a prefix of what has none', async () => {
  await expectErrors(pinnedTo({ [NS]: 'prod-*', [ACCOUNT]: 'api-*' }), ['/bindings/weak/match prefix_repeated'])
  for (const name of ['service_account_uid', 'pod_name', 'pod_uid', 'node_name', 'node_uid']) {
    const match = { [NS]: 'prod', [ACCOUNT]: 'api', [`kubernetes.${name}`]: 'a-*' }
    await expectErrors(pinnedTo(match), [`/bindings/weak/match/kubernetes.${name} prefix_not_allowed`])
  }
})

test('K8S-18 takes one prefix that ends with its separator', async () => {
  await expectAccepted(pinnedTo({ [NS]: 'prod-*', [ACCOUNT]: 'api' }))
  await expectAccepted(pinnedTo({ [NS]: ['prod', 'stage'], [ACCOUNT]: 'api.*' }))
})

test('K8S-17 a document that is refused changes nothing', async () => {
  const scene = await openScene()
  onTestFinished(() => scene.close())
  const before = expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))

  await scene.broker.replaceDocument(pinnedTo({ 'kubernetes.pod_name': 'api-1' }))

  const after = expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  expect(after.record?.document).toBe(before.record?.document)
  expect(scene.broker.logs().map(({ msg }) => msg)).toContain('document refused')
})
