/** An operator's rotation and revocation, as a service with our verifier sees them. */

import { join } from 'node:path'
import { decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'
import { FRESH_SECONDS } from '../../src/verify/key-set.ts'
import { createVerifier } from '../../src/verify/verifier.ts'
import { expectIssued } from '../support/answers.ts'
import { startTestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { documentFor } from '../support/document.ts'
import { findFreePort, runChancery } from '../support/process.ts'
import { openScene } from '../support/scene.ts'

/** After this a new store's next key may sign, in seconds. */
const PUBLIC_SECONDS = 25 * 3_600

test('a rotation disturbs nobody, and a revoked key is refused half a minute later', async () => {
  const clock = createTestClock(Math.floor(Date.now() / 1_000) - PUBLIC_SECONDS)
  const scene = await openScene({ broker: { clock } })
  const port = await findFreePort()
  const issuer = `http://127.0.0.1:${port}`
  const document = documentFor(scene.cluster.issuer)
  const broker = await startTestBroker({
    ...{ clock, document, insecureHosts: [scene.cluster.host] },
    flags: { issuer, listen: `127.0.0.1:${port}` },
  })
  clock.advance(PUBLIC_SECONDS)
  const mint = async (): Promise<string> => expectIssued(broker, await broker.exchange(await scene.proof())).token
  const keys = async (...args: readonly string[]): Promise<number | null> =>
    (await runChancery(['keys', ...args, '--store', `sqlite:${join(broker.directory, 'store.db')}`])).code
  const keyOf = (token: string): string => decodeProtectedHeader(token).kid ?? ''
  let fetches = 0
  const counting = (...request: Parameters<typeof fetch>): Promise<Response> => {
    fetches++
    return fetch(...request)
  }
  const verifier = createVerifier({ issuer, audience: 'ledger', fetch: counting, now: clock.now })
  const first = await mint()
  await expect(verifier.verify(first)).resolves.toMatchObject({ identity: 'payments/api' })

  expect(await keys('rotate', '--algorithm', 'ES256')).toBe(0)
  await expect.poll(async () => keyOf(await mint()), { timeout: 5_000, interval: 50 }).not.toBe(keyOf(first))
  const second = await mint()
  await expect(verifier.verify(second)).resolves.toMatchObject({ identity: 'payments/api' })
  await expect(verifier.verify(first)).resolves.toMatchObject({ identity: 'payments/api' })
  expect(fetches).toBe(1)

  expect(await keys('revoke', keyOf(second))).toBe(0)
  await expect.poll(async () => keyOf(await mint()), { timeout: 5_000, interval: 50 }).not.toBe(keyOf(second))
  await expect(verifier.verify(second)).resolves.toMatchObject({ identity: 'payments/api' })
  clock.advance(FRESH_SECONDS)
  await verifier.verify(second)
  await expect.poll(() => verifier.verify(second).catch((error: { code?: string }) => error.code)).toBe('key_unknown')
  await expect(verifier.verify(await mint())).resolves.toMatchObject({ identity: 'payments/api' })

  await broker.stop()
  await scene.close()
})
