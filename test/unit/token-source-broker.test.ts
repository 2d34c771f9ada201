/** A broker that cannot be reached as it should be: too slow, or with a certificate that does not hold. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StandInServer, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import { createTokenSource, type TokenSourceSettings } from '../../src/client/client.ts'
import { createAuthority } from '../support/certificates.ts'
import { sourceError } from '../support/client-scene.ts'

let plain: StandInServer
let secured: StandInServer
beforeAll(async () => {
  const tls = createAuthority('nobody trusts it').issue({ hostnames: ['127.0.0.1'] })
  plain = await startStandInServer({ route: () => ({ status: 200 }) })
  secured = await startStandInServer({ route: () => ({ status: 200 }), tls })
})
afterAll(async () => {
  await plain.close()
  await secured.close()
})

function ask(broker: string, settings: Partial<TokenSourceSettings> = {}) {
  const waits: number[] = []
  const source = createTokenSource({
    broker,
    environment: {},
    proof: { file: '/proof' },
    readFile: async () => 'a.b.c',
    wait: async (seconds) => void waits.push(seconds),
    ...settings,
  })
  return { error: sourceError(source.token()), waits }
}

test('an answer is waited for ten seconds, and not asked for again', async () => {
  plain.fail('/token', 'slow')
  const limits: number[] = []
  const deadline = (seconds: number) => {
    limits.push(seconds)
    return AbortSignal.timeout(20)
  }

  const { error, waits } = ask(plain.origin, { deadline })

  expect(await error).toMatchObject({ code: 'broker_too_slow', kind: 'later' })
  expect([limits, waits]).toEqual([[10], []])
})

test('a certificate that does not hold is told as such, with where to name its authority', async () => {
  const { error, waits } = ask(secured.origin)

  expect(await error).toMatchObject({ code: 'broker_untrusted', kind: 'setup' })
  expect((await error).message).toContain('NODE_EXTRA_CA_CERTS')
  expect(secured.requests).toEqual([])
  expect(waits).toEqual([])
})
