/** What must hold of a signed request that the broker refuses by itself, and of one that it takes. */

import { expect } from 'vitest'
import type { RefusalReason } from '../../src/audit/reasons.ts'
import { expectIssued, expectProofRefused } from './answers.ts'
import type { AwsScene } from './aws-scene.ts'
import type { Parameters } from './broker.ts'

/** Sends a request and asserts that it is refused for this reason, and that the stand-in was asked nothing at all meanwhile. */
export async function expectRefusedUnasked(
  scene: AwsScene,
  envelope: object | string,
  reason: RefusalReason,
  parameters: Parameters = {},
): Promise<void> {
  const before = scene.aws.requests.length
  const reply = await scene.exchange(envelope, parameters)
  expectProofRefused(scene.broker, reply, reason)
  expect(scene.aws.requests.slice(before), 'upstream requests').toEqual([])
}

/** Sends a request and asserts that the one question to STS is answered with no: the broker itself had nothing against it. */
export async function expectRefusedBySts(
  scene: AwsScene,
  envelope: object | string,
  reason: 'signature_invalid' | 'key_unknown' = 'signature_invalid',
): Promise<void> {
  const before = scene.aws.requests.length
  const reply = await scene.exchange(envelope)
  expectProofRefused(scene.broker, reply, reason)
  expect(scene.aws.requests.length - before, 'upstream requests').toBe(1)
}

/** Sends a request and asserts that it gets a token, and cost one question. Gives the token and its record. */
export async function expectTaken(scene: AwsScene, envelope: object | string, parameters: Parameters = {}) {
  const before = scene.aws.requests.length
  const reply = await scene.exchange(envelope, parameters)
  const issued = expectIssued(scene.broker, reply)
  expect(scene.aws.requests.length - before, 'upstream requests').toBe(1)
  return issued
}
