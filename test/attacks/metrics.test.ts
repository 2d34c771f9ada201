/** Metrics come from configuration and closed lists, never from what a caller writes. */

import { afterEach, expect, test } from 'vitest'
import { repeat, sendUnwatched, sumOf, unsigned } from '../support/flood.ts'
import { openScene, type Scene } from '../support/scene.ts'

/** Ten seconds on an idle machine. */
const PATIENCE_MS = 120_000

let scene: Scene
afterEach(() => scene.close())

test(
  'OPS-04 ten thousand issuers, keys, audiences and parameters make no new metric',
  async () => {
    scene = await openScene({ cluster: { algorithm: 'ES256' } })
    const { broker, cluster } = scene
    const good = await scene.proof()
    const kinds = [
      async (index: number) => sendUnwatched(broker, unsigned(cluster, { iss: `https://issuer-${index}.example` })),
      async (index: number) => sendUnwatched(broker, unsigned(cluster, {}, { kid: `key-${index}` })),
      async (index: number) => sendUnwatched(broker, await scene.forge({ aud: [`https://audience-${index}.example`] })),
      async (index: number) => sendUnwatched(broker, good, { audience: `audience-${index}` }),
      async (index: number) => sendUnwatched(broker, good, { scope: `scope-${index}`, [`parameter-${index}`]: 'x' }),
      async (index: number) => sendUnwatched(broker, `garbage-${index}`, { grant_type: `grant-${index}` }),
      async (index: number) => fetch(`${broker.origin}/path-${index}`, { method: index % 2 === 0 ? 'GET' : 'POST' }),
    ]
    await repeat(kinds.length, async (index) => kinds[index]?.(index))
    const before = await seriesOf()

    await repeat(10_000, async (index) => kinds[index % kinds.length]?.(index))

    const after = await seriesOf()
    const sampled = after.filter((name) => name.startsWith('chancery_audit_refusals_sampled_total'))
    // A refusal that is sampled for the first time brings its series: one for each trusted issuer and none, verified or not.
    expect(after.filter((name) => !sampled.includes(name))).toEqual(before)
    expect(sampled.length).toBeLessThanOrEqual(4)
    expect(await sumOf(broker, 'chancery_decisions_total')).toBeGreaterThan(8_000)
  },
  PATIENCE_MS,
)

/** Gives the names and labels of every series of ours. */
async function seriesOf(): Promise<readonly string[]> {
  const lines = (await scene.broker.metrics()).split('\n').filter((line) => line.startsWith('chancery_'))
  return lines.map((line) => line.slice(0, line.lastIndexOf(' '))).sort()
}
