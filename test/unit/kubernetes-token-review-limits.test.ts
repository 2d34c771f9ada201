/** How many reviews are under way at once, how many answers are kept, and what none of them tells. */

import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { ProofError } from '../../providers/contract/errors.ts'
import type { HttpClient, UpstreamResponse } from '../../providers/kit/http.ts'
import type { ServiceAccountClaims } from '../../providers/kubernetes/claims.ts'
import { createTokenReviewer } from '../../providers/kubernetes/token-review.ts'
import { createTestClock } from '../support/clock.ts'
import { BROKER } from '../support/document.ts'
import { settled } from '../support/key-issuer.ts'
import { rejection } from '../support/rejection.ts'

const CLAIMS: ServiceAccountClaims = {
  subject: 'system:serviceaccount:payments:api',
  tokenId: undefined,
  namespace: 'payments',
  serviceAccount: { name: 'api', uid: 'uid-of-api' },
  pod: undefined,
  node: undefined,
}
const USER = { username: CLAIMS.subject, uid: CLAIMS.serviceAccount.uid }
const LIVE = { kind: 'TokenReview', status: { authenticated: true, audiences: [BROKER], user: USER } }
const CREDENTIAL = 'reviewer-credential-0000000'

/** A reviewer whose cluster answers when it is let, and at once while it is not held. */
function createHeldReviewer() {
  const clock = createTestClock()
  const state: { status: number; asked: number; gate: PromiseWithResolvers<void> | undefined } = {
    status: 201,
    asked: 0,
    gate: undefined,
  }
  const http: HttpClient = {
    async send(): Promise<UpstreamResponse> {
      state.asked++
      await state.gate?.promise
      return { status: state.status, headers: {}, body: Buffer.from(JSON.stringify(LIVE)) }
    },
  }
  const reviewer = createTokenReviewer({
    apiServer: 'https://api.example',
    http: async () => http,
    readCredential: async () => CREDENTIAL,
    now: clock.now,
  })
  return { clock, state, review: (proof: string) => reviewer.review(proof, BROKER, CLAIMS) }
}

const names = (count: number, name = 'proof'): readonly string[] =>
  Array.from({ length: count }, (_, at) => `${name}-${at}`)

test('asks for 64 reviews at a time, and tells one more that it is busy', async () => {
  const { state, review } = createHeldReviewer()
  state.gate = Promise.withResolvers<void>()
  const first = names(64).map(review)
  await settled()

  expect((await rejection(review('one-more'))).code).toBe('upstream_busy')
  expect(state.asked).toBe(64)
  const shared = review('proof-7')
  state.gate.resolve()

  await Promise.all([...first, shared])
  await expect(review('one-more')).resolves.toBeUndefined()
})

test('makes room again, however a review ended', async () => {
  const { state, review } = createHeldReviewer()
  state.status = 503

  for (let round = 0; round < 3; round++) {
    const outcomes = await Promise.all(names(64, `round-${round}`).map((proof) => rejection(review(proof))))
    expect(new Set(outcomes.map(({ code }) => code))).toEqual(new Set(['upstream_status']))
  }

  expect(state.asked).toBe(3 * 64)
})

test('keeps ten thousand answers, and forgets the oldest for one more', async () => {
  const { state, review } = createHeldReviewer()
  for (const proof of names(10_000)) await review(proof)
  await review('proof-0')
  expect(state.asked).toBe(10_000)

  await review('one-more')
  await review('proof-1')
  expect(state.asked).toBe(10_001)
  await review('proof-0')

  expect(state.asked).toBe(10_002)
})

test('keeps what is still believed while it forgets what is not', async () => {
  const { clock, state, review } = createHeldReviewer()
  for (const proof of names(3)) {
    await review(proof)
    clock.advance(4)
  }

  await review('one-more')
  await review('proof-1')
  await review('proof-2')
  expect(state.asked).toBe(4)
  await review('proof-0')

  expect(state.asked).toBe(5)
})

test('a review that fails late takes nothing away from one that was asked for since', async () => {
  const { clock, state, review } = createHeldReviewer()
  const gate = Promise.withResolvers<void>()
  state.gate = gate
  const late = rejection(review('proof'))
  await settled()
  clock.advance(10)
  state.gate = undefined
  await review('proof')

  gate.reject(new ProofError('upstream_timeout', 'late'))
  expect((await late).code).toBe('upstream_timeout')
  await review('proof')

  expect(state.asked).toBe(2)
})

test('an error tells nothing of the proof and the credential', async () => {
  const { state, review } = createHeldReviewer()
  const proof = 'a-proof-that-nobody-shall-see-0000'
  state.status = 403

  const shown = inspect(await rejection(review(proof)), { depth: null, showHidden: true })

  expect(shown).not.toContain(proof)
  expect(shown).not.toContain(CREDENTIAL)
})
