/** An STS that says what a test wants, and what must then hold of the broker that asked it. */

import { expect } from 'vitest'
import { type SignedRequest, withHeader } from '../../providers/aws/stand-in/signed-request.ts'
import type { Failure, StandInAnswer } from '../../providers/kit/stand-in-server.ts'
import type { RefusalReason } from '../../src/audit/reasons.ts'
import { expectIssued, expectProofRefused, expectRefusal } from './answers.ts'
import { ACCOUNT, type AwsScene, ROLE, SESSION_NAME } from './aws-scene.ts'
import type { Parameters, Reply } from './broker.ts'

/** The role's session as every true answer names it. */
export const CALLER = {
  Account: ACCOUNT,
  Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${ROLE}/${SESSION_NAME}`,
  UserId: `AROAQ3EGTESTEXAMPLE77:${SESSION_NAME}`,
} as const

export const JSON_TYPE = { 'content-type': 'application/json' }

const METADATA = { RequestId: 'c025e1ba-c36b-4078-9407-fdd02eaee5aa' }

type Members = Readonly<Record<string, unknown>>

/** Gives the content of a true answer with other members. Undefined removes one. */
export function identityOf(caller: Members = {}, response: Members = {}, root: Members = {}): object {
  const GetCallerIdentityResult = { ...CALLER, ...caller }
  return { GetCallerIdentityResponse: { GetCallerIdentityResult, ResponseMetadata: METADATA, ...response }, ...root }
}

/** Gives an answer with status 200 that is declared as JSON, whatever it is. */
export function succeedWith(content: object | string): StandInAnswer {
  return { status: 200, headers: JSON_TYPE, body: typeof content === 'string' ? content : JSON.stringify(content) }
}

/** Gives a true answer about a caller. */
export function identify(caller: Members = {}): StandInAnswer {
  return succeedWith(identityOf(caller))
}

/** Gives an error as STS writes it. */
export function failWith(status: number, code: string, format: 'json' | 'xml' = 'json', message = 'no'): StandInAnswer {
  if (format === 'json') {
    const error = { Code: code, Message: message, Type: 'Sender' }
    return { status, headers: JSON_TYPE, body: JSON.stringify({ Error: error, ...METADATA }) }
  }
  const error = `<Error>\n    <Type>Sender</Type>\n    <Code>${code}</Code>\n    <Message>${message}</Message>\n  </Error>`
  const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/'
  const body = `<ErrorResponse xmlns="${namespace}">\n  ${error}\n  <RequestId>${METADATA.RequestId}</RequestId>\n</ErrorResponse>\n`
  return { status, headers: { 'content-type': 'text/xml' }, body }
}

/** Sends a new genuine request, or this one, while STS answers so, and asserts that STS was asked exactly once. */
export async function askOnce(
  scene: AwsScene,
  answer: Failure,
  envelope: object = scene.sign(),
  parameters: Parameters = {},
): Promise<Reply> {
  scene.aws.fail('/', answer)
  const before = scene.aws.requests.length
  const reply = await scene.exchange(envelope, parameters)
  scene.aws.recover()
  expect(scene.aws.requests.length - before, 'upstream requests').toBe(1)
  return reply
}

/**
 * Asserts that an answer is no identity, and nothing against the caller either: the same request gets its token as soon as STS
 * answers as it should.
 */
export async function expectNoIdentity(
  scene: AwsScene,
  answer: Failure,
  reason: RefusalReason = 'upstream_malformed',
): Promise<void> {
  const request = scene.sign()
  expectRefusal(scene.broker, await askOnce(scene, answer, request), 'TU', reason)
  expectIssued(scene.broker, await scene.exchange(request))
}

/** Asserts that an answer refuses the proof, and that whoever sends it again is refused without asking; another one is not. */
export async function expectRemembered(scene: AwsScene, answer: Failure, reason: RefusalReason): Promise<void> {
  const request = scene.sign()
  expectProofRefused(scene.broker, await askOnce(scene, answer, request), reason)
  const asked = await scene.upstreamRequests(async () => {
    expectProofRefused(scene.broker, await scene.exchange(request), reason)
  })
  expect(asked).toBe(0)
  expectIssued(scene.broker, await scene.exchange(scene.sign()))
}

/** Gives a copy of a request whose signature does not hold. */
export function spoil(request: SignedRequest): SignedRequest {
  const authorization = request.headers.find(({ key }) => key === 'authorization')?.value ?? ''
  return withHeader(
    request,
    'authorization',
    authorization.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
  )
}
