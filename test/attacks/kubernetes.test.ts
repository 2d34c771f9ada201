/** Attacks with service-account tokens: the K8S rows of the catalogue that need no token review. */

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { BROKER, bindingFor, documentFor } from '../support/document.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene.close())

const DAY = 86_400
const UID = '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798'

type Members = Readonly<Record<string, unknown>>

/** A token of the pod, under the cluster's own signature, whose private claims are others. Undefined removes a member. */
function forgeWorkload(privateClaims: Members, claims: Members = {}): Promise<string> {
  const genuine = scene.cluster.claimsFor(POD)['kubernetes.io'] as Members
  return scene.forge({ 'kubernetes.io': { ...genuine, ...privateClaims }, ...claims })
}

test('a genuine token gets one for its identity', async () => {
  const reply = await scene.broker.exchange(await scene.proof())

  const { record } = expectIssued(scene.broker, reply)
  expect(record).toMatchObject({ identity: 'payments/api', binding: 'payments-api', audience: 'ledger' })
})

test('K8S-01 refuses a legacy token of a Secret', async () => {
  const legacy = await scene.cluster.sign({
    iss: 'kubernetes/serviceaccount',
    'kubernetes.io/serviceaccount/namespace': 'payments',
    'kubernetes.io/serviceaccount/service-account.name': 'api',
    sub: 'system:serviceaccount:payments:api',
  })

  expectProofRefused(scene.broker, await scene.broker.exchange(legacy), 'issuer_not_trusted')
})

test('K8S-02 refuses a token for the API server', async () => {
  const forApi = await scene.proof({ audiences: [] })

  expectProofRefused(scene.broker, await scene.broker.exchange(forApi), 'audience_mismatch')
})

test('K8S-03 refuses the token that every pod has mounted', async () => {
  const mounted = await scene.proof({ audiences: [], expirationSeconds: 3_607 })
  const { exp = 0, iat = 0, 'kubernetes.io': claims } = decodeJwt(mounted)

  const reply = await scene.broker.exchange(mounted)

  expect({ lifetime: exp - iat, claims }).toMatchObject({ lifetime: 365 * DAY, claims: { warnafter: iat + 3_607 } })
  expectProofRefused(scene.broker, reply, 'audience_mismatch')
})

test('K8S-03 refuses a life of more than a day, and takes a day', async () => {
  const now = scene.clock.now()
  const aYear = await scene.forge({ exp: now + 365 * DAY })
  const aSecondMore = await scene.forge({ exp: now + DAY + 1 })
  const aDay = await scene.forge({ exp: now + DAY })

  expectProofRefused(scene.broker, await scene.broker.exchange(aYear), 'proof_lifetime_too_long')
  expectProofRefused(scene.broker, await scene.broker.exchange(aSecondMore), 'proof_lifetime_too_long')
  expectIssued(scene.broker, await scene.broker.exchange(aDay))
})

test.each([1_768_482_007, 0, null, 'never'])(
  'K8S-03 refuses a mark of the mounted token (warnafter %s)',
  async (mark) => {
    const marked = await forgeWorkload({ warnafter: mark })

    expectProofRefused(scene.broker, await scene.broker.exchange(marked), 'claim_forbidden')
  },
)

const FOREIGN = ['pods.eks.amazonaws.com', 'sts.amazonaws.com', 'api://AzureADTokenExchange', 'vault', 'https://iam.x']

test.each(FOREIGN)('K8S-05 refuses a token that the cluster made for %s', async (audience) => {
  const forAnother = await scene.proof({ audiences: [audience] })
  const forBoth = await scene.proof({ audiences: [BROKER, audience] })
  const forUsLast = await scene.proof({ audiences: [audience, BROKER] })

  expectProofRefused(scene.broker, await scene.broker.exchange(forAnother), 'audience_mismatch')
  expectProofRefused(scene.broker, await scene.broker.exchange(forBoth), 'audience_not_single')
  expectProofRefused(scene.broker, await scene.broker.exchange(forUsLast), 'audience_not_single')
})

const INCONSISTENT: readonly (readonly [string, Members, Members])[] = [
  ['another namespace', { namespace: 'billing' }, {}],
  ['another account', { serviceaccount: { name: 'worker', uid: UID } }, {}],
  ['another sub', {}, { sub: 'system:serviceaccount:payments:worker' }],
  ['a sub in another case', {}, { sub: 'system:serviceaccount:payments:API' }],
  ['a space after the sub', {}, { sub: 'system:serviceaccount:payments:api ' }],
  ['namespace and account exchanged', { namespace: 'api', serviceaccount: { name: 'payments', uid: UID } }, {}],
]

test.each(INCONSISTENT)('K8S-06 refuses a sub that differs from the private claims: %s', async (_, inner, outer) => {
  const forged = await forgeWorkload(inner, outer)

  expectProofRefused(scene.broker, await scene.broker.exchange(forged), 'claims_inconsistent')
})

const INCOMPLETE: readonly (readonly [string, Members, 'claim_missing' | 'claim_invalid'])[] = [
  ['no private claims', { 'kubernetes.io': undefined }, 'claim_missing'],
  ['private claims in a list', { 'kubernetes.io': [] }, 'claim_invalid'],
  ['private claims as text', { 'kubernetes.io': '{"namespace":"payments"}' }, 'claim_invalid'],
  ['no account', { 'kubernetes.io': { namespace: 'payments' } }, 'claim_missing'],
  [
    'no namespace',
    { 'kubernetes.io': { serviceaccount: { name: 'api', uid: UID } }, namespace: 'payments' },
    'claim_missing',
  ],
  [
    'no uid of the account',
    { 'kubernetes.io': { namespace: 'payments', serviceaccount: { name: 'api' } } },
    'claim_missing',
  ],
  ['no sub', { sub: undefined }, 'claim_missing'],
  ['a sub in a list', { sub: ['system:serviceaccount:payments:api'] }, 'claim_invalid'],
]

test.each(INCOMPLETE)('K8S-06 refuses %s', async (_, claims, reason) => {
  const forged = await scene.forge(claims)

  expectProofRefused(scene.broker, await scene.broker.exchange(forged), reason)
})

test.each([
  'system:serviceaccount:payments',
  'system:serviceaccount:payments:api:x',
  'system:serviceaccount:payments:',
  'system:serviceaccount::api',
  'system:serviceaccount:Payments:api',
  'SYSTEM:serviceaccount:payments:api',
  'system:node:x',
  'system:node:payments:api',
  'payments:api',
  'system:anonymous',
])('K8S-07 refuses the sub %s', async (sub) => {
  const forged = await scene.forge({ sub })

  expectProofRefused(scene.broker, await scene.broker.exchange(forged), 'claims_inconsistent')
})

const NO_NAMES: readonly (readonly [string, string])[] = [
  ['payments', 'api:x'],
  ['payments:api', 'x'],
  ['', 'api'],
  ['payments', ''],
  ['Payments', 'api'],
  ['payments', 'API'],
  ['payments\n', 'api'],
  ['payments ', 'api'],
  [' payments', 'api'],
  ['pay.ments', 'api'],
  ['pay_ments', 'api'],
  ['-payments', 'api'],
  ['payments-', 'api'],
  ['../payments', 'api'],
  ['payments\u0000', 'api'],
  ['p\u0430yments', 'api'],
  ['payments', 'ap\u0131'],
  ['*', 'api'],
  ['p'.repeat(64), 'api'],
  ['payments', 'a'.repeat(254)],
]

test.each(NO_NAMES)(
  'K8S-07 refuses names that no API server gives, although sub agrees: %j %j',
  async (ns, account) => {
    const forged = await forgeWorkload(
      { namespace: ns, serviceaccount: { name: account, uid: UID } },
      { sub: `system:serviceaccount:${ns}:${account}` },
    )

    expectProofRefused(scene.broker, await scene.broker.exchange(forged), 'claim_invalid')
  },
)

test.each([
  ['kubernetes.pod_name', { pod: { name: 'API 1', uid: UID } }],
  ['kubernetes.pod_uid', { pod: { name: 'api-1', uid: '../etc' } }],
  ['kubernetes.node_name', { node: { name: 'node_1', uid: UID } }],
  ['kubernetes.service_account_uid', { serviceaccount: { name: 'api', uid: 'a b' } }],
])('K8S-07 refuses a %s that is none', async (_, privateClaims) => {
  const forged = await forgeWorkload(privateClaims)

  expectProofRefused(scene.broker, await scene.broker.exchange(forged), 'claim_invalid')
})

const OTHER_BINDINGS: readonly (readonly [string, Members])[] = [
  ['a Secret', { secret: { name: 'api-token', uid: UID } }],
  ['a Secret beside a pod', { secret: { name: 'api-token', uid: UID }, pod: { name: 'api-1', uid: UID } }],
  ['a Secret that is null', { secret: null }],
  ['a validating webhook', { validatingwebhookconfiguration: { name: 'guard', uid: UID } }],
  ['a mutating webhook', { mutatingwebhookconfiguration: { name: 'guard', uid: UID } }],
]

test.each(OTHER_BINDINGS)('K8S-19 refuses a token bound to %s', async (_, privateClaims) => {
  const forged = await forgeWorkload({ pod: undefined, ...privateClaims })

  expectProofRefused(scene.broker, await scene.broker.exchange(forged), 'claim_forbidden')
})

test('K8S-10 an account that was created again is another one to a binding that pins the uid', async () => {
  const pinned = await openScene({ document: ({ issuer, serviceAccount }) => pin(issuer, serviceAccount) })
  onTestFinished(() => pinned.close())
  const { broker, cluster } = pinned
  const before = await pinned.proof({ pod: undefined })
  expectIssued(broker, await broker.exchange(before))

  cluster.deleteServiceAccount('payments', 'api')
  cluster.createServiceAccount('payments', 'api')
  const after = await pinned.proof({ pod: undefined })
  expectProofRefused(broker, await broker.exchange(after), 'binding_missing')

  await broker.replaceDocument(pin(cluster.issuer, cluster.serviceAccount))
  expectIssued(broker, await broker.exchange(after))
  expectProofRefused(broker, await broker.exchange(before), 'binding_missing')
})

function pin(issuer: string, serviceAccount: Scene['cluster']['serviceAccount']): object {
  const uid = serviceAccount('payments', 'api')?.uid
  const binding = bindingFor('payments', 'api', 'payments/api', { 'kubernetes.service_account_uid': uid })
  return documentFor(issuer, { bindings: { 'payments-api': binding } })
}

test('K8S-11 without a review, a deleted pod’s token is good until it expires, and the answer says so', async () => {
  const orphan = await scene.proof({ expirationSeconds: 600 })
  const { exp } = decodeJwt(orphan)
  scene.cluster.deletePod('payments', 'api-1')

  const { token } = expectIssued(scene.broker, await scene.broker.exchange(orphan))
  expect(decodeJwt(token)).toMatchObject({ exp, proof: { live: false, single_use: false } })

  scene.clock.advance(600)
  expectProofRefused(scene.broker, await scene.broker.exchange(orphan), 'proof_expired')
  scene.cluster.createPod('payments', 'api-1', 'api')
})

test('K8S-18 a name is matched whole, and a prefix to its separator', async () => {
  const bindings = {
    exact: bindingFor('prod', 'api', 'payments/api'),
    prefix: bindingFor('team-*', 'web', 'payments/api'),
  }
  const named = await openScene({ document: ({ issuer }) => documentFor(issuer, { bindings }) })
  onTestFinished(() => named.close())
  const exchange = async (namespace: string, serviceAccount: string) => {
    named.cluster.createServiceAccount(namespace, serviceAccount)
    return await named.broker.exchange(await named.proof({ namespace, serviceAccount, pod: undefined }))
  }
  const strangers = ['prod-evil', 'prodd', 'pro', 'evil-prod', 'prod1']

  expectIssued(named.broker, await exchange('prod', 'api'))
  for (const namespace of strangers)
    expectProofRefused(named.broker, await exchange(namespace, 'api'), 'binding_missing')
  for (const account of ['api-evil', 'evil-api', 'ap', 'api.evil'])
    expectProofRefused(named.broker, await exchange('prod', account), 'binding_missing')
  expectIssued(named.broker, await exchange('team-a', 'web'))
  for (const namespace of ['team', 'teams', 'team1', 'steam-a', 'x-team-a'])
    expectProofRefused(named.broker, await exchange(namespace, 'web'), 'binding_missing')
  expectProofRefused(named.broker, await exchange('team-a', 'api'), 'binding_missing')
})
