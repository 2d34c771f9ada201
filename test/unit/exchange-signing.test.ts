/** An exchange whose key is elsewhere, or gone. */

import { createLocalJWKSet, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Signer } from '../../src/tokens/key-ring.ts'
import { createBench, keys, NOW } from '../support/exchange-bench.ts'

/** Gives what was thrown. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.unreachable('not refused'),
    (error: unknown) => error,
  )
}

describe('whoever holds the key', () => {
  const holding = (sign: Signer['sign']) => ({
    jwks: keys.jwks,
    signerFor: () => ({ ...keys.signerFor('ES256'), sign }),
  })
  const benchHolding = (sign: Signer['sign']) => {
    const { snapshot } = createBench()
    return { ports: { snapshot: async () => ({ ...snapshot, keys: holding(sign) }) } }
  }

  test('may sign elsewhere, and is waited for', async () => {
    const bench = createBench(benchHolding(async (input) => keys.signerFor('ES256').sign(input)))

    const { access_token: token } = await bench.exchange()

    await expect(
      jwtVerify(token, createLocalJWKSet({ keys: [...keys.jwks.keys] }), { currentDate: new Date(NOW * 1_000) }),
    ).resolves.toBeDefined()
  })

  test.each<[string, Signer['sign']]>([
    [
      'does not sign',
      () => {
        throw new Error('revoked')
      },
    ],
    ['does not answer', () => Promise.reject(new Error('out of reach'))],
  ])('and %s leaves no token, and a record that says so', async (_what, sign) => {
    const bench = createBench(benchHolding(sign))

    const refusal = await rejection(bench.exchange())

    expect(refusal).toMatchObject({ reason: 'key_unavailable', cause: expect.any(Error) })
    expect(bench.records()).toMatchObject([{ decision: 'refused', reason: 'key_unavailable', token_id: null }])
  })
})
