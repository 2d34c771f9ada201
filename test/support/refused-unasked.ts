/** Refusals that cost no upstream a request. */

import { expect } from 'vitest'
import type { RefusalReason } from '../../src/audit/reasons.ts'
import { expectProofRefused } from './answers.ts'
import type { Parameters } from './broker.ts'
import type { Scene } from './scene.ts'

/**
 * Sends a proof and asserts that it is refused for this reason, and that the cluster was asked nothing meanwhile. It says the most
 * where the broker has no keys yet: then every proof that gets as far as its key is a request.
 */
export async function expectRefusedUnasked(
  scene: Scene,
  proof: string,
  reason: RefusalReason,
  parameters: Parameters = {},
): Promise<void> {
  const before = scene.cluster.requests.length
  const reply = await scene.broker.exchange(proof, parameters)
  expectProofRefused(scene.broker, reply, reason)
  expect(scene.cluster.requests.length - before, 'upstream requests').toBe(0)
}
