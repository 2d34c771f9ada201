/** What bad answers leave behind. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import type { Failure } from '../../providers/kit/stand-in-server.ts'
import { openScene } from '../support/scene.ts'

/** Longer than the broker waits between two attempts. */
const RETRY_SECONDS = 31

/** Gives the bytes in use once garbage is collected, which the runtime must be asked for, and which takes it a few turns. */
async function bytesInUse(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  for (let turn = 0; turn < 5; turn++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
}

test('NET-07 keeps nothing of two thousand bad answers: no bytes, no connections', async () => {
  const scene = await openScene({ cluster: { algorithm: 'ES256' } })
  onTestFinished(() => scene.close())
  const body = 'x'.repeat(60_000)
  const answers: readonly Failure[] = [
    { status: 500, body },
    { status: 302, headers: { location: '/' }, body },
    { status: 200, headers: { 'content-encoding': 'gzip' }, body },
    { status: 200, headers: { 'content-length': '10000000' }, body: body.repeat(2) },
    { status: 200, body },
  ]
  const askTimes = async (count: number): Promise<void> => {
    const proof = await scene.proof({ expirationSeconds: 86_400 })
    for (let asked = 0; asked < count; asked++) {
      scene.cluster.fail('*', answers[asked % answers.length] ?? 'down')
      scene.clock.advance(RETRY_SECONDS)
      expect((await scene.broker.exchange(proof)).status).toBe(503)
    }
  }
  await askTimes(100)
  const [bytesBefore, socketsBefore] = [await bytesInUse(), openSockets()]

  const requests = await scene.upstreamRequests(() => askTimes(2_000))

  expect(requests).toBe(2_000)
  // Two thousand bodies are 120 MB. What is left is this test's own list of requests.
  expect((await bytesInUse()) - bytesBefore).toBeLessThan(16 * 1_048_576)
  expect(openSockets() - socketsBefore).toBeLessThan(8)
}, 120_000)
