/** What is asked of a cluster about a token, what its answer must say, and how long that is believed. */

import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { createHttpClient, type HttpClient } from '../../providers/kit/http.ts'
import { type StandInAnswer, type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import type { ServiceAccountClaims } from '../../providers/kubernetes/claims.ts'
import {
  createTokenReviewer,
  REVIEW_BELIEVED_SECONDS,
  type TokenReviewer,
} from '../../providers/kubernetes/token-review.ts'
import { createTestClock, type TestClock } from '../support/clock.ts'
import { BROKER } from '../support/document.ts'
import { createTestEgress } from '../support/provider-ports.ts'
import { rejection } from '../support/rejection.ts'

const PROOF = 'the.proof.of-a-workload-0000000000'
const CLAIMS: ServiceAccountClaims = {
  subject: 'system:serviceaccount:payments:api',
  tokenId: 'one',
  namespace: 'payments',
  serviceAccount: { name: 'api', uid: 'uid-of-api' },
  pod: { name: 'api-1', uid: 'uid-of-pod' },
  node: { name: 'node-1', uid: 'uid-of-node' },
}
const EXTRA = {
  'authentication.kubernetes.io/credential-id': ['JTI=one'],
  'authentication.kubernetes.io/pod-name': ['api-1'],
  'authentication.kubernetes.io/pod-uid': ['uid-of-pod'],
  'authentication.kubernetes.io/node-name': ['node-1'],
  'authentication.kubernetes.io/node-uid': ['uid-of-node'],
}
const USER = { username: CLAIMS.subject, uid: CLAIMS.serviceAccount.uid, groups: ['x'], extra: EXTRA }
const STATUS = { authenticated: true, audiences: [BROKER], user: USER }

let answer: StandInAnswer | (() => Promise<StandInAnswer>)
const api: StandInServer = await startStandInServer({ route: () => (typeof answer === 'function' ? answer() : answer) })
let clock: TestClock
let credential: string | undefined

beforeEach(() => {
  api.recover()
  clock = createTestClock()
  credential = 'reviewer-credential-0000000\n'
  answer = reviewOf(STATUS)
})
afterAll(() => api.close())

function reviewOf(status: unknown, status201 = 201): StandInAnswer {
  return { status: status201, body: { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', status } }
}

function createReviewer(http?: HttpClient): TokenReviewer {
  const settings = { trustedIssuer: 'cluster', privateHosts: [], authorities: undefined }
  const egress = createTestEgress({ insecureHosts: [api.host] })
  const client = http ?? createHttpClient(settings, { egress, now: clock.now, observe: () => undefined })
  return createTokenReviewer({
    apiServer: api.origin,
    http: async () => client,
    readCredential: async () => credential ?? Promise.reject(new Error('gone')),
    now: clock.now,
  })
}

/** What a review comes to: `live`, or the code of the error. */
async function outcomeOf(
  claims: ServiceAccountClaims = CLAIMS,
  proof = PROOF,
  reviewer = createReviewer(),
): Promise<string> {
  const review = reviewer.review(proof, BROKER, claims)
  return await review.then(
    () => 'live',
    async () => (await rejection(review)).code,
  )
}

async function requestsDuring(act: () => Promise<unknown>): Promise<number> {
  const before = api.requests.length
  await act()
  return api.requests.length - before
}

describe('the question', () => {
  test('is about this token and our audience, and asked with the reviewer’s credential', async () => {
    expect(await outcomeOf()).toBe('live')

    const { method, path, headers, body } = api.requests.at(-1) ?? {}
    expect([method, path]).toEqual(['POST', '/apis/authentication.k8s.io/v1/tokenreviews'])
    expect(headers).toMatchObject({
      authorization: 'Bearer reviewer-credential-0000000',
      'content-type': 'application/json',
    })
    expect(JSON.parse(body ?? '')).toEqual({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token: PROOF, audiences: [BROKER] },
    })
  })
})

describe('the answer', () => {
  test.each([200, 201])('with the status %d stands by the token', async (status) => {
    answer = reviewOf(STATUS, status)

    expect(await outcomeOf()).toBe('live')
  })

  test.each([202, 204, 400, 401, 403, 404, 409, 429, 500, 503])('with the status %d is an outage', async (status) => {
    answer = reviewOf(STATUS, status)

    expect(await rejection(createReviewer().review(PROOF, BROKER, CLAIMS))).toMatchObject({
      code: 'upstream_status',
      facts: { status },
    })
  })

  test.each(['down', 'huge', 'redirecting', 'encoded', 'wrong'] as const)(
    'that is %s is an outage',
    async (failure) => {
      api.fail('*', failure)

      expect(await outcomeOf()).toMatch(/^upstream_/)
    },
  )

  test('may be 64 KiB large', async () => {
    const text = JSON.stringify(reviewOf(STATUS).body)
    answer = { status: 201, body: text.padEnd(65_536) }
    expect(await outcomeOf()).toBe('live')
    answer = { status: 201, body: text.padEnd(65_537) }

    expect(await outcomeOf()).toBe('upstream_too_large')
  })

  test.each([
    ['another kind', { status: 201, body: { kind: 'SubjectAccessReview', status: STATUS } }],
    ['no kind', { status: 201, body: { status: STATUS } }],
    ['no status', reviewOf(undefined)],
    ['a status in a list', reviewOf([STATUS])],
    ['members twice', { status: 201, body: '{"kind":"TokenReview","status":{},"status":{}}' }],
    ['text for authenticated', reviewOf({ ...STATUS, authenticated: 'true' })],
    ['one for authenticated', reviewOf({ ...STATUS, authenticated: 1 })],
    ['null for authenticated', reviewOf({ ...STATUS, authenticated: null })],
    ['no user', reviewOf({ ...STATUS, user: undefined })],
    ['a user in a list', reviewOf({ ...STATUS, user: [USER] })],
    ['extras in a list', reviewOf({ ...STATUS, user: { ...USER, extra: [EXTRA] } })],
    ['null for extras', reviewOf({ ...STATUS, user: { ...USER, extra: null } })],
    ['an extra that is no list', reviewOf(withExtra({ 'pod-name': 'api-1' }))],
  ])('with %s is no review', async (_, unreadable) => {
    answer = unreadable

    expect(await outcomeOf()).toBe('upstream_malformed')
  })

  test.each([
    {},
    { authenticated: false },
    { user: {}, error: 'invalid bearer token' },
    { ...STATUS, authenticated: false },
  ])('that does not stand by the token refuses it: %j', async (status) => {
    answer = reviewOf(status)

    expect(await outcomeOf()).toBe('subject_not_live')
  })

  test.each([
    ['an error', { ...STATUS, error: 'expired' }],
    ['null for an error', { ...STATUS, error: null }],
    ['no audiences', { ...STATUS, audiences: undefined }],
    ['an empty list of audiences', { ...STATUS, audiences: [] }],
    ['another audience', { ...STATUS, audiences: ['vault'] }],
    ['one audience more', { ...STATUS, audiences: [BROKER, 'vault'] }],
    ['our audience twice', { ...STATUS, audiences: [BROKER, BROKER] }],
    ['our audience outside of a list', { ...STATUS, audiences: BROKER }],
    ['another account', { ...STATUS, user: { ...USER, username: 'system:serviceaccount:payments:other' } }],
    ['no account', { ...STATUS, user: { ...USER, username: undefined } }],
    ['another uid', { ...STATUS, user: { ...USER, uid: 'another' } }],
    ['no uid', { ...STATUS, user: { ...USER, uid: undefined } }],
    ['another token', withExtra({ 'credential-id': ['JTI=two'] })],
    ['the token without its prefix', withExtra({ 'credential-id': ['one'] })],
    ['another pod', withExtra({ 'pod-name': ['api-2'] })],
    ['another pod of the same name', withExtra({ 'pod-uid': ['another'] })],
    ['two pods', withExtra({ 'pod-name': ['api-1', 'api-2'] })],
    ['no pod in the list', withExtra({ 'pod-uid': [] })],
    ['another node', withExtra({ 'node-name': ['node-2'] })],
    ['another node of the same name', withExtra({ 'node-uid': ['another'] })],
  ])('with %s is about something else', async (_, status) => {
    answer = reviewOf(status)

    expect(await outcomeOf()).toBe('review_mismatch')
  })

  test('may come with an empty error, and from an older cluster without extras', async () => {
    for (const status of [
      { ...STATUS, error: '' },
      { ...STATUS, user: { ...USER, extra: undefined } },
      withoutExtras(),
    ]) {
      answer = reviewOf(status)
      expect(await outcomeOf()).toBe('live')
    }
  })

  test('names no pod where the token names none', async () => {
    const unbound = { ...CLAIMS, pod: undefined }
    answer = reviewOf(withExtra({ 'pod-uid': undefined }))
    expect(await outcomeOf(unbound)).toBe('review_mismatch')
    answer = reviewOf(withExtra({ 'pod-name': undefined }))
    expect(await outcomeOf(unbound)).toBe('review_mismatch')
    answer = reviewOf(withExtra({ 'pod-name': undefined, 'pod-uid': undefined }))

    expect(await outcomeOf(unbound)).toBe('live')
    expect(await outcomeOf({ ...unbound, node: undefined, tokenId: undefined })).toBe('review_mismatch')
  })

  function withExtra(extra: Readonly<Record<string, unknown>>): object {
    const named = Object.entries(extra).map(([name, value]) => [`authentication.kubernetes.io/${name}`, value])
    return { ...STATUS, user: { ...USER, extra: { ...EXTRA, ...Object.fromEntries(named) } } }
  }

  function withoutExtras(): object {
    return { ...STATUS, user: { ...USER, extra: {} } }
  }
})

describe('an answer that was given', () => {
  test.each([
    ['live', STATUS, {}],
    ['subject_not_live', {}, STATUS],
    ['review_mismatch', { ...STATUS, audiences: ['vault'] }, STATUS],
  ])('is believed for less than ten seconds where it was: %s', async (outcome, status, later) => {
    answer = reviewOf(status)
    const reviewer = createReviewer()
    expect(await outcomeOf(CLAIMS, PROOF, reviewer)).toBe(outcome)
    answer = reviewOf(later)

    clock.advance(9)
    expect(await requestsDuring(async () => expect(await outcomeOf(CLAIMS, PROOF, reviewer)).toBe(outcome))).toBe(0)
    clock.advance(1)
    expect(await outcomeOf(CLAIMS, PROOF, reviewer)).not.toBe(outcome)
    expect(REVIEW_BELIEVED_SECONDS).toBe(10)
  })

  test('is not believed where the clock was set back', async () => {
    const reviewer = createReviewer()
    await outcomeOf(CLAIMS, PROOF, reviewer)
    answer = reviewOf({})

    clock.advance(-1)

    expect(await outcomeOf(CLAIMS, PROOF, reviewer)).toBe('subject_not_live')
  })

  test('is about one token alone', async () => {
    const reviewer = createReviewer()
    await outcomeOf(CLAIMS, PROOF, reviewer)
    answer = reviewOf({})

    expect(await outcomeOf(CLAIMS, `${PROOF}1`, reviewer)).toBe('subject_not_live')
    expect(await outcomeOf(CLAIMS, PROOF, reviewer)).toBe('live')
  })

  test('is shared by all who ask meanwhile', async () => {
    const reviewer = createReviewer()

    const asked = await requestsDuring(() =>
      Promise.all(Array.from({ length: 50 }, () => reviewer.review(PROOF, BROKER, CLAIMS))),
    )

    expect(asked).toBe(1)
  })

  test('is not kept where it was an outage', async () => {
    const reviewer = createReviewer()
    api.fail('*', { status: 503 })
    expect(await outcomeOf(CLAIMS, PROOF, reviewer)).toBe('upstream_status')
    api.recover()
    expect(await outcomeOf(CLAIMS, PROOF, reviewer)).toBe('live')
    clock.advance(10)
    credential = undefined
    await expect(reviewer.review(PROOF, BROKER, CLAIMS)).rejects.toThrow('gone')
    credential = 'again'

    expect(await outcomeOf(CLAIMS, PROOF, reviewer)).toBe('live')
  })
})
