/** Asks the cluster itself whether a token still stands: its account, pod and binding exist at this moment. */

import { createHash } from 'node:crypto'
import { ProofError } from '../contract/errors.ts'
import type { NumericDate } from '../contract/proof.ts'
import { isJsonObject, type JsonObject, memberOf } from '../contract/strict-json.ts'
import type { HttpClient } from '../kit/http.ts'
import { parseObject } from '../kit/key-source.ts'
import type { ServiceAccountClaims } from './claims.ts'

/** How long an answer is believed, in seconds. The API server itself keeps one for as long. */
export const REVIEW_BELIEVED_SECONDS = 10

/** Largest answer, in bytes. Real ones stay below 4 KiB. */
const MAX_REVIEW_BYTES = 65_536

/** Reviews that one cluster is asked for at the same time, and answers kept. */
const MAX_IN_FLIGHT = 64
const MAX_KEPT = 10_000

export interface TokenReviewer {
  /**
   * Throws `subject_not_live` where the cluster no longer stands by the token, `review_mismatch` where its answer is about
   * another subject or audience, and an outage where it gives none.
   */
  review(proof: string, audience: string, claims: ServiceAccountClaims): Promise<void>
}

export interface TokenReviewPorts {
  readonly http: () => Promise<HttpClient>
  readonly apiServer: string
  readonly readCredential: () => Promise<string>
  readonly now: () => NumericDate
}

interface Answer {
  readonly askedAt: NumericDate
  /** The refusal, or undefined where the cluster stands by the token. */
  readonly refusal: Promise<ProofError | undefined>
}

/** Creates the reviewer of one trusted issuer. Answers are shared for ten seconds; outages are not kept. */
export function createTokenReviewer(ports: TokenReviewPorts): TokenReviewer {
  const answers = new Map<string, Answer>()
  let inFlight = 0

  const ask = async (
    proof: string,
    audience: string,
    claims: ServiceAccountClaims,
  ): Promise<ProofError | undefined> => {
    if (inFlight >= MAX_IN_FLIGHT) throw new ProofError('upstream_busy', 'too many token reviews are under way')
    inFlight++
    try {
      checkReview(await sendReview(ports, proof, audience), audience, claims)
      return undefined
    } catch (error) {
      if (error instanceof ProofError && REFUSALS.has(error.code)) return error
      throw error
    } finally {
      inFlight--
    }
  }

  return {
    async review(proof, audience, claims) {
      const key = createHash('sha256').update(proof).digest('base64url')
      const now = ports.now()
      const kept = answers.get(key)
      const isCurrent = kept !== undefined && now - kept.askedAt < REVIEW_BELIEVED_SECONDS && now >= kept.askedAt
      const answer = isCurrent ? kept : { askedAt: now, refusal: ask(proof, audience, claims) }
      if (!isCurrent) {
        forgetOld(answers, now)
        answers.set(key, answer)
        answer.refusal.catch(() => {
          if (answers.get(key) === answer) answers.delete(key)
        })
      }
      const refusal = await answer.refusal
      if (refusal !== undefined) throw refusal
    },
  }
}

const REFUSALS: ReadonlySet<string> = new Set(['subject_not_live', 'review_mismatch'])

/** Entries stand in the order in which they were asked for, so the old ones are at the front. */
function forgetOld(answers: Map<string, Answer>, now: NumericDate): void {
  for (const [key, { askedAt }] of answers) {
    if (now - askedAt < REVIEW_BELIEVED_SECONDS && answers.size < MAX_KEPT) return
    answers.delete(key)
  }
}

async function sendReview(ports: TokenReviewPorts, proof: string, audience: string): Promise<JsonObject> {
  const [http, credential] = await Promise.all([ports.http(), ports.readCredential()])
  const response = await http.send({
    purpose: 'token_review',
    method: 'POST',
    url: `${ports.apiServer}/apis/authentication.k8s.io/v1/tokenreviews`,
    headers: { authorization: `Bearer ${credential.trim()}`, 'content-type': 'application/json' },
    // Without audiences the API server would take its own, and with them any token that it trusts, ours included.
    body: JSON.stringify({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token: proof, audiences: [audience] },
    }),
    maxBytes: MAX_REVIEW_BYTES,
  })
  if (response.status !== 201 && response.status !== 200) {
    const facts = { status: response.status }
    throw new ProofError('upstream_status', `the API server answers ${response.status} to a token review`, { facts })
  }
  return parseObject(response.body)
}

/**
 * Believes an answer only where it is about this token, this audience and this subject. A refused review has no `authenticated`
 * member at all.
 *
 * @see {@link https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/ Kubernetes TokenReview}
 */
function checkReview(review: JsonObject, audience: string, claims: ServiceAccountClaims): void {
  const status = memberOf(review, 'status')
  if (memberOf(review, 'kind') !== 'TokenReview' || !isJsonObject(status)) throw malformed()
  const authenticated = memberOf(status, 'authenticated')
  if (authenticated === undefined || authenticated === false) {
    throw new ProofError('subject_not_live', 'the cluster no longer stands by this token')
  }
  if (authenticated !== true) throw malformed()
  const error = memberOf(status, 'error')
  if (error !== undefined && error !== '') throw mismatch('an error beside a success')
  const audiences = memberOf(status, 'audiences')
  if (!Array.isArray(audiences) || audiences.length !== 1 || audiences[0] !== audience) throw mismatch('audiences')
  const user = memberOf(status, 'user')
  if (!isJsonObject(user)) throw malformed()
  if (memberOf(user, 'username') !== claims.subject) throw mismatch('username')
  if (memberOf(user, 'uid') !== claims.serviceAccount.uid) throw mismatch('uid')
  checkExtra(memberOf(user, 'extra'), claims)
}

/** Older clusters leave extras out; those that are there must agree. */
function checkExtra(extra: unknown, claims: ServiceAccountClaims): void {
  if (extra === undefined) return
  if (!isJsonObject(extra)) throw malformed()
  const expected: readonly (readonly [string, string | undefined])[] = [
    ['credential-id', claims.tokenId === undefined ? undefined : `JTI=${claims.tokenId}`],
    ['pod-name', claims.pod?.name],
    ['pod-uid', claims.pod?.uid],
    ['node-name', claims.node?.name],
    ['node-uid', claims.node?.uid],
  ]
  for (const [name, value] of expected) {
    const reviewed = memberOf(extra, `authentication.kubernetes.io/${name}`)
    if (reviewed === undefined) continue
    if (!Array.isArray(reviewed)) throw malformed()
    if (value === undefined || reviewed.length !== 1 || reviewed[0] !== value) throw mismatch(name)
  }
}

function mismatch(member: string): ProofError {
  return new ProofError('review_mismatch', 'the token review is about something else', { facts: { member } })
}

function malformed(): ProofError {
  return new ProofError('upstream_malformed', 'the answer is not a TokenReview')
}
