/** Which tokens are kept and for how long, against a real broker with a clock of the test's. */

import { setImmediate } from 'node:timers/promises'
import { inspect } from 'node:util'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServiceToken, TokenSource } from '../../src/client/client.ts'
import { type ClientScene, openClientScene, sourceError } from '../support/client-scene.ts'
import { documentFor } from '../support/document.ts'

let scene: ClientScene
beforeAll(async () => {
  scene = await openClientScene({
    document: ({ issuer }) =>
      documentFor(issuer, {
        identities: {
          'payments/api': { grants: { ledger: ['entries:read', 'entries:write'], 'https://orders.example': [] } },
        },
      }),
  })
})
afterAll(() => scene.close())

/** Life of every token here, in seconds. */
const LIFE = 900

/** Counts the exchanges that something costs. */
async function exchangesOf(act: () => Promise<unknown>): Promise<number> {
  const before = scene.exchanges()
  await act()
  return scene.exchanges() - before
}

/** Waits until a refresh in the background is done, and another token is given. */
async function expectReplaced(source: TokenSource, old: ServiceToken): Promise<void> {
  await expect.poll(async () => (await source.token()).accessToken).not.toBe(old.accessToken)
}

describe('a token', () => {
  test('says what it is, whom it is for and when it ends', async () => {
    const token = await scene.source().token()

    expect(token).toEqual({
      tokenType: 'Bearer',
      issuedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
      expiresAt: scene.clock.now() + LIFE,
      scope: 'entries:read entries:write',
      audience: 'ledger',
    })
    expect(decodeJwt(token.accessToken)).toMatchObject({ aud: 'ledger', exp: token.expiresAt })
  })

  test('is not shown where it is logged, inspected, spread or written as JSON', async () => {
    const source = scene.source()
    const token = await source.token()

    for (const shown of [inspect(token), inspect(source, { depth: null }), JSON.stringify({ ...token })]) {
      expect(shown).not.toContain(token.accessToken.slice(0, 24))
    }
  })

  test('is exchanged for once, however many ask for it at a time', async () => {
    const source = scene.source()

    const count = await exchangesOf(() => Promise.all(Array.from({ length: 50 }, () => source.token())))

    expect(count).toBe(1)
  })

  test('is one for each audience and each set of scopes, however they are spelled', async () => {
    const source = scene.source()
    const first = { audience: 'ledger', scope: 'entries:write entries:read' }
    const same = [
      { scope: ['entries:read', 'entries:write'] },
      { scope: ['entries:read', 'entries:write', 'entries:read'] },
      { audience: `${scene.issuer}/audiences/ledger`, scope: ' entries:read  entries:write ' },
    ]
    const others = [{}, { scope: 'entries:read' }, { audience: 'https://orders.example' }]

    const before = await source.token(first)
    expect(await exchangesOf(() => Promise.all(same.map((request) => source.token(request))))).toBe(0)
    expect(await exchangesOf(() => Promise.all(others.map((request) => source.token(request))))).toBe(3)
    expect((await source.token(same[2])).accessToken).toBe(before.accessToken)
    expect(await source.token({ scope: 'entries:read' })).toMatchObject({ scope: 'entries:read' })
  })

  test('is exchanged for anew where a fresh one is wanted, and that one is kept', async () => {
    const source = scene.source()
    const old = await source.token()
    const fresh = await source.token({ fresh: true })

    expect(fresh.accessToken).not.toBe(old.accessToken)
    expect((await source.token()).accessToken).toBe(fresh.accessToken)
  })
})

describe('with time', () => {
  /** With a die that always shows a half, a token is due when 11/30 of its life are left. */
  const DUE = LIFE * (1 - 1 / 3 - 1 / 30)

  test('a token is kept for two thirds of its life, less the jitter', async () => {
    const source = scene.source()
    await source.token()
    scene.clock.advance(DUE - 1)

    expect(await exchangesOf(() => source.token())).toBe(0)
  })

  test.each([
    [0, LIFE * (2 / 3)],
    [0.999_999, LIFE * 0.6],
  ])('the jitter takes up to a fifteenth off: with %d it is due after %d s', async (random, due) => {
    const source = scene.source({ random: () => random })
    const old = await source.token()
    scene.clock.advance(Math.ceil(due) - 1)
    expect(await exchangesOf(() => source.token())).toBe(0)

    scene.clock.advance(2)
    await expectReplaced(source, old)
  })

  test('the old token is given while it is replaced, and then the new one', async () => {
    const source = scene.source()
    const old = await source.token()
    scene.clock.advance(DUE)

    const meanwhile = await Promise.all([source.token(), source.token()])
    expect(meanwhile.map(({ accessToken }) => accessToken)).toEqual([old.accessToken, old.accessToken])
    expect(await exchangesOf(() => expectReplaced(source, old))).toBe(1)
  })

  test('a token is not given out in the last ten seconds of its life', async () => {
    const source = scene.source({ random: () => 0 })
    const old = await source.token()
    scene.clock.advance(LIFE - 10)

    expect((await source.token()).accessToken).not.toBe(old.accessToken)
  })

  test.each([
    ['the wall clock jumps ahead', { now: 901, elapsed: 0 }],
    ['the wall clock is set back, and the token’s life is over', { now: -3_600, elapsed: 901 }],
  ])('an expired token is never given out: %s', async (_, jump) => {
    const passed = { now: 0, elapsed: 0 }
    const { clock } = scene
    const clocks = { now: () => clock.now() + passed.now, elapsed: () => clock.now() + passed.elapsed }
    const source = scene.source(clocks)
    const old = await source.token()
    Object.assign(passed, jump)

    expect((await source.token()).accessToken).not.toBe(old.accessToken)
  })

  test('a refresh that fails leaves the old token in use, and is tried again after a while', async () => {
    const broken = Promise.withResolvers<void>()
    let isDown = false
    let attempts = 0
    const proof = await scene.proof()
    const source = scene.source({
      readFile: async () => proof,
      async fetch(input, init) {
        if (!isDown) return await fetch(input, init)
        if (++attempts === 4) broken.resolve()
        throw new TypeError('fetch failed')
      },
    })
    const old = await source.token()
    isDown = true
    scene.clock.advance(DUE)
    expect((await source.token()).accessToken).toBe(old.accessToken)
    await broken.promise
    for (let turn = 0; turn < 50; turn++) {
      expect((await source.token()).accessToken).toBe(old.accessToken)
      await setImmediate()
    }
    expect(attempts).toBe(4)

    isDown = false
    const next = async () => {
      scene.clock.advance(5)
      return (await source.token()).accessToken
    }
    await expect.poll(next).not.toBe(old.accessToken)
  })
})

describe('whoever waits', () => {
  test('may stop waiting, and the others still get their token', async () => {
    const source = scene.source()
    const impatient = new AbortController()
    const waits = [source.token({ signal: impatient.signal }), source.token()]
    impatient.abort(new Error('enough'))

    await expect(waits[0]).rejects.toThrow('enough')
    expect(await waits[1]).toMatchObject({ audience: 'ledger' })
  })

  test('is told at once where the signal was aborted before', async () => {
    const source = scene.source()

    expect(await exchangesOf(() => source.token({ signal: AbortSignal.abort() }).catch(() => undefined))).toBe(0)
  })

  test('is told when the source is closed, and nobody gets a token of it any more', async () => {
    const source = scene.source()
    const waiting = sourceError(source.token())
    source.close()

    expect((await waiting).code).toBe('source_closed')
    expect((await sourceError(source.token())).code).toBe('source_closed')
  })
})
