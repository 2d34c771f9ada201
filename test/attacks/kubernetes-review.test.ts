/** Attacks on the token review: what its answer is worth, and what happens without one. */

import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { expectIssued, expectProofRefused, expectRefusal } from '../support/answers.ts'
import type { Reply } from '../support/broker.ts'
import { BROKER } from '../support/document.ts'
import { openReviewScene, REVIEW_PATH, type ReviewScene } from '../support/review.ts'

let scene: ReviewScene
beforeAll(async () => {
  scene = await openReviewScene()
})
afterEach(() => scene.cluster.recover())
afterAll(() => scene.close())

type Members = Readonly<Record<string, unknown>>

/** A new token of the pod, and what the cluster would say of it, with other members. Undefined removes one. */
async function reviewed(bend: (status: Members, user: Members) => Members): Promise<string> {
  const proof = await scene.proof()
  const claims = decodeJwt<{ 'kubernetes.io': Record<'pod' | 'node' | 'serviceaccount', Record<string, string>> }>(
    proof,
  )
  const { pod, node, serviceaccount } = claims['kubernetes.io']
  const extra = {
    'authentication.kubernetes.io/credential-id': [`JTI=${claims.jti}`],
    'authentication.kubernetes.io/pod-name': [pod.name],
    'authentication.kubernetes.io/pod-uid': [pod.uid],
    'authentication.kubernetes.io/node-name': [node.name],
    'authentication.kubernetes.io/node-uid': [node.uid],
  }
  const user = { username: claims.sub, uid: serviceaccount.uid, groups: [], extra }
  const status = bend({ authenticated: true, audiences: [BROKER], user }, user)
  scene.cluster.fail(REVIEW_PATH, {
    status: 201,
    body: { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', status },
  })
  return proof
}

function expectLive(reply: Reply, live: boolean): void {
  const { token } = expectIssued(scene.broker, reply)
  expect(decodeJwt(token)).toMatchObject({ proof: { live } })
}

test('K8S-11 a token of a pod that the cluster stands by is told to be live', async () => {
  const proof = await scene.proof()

  expectLive(await scene.broker.exchange(proof), true)
  const review = scene.cluster.requests.at(-1)
  expect(review).toMatchObject({
    path: REVIEW_PATH,
    method: 'POST',
    headers: { authorization: `Bearer ${scene.cluster.reviewerToken}` },
  })
  expect(JSON.parse(review?.body ?? '')).toMatchObject({ spec: { token: proof, audiences: [BROKER] } })
})

test('K8S-11 refuses the token of a deleted pod, and of one of the same name', async () => {
  const orphan = await scene.proof()
  scene.cluster.deletePod('payments', 'api-1')

  expectProofRefused(scene.broker, await scene.broker.exchange(orphan), 'subject_not_live')
  scene.cluster.createPod('payments', 'api-1', 'api')
  scene.clock.advance(10)
  expectProofRefused(scene.broker, await scene.broker.exchange(orphan), 'subject_not_live')
  expectLive(await scene.broker.exchange(await scene.proof()), true)
})

test('K8S-11 believes a review for less than ten seconds', async () => {
  const proof = await scene.proof()
  expectLive(await scene.broker.exchange(proof), true)
  const before = scene.countReviews()
  scene.cluster.deletePod('payments', 'api-1')

  scene.clock.advance(9)
  expectLive(await scene.broker.exchange(proof), true)
  expect(scene.countReviews()).toBe(before)
  scene.clock.advance(1)
  expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'subject_not_live')
  expect(scene.countReviews()).toBe(before + 1)
  scene.cluster.createPod('payments', 'api-1', 'api')
})

test('K8S-11 a clock that was set back does not prolong a review', async () => {
  const proof = await scene.proof()
  expectLive(await scene.broker.exchange(proof), true)
  scene.cluster.deletePod('payments', 'api-1')

  scene.clock.advance(-30)
  expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'subject_not_live')
  scene.clock.advance(30)
  scene.cluster.createPod('payments', 'api-1', 'api')
})

test('K8S-11 a review is about one token: another of the same pod has its own', async () => {
  const [one, other] = [await scene.proof(), await scene.proof()]
  const before = scene.countReviews()

  expectLive(await scene.broker.exchange(one), true)
  expectLive(await scene.broker.exchange(other), true)
  expect(scene.countReviews()).toBe(before + 2)
})

test('K8S-10 refuses the token of an account that was deleted, and created again', async () => {
  const old = await scene.proof()
  scene.cluster.deleteServiceAccount('payments', 'api')

  expectProofRefused(scene.broker, await scene.broker.exchange(old), 'subject_not_live')
  scene.cluster.createServiceAccount('payments', 'api')
  scene.clock.advance(10)
  expectProofRefused(scene.broker, await scene.broker.exchange(old), 'subject_not_live')
  expectLive(await scene.broker.exchange(await scene.proof()), true)
})

const UID = '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798'
const extraOf = (user: Members, name: string, value: unknown): Members => ({
  ...user,
  extra: { ...(user.extra as Members), [`authentication.kubernetes.io/${name}`]: value },
})

const MISMATCHES: readonly (readonly [string, (status: Members, user: Members) => Members])[] = [
  ['an error beside a success', (status) => ({ ...status, error: 'token has expired' })],
  ['an error that is no text', (status) => ({ ...status, error: { code: 1 } })],
  ['a user', (status, user) => ({ ...status, user: { ...user, username: 'alice' } })],
  ['a node', (status, user) => ({ ...status, user: { ...user, username: 'system:node:node-1' } })],
  [
    'a name in another case',
    (status, user) => ({ ...status, user: { ...user, username: String(user.username).toUpperCase() } }),
  ],
  ['no name', (status, user) => ({ ...status, user: { ...user, username: undefined } })],
  ['a name in a list', (status, user) => ({ ...status, user: { ...user, username: [user.username] } })],
  ['another account’s uid', (status, user) => ({ ...status, user: { ...user, uid: UID } })],
  ['no uid', (status, user) => ({ ...status, user: { ...user, uid: undefined } })],
  ['another pod', (status, user) => ({ ...status, user: extraOf(user, 'pod-name', ['api-2']) })],
  ['another pod’s uid', (status, user) => ({ ...status, user: extraOf(user, 'pod-uid', [UID]) })],
  ['two pods', (status, user) => ({ ...status, user: extraOf(user, 'pod-name', ['api-1', 'api-2']) })],
  ['no pod in the list', (status, user) => ({ ...status, user: extraOf(user, 'pod-name', []) })],
  ['another node', (status, user) => ({ ...status, user: extraOf(user, 'node-name', ['node-2']) })],
  ['another node’s uid', (status, user) => ({ ...status, user: extraOf(user, 'node-uid', [UID]) })],
  ['another token', (status, user) => ({ ...status, user: extraOf(user, 'credential-id', [`JTI=${UID}`]) })],
  ['no audiences', (status) => ({ ...status, audiences: undefined })],
  ['an empty list of audiences', (status) => ({ ...status, audiences: [] })],
  ['the API server’s audience', (status) => ({ ...status, audiences: ['https://kubernetes.default.svc'] })],
  ['an audience beside ours', (status) => ({ ...status, audiences: [BROKER, 'vault'] })],
  ['our audience as text', (status) => ({ ...status, audiences: BROKER })],
]

test.each(MISMATCHES)('K8S-13 refuses a proof whose review names %s', async (_, bend) => {
  const proof = await reviewed(bend)

  expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'review_mismatch')
})

test('K8S-13 the same answer unbent is taken, and so is one of an older cluster, without extras', async () => {
  expectLive(await scene.broker.exchange(await reviewed((status) => status)), true)
  const older = await reviewed((status, user) => ({ ...status, user: { ...user, extra: undefined } }))
  expectLive(await scene.broker.exchange(older), true)
})

test('K8S-13 refuses a review that names a pod where the token names none', async () => {
  const proof = await scene.proof({ pod: undefined })
  const status = { authenticated: true, audiences: [BROKER], user: {} }
  const uid = scene.cluster.serviceAccount('payments', 'api')?.uid
  const user = extraOf({ username: 'system:serviceaccount:payments:api', uid, extra: {} }, 'pod-name', ['api-1'])
  scene.cluster.fail(REVIEW_PATH, { status: 201, body: { kind: 'TokenReview', status: { ...status, user } } })

  expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'review_mismatch')
})

test.each([false, undefined])('K8S-13 refuses a proof that was not authenticated (%s)', async (authenticated) => {
  const proof = await reviewed((status) => ({ ...status, authenticated }))

  expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'subject_not_live')
})

const UNREADABLE: readonly (readonly [string, (status: Members, user: Members) => Members])[] = [
  ['authenticated as text', (status) => ({ ...status, authenticated: 'true' })],
  ['authenticated as a number', (status) => ({ ...status, authenticated: 1 })],
  ['authenticated as null', (status) => ({ ...status, authenticated: null })],
  ['no user', (status) => ({ ...status, user: undefined })],
  ['a user in a list', (status, user) => ({ ...status, user: [user] })],
  ['extras in a list', (status, user) => ({ ...status, user: { ...user, extra: [] } })],
  ['a pod as text', (status, user) => ({ ...status, user: extraOf(user, 'pod-name', 'api-1') })],
]

test.each(UNREADABLE)('K8S-13 gives no token for a review with %s', async (_, bend) => {
  const proof = await reviewed(bend)

  expectRefusal(scene.broker, await scene.broker.exchange(proof), 'TU', 'upstream_malformed')
})
