/** A stand-in cloud and a broker that trusts it: what the rows of Google Cloud and Azure begin with. */

import { expect } from 'vitest'
import type { RefusalReason } from '../../src/audit/reasons.ts'
import { FULL_RATE_PER_SECOND } from '../../src/audit/sampler.ts'
import { expectIssued, expectProofRefused } from './answers.ts'
import { startTestBroker, type TestBroker, type TestBrokerOptions } from './broker.ts'
import { createTestClock, type TestClock } from './clock.ts'

/** What every stand-in is, as far as a scene cares. */
export interface ScenicCloud {
  readonly host: string
  readonly requests: readonly object[]
  close(): Promise<void>
}

export interface CloudScene<Cloud extends ScenicCloud> {
  readonly clock: TestClock
  readonly cloud: Cloud
  readonly broker: TestBroker
  /**
   * Asserts that a proof is refused for this reason, with the one answer that every refused proof gets. Not more often than the
   * broker surely records, by a clock that no test moves: open another scene then.
   */
  refuses(proof: string, reason: RefusalReason): Promise<void>
  /** The same, and that the cloud is asked nothing meanwhile. It says the most while the broker has no keys yet. */
  refusesUnasked(proof: string, reason: RefusalReason): Promise<void>
  /** Asserts that a proof gets a token, and gives it with its record. */
  issues(proof: string): Promise<ReturnType<typeof expectIssued>>
  close(): Promise<void>
}

export interface CloudSceneParts<Cloud extends ScenicCloud> {
  readonly start: (clock: TestClock) => Promise<Cloud>
  /** The document, made for the cloud. */
  readonly document: (cloud: Cloud) => object
  readonly broker?: Partial<TestBrokerOptions> | undefined
}

export async function openCloudScene<Cloud extends ScenicCloud>(
  parts: CloudSceneParts<Cloud>,
): Promise<CloudScene<Cloud>> {
  const clock = parts.broker?.clock ?? createTestClock()
  const cloud = await parts.start(clock)
  const document = parts.document(cloud)
  const insecureHosts = [cloud.host, ...(parts.broker?.insecureHosts ?? [])]
  const broker = await startTestBroker({ ...parts.broker, clock, document, insecureHosts })
  let refusals = 0
  const refuses = async (proof: string, reason: RefusalReason): Promise<void> => {
    expectProofRefused(broker, await broker.exchange(proof), reason)
    refusals++
    expect(refusals, 'refusals of one scene').toBeLessThanOrEqual(FULL_RATE_PER_SECOND)
  }
  return {
    clock,
    cloud,
    broker,
    refuses,
    async refusesUnasked(proof, reason) {
      const before = cloud.requests.length
      await refuses(proof, reason)
      expect(cloud.requests.length - before, 'upstream requests').toBe(0)
    },
    issues: async (proof) => expectIssued(broker, await broker.exchange(proof)),
    async close() {
      await broker.stop()
      await cloud.close()
    },
  }
}
