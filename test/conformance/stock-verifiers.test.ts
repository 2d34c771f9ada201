/** A real broker's tokens, as stock libraries see them: taken under both algorithms, and refused when they should be. */

import { generateKeyPairSync } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectIssued } from '../support/answers.ts'
import { startTestBroker, type TestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { documentFor } from '../support/document.ts'
import { findFreePort } from '../support/process.ts'
import { rawJws, signWith } from '../support/raw-jws.ts'
import { openScene, type Scene } from '../support/scene.ts'
import { type Expectation, STOCK_VERIFIERS } from '../support/stock-verifiers.ts'

/** Long enough ago that a token from then has expired, whatever a library allows for clocks. */
const AGO_SECONDS = 7_200

/** The scope is the same at both, so that what differs is algorithm and type alone. */
const AUDIENCES = {
  ledger: { scopes: ['entries:read'] },
  legacy: { scopes: ['entries:read'], signing_alg: 'RS256', token_type: 'JWT' },
}
const GRANTS = { ledger: ['entries:read'], legacy: ['entries:read'] }
const IDENTITIES = { 'payments/api': { grants: GRANTS, lifetime_seconds: 600 } }

const KINDS = [
  { audience: 'ledger', alg: 'ES256', typ: 'at+jwt' },
  { audience: 'legacy', alg: 'RS256', typ: 'JWT' },
] as const

let scene: Scene
let broker: TestBroker
let issuer: string
const tokens = { fresh: new Map<string, string>(), expired: new Map<string, string>() }

beforeAll(async () => {
  // Libraries look at the real clock, so the broker's stands where that will be, in the end.
  const clock = createTestClock(Math.floor(Date.now() / 1_000) - AGO_SECONDS)
  scene = await openScene({ broker: { clock } })
  const port = await findFreePort()
  issuer = `http://127.0.0.1:${port}`
  broker = await startTestBroker({
    clock,
    document: documentFor(scene.cluster.issuer, { audiences: AUDIENCES, identities: IDENTITIES }),
    insecureHosts: [scene.cluster.host],
    flags: { issuer, listen: `127.0.0.1:${port}` },
  })
  await mintInto(tokens.expired)
  clock.advance(AGO_SECONDS)
  await mintInto(tokens.fresh)
})
afterAll(async () => {
  await broker.stop()
  await scene.close()
})

async function mintInto(minted: Map<string, string>): Promise<void> {
  for (const { audience } of KINDS) {
    minted.set(audience, expectIssued(broker, await broker.exchange(await scene.proof(), { audience })).token)
  }
}

/** The same claims and key id under a key of the attacker's. */
function forge(token: string, alg: 'ES256' | 'RS256'): string {
  const pair =
    alg === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2_048 })
  return rawJws(decodeProtectedHeader(token), decodeJwt(token), signWith(pair.privateKey, alg))
}

/** The broker's signature under other claims. */
function alter(token: string): string {
  const [header, , signature] = token.split('.')
  const claims = { ...decodeJwt(token), client_id: 'payments/admin' }
  return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`
}

describe.each(STOCK_VERIFIERS)('$name', ({ create }) => {
  describe.each(KINDS)('under $alg', ({ audience, alg, typ }) => {
    const token = (from = tokens.fresh): string => from.get(audience) ?? ''
    const judge = async (judged: string, changes: Partial<Expectation> = {}): Promise<unknown> =>
      await (await create({ issuer, audience, typ, ...changes }))(judged)

    test('takes a token of the broker', async () => {
      expect(decodeProtectedHeader(token())).toMatchObject({ alg, typ })
      await expect(judge(token())).resolves.toBe('payments/api')
    })

    test('refuses one for another audience, and one of another issuer', async () => {
      await expect(judge(token(), { audience: 'orders' })).rejects.toThrow()
      const elsewhere = `http://localhost:${new URL(issuer).port}`
      await expect(judge(token(), { issuer: elsewhere })).rejects.toThrow()
    })

    test('refuses one that has expired', async () => {
      await expect(judge(token(tokens.expired))).rejects.toThrow()
    })

    test('refuses a forged and an altered one', async () => {
      await expect(judge(forge(token(), alg))).rejects.toThrow()
      await expect(judge(alter(token()))).rejects.toThrow()
      await expect(judge(`${token().split('.').slice(0, 2).join('.')}.`)).rejects.toThrow()
    })
  })
})

describe('the type', () => {
  /** What a service that takes access tokens says of the JWT that the broker makes for services of another kind. */
  const judgeOther = async ({ create }: (typeof STOCK_VERIFIERS)[number]): Promise<unknown> =>
    await (await create({ issuer, audience: 'legacy', typ: 'at+jwt' }))(tokens.fresh.get('legacy') ?? '')

  test.each(STOCK_VERIFIERS.filter(({ isTypeAware }) => isTypeAware))('is looked at by $name', async (library) => {
    await expect(judgeOther(library)).rejects.toThrow()
  })

  test.each(STOCK_VERIFIERS.filter(({ isTypeAware }) => !isTypeAware))('is left alone by $name', async (library) => {
    await expect(judgeOther(library)).resolves.toBe('payments/api')
  })
})
