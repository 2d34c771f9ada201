/** Attacks with time: proofs that are over, that have not begun, that live too long, or that have no time at all. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { RefusalReason } from '../../src/audit/reasons.ts'
import { runProgram } from '../../src/cli/program.ts'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import { startTestBroker, type TestBroker } from '../support/broker.ts'
import { createTestClock } from '../support/clock.ts'
import { BROKER, documentFor } from '../support/document.ts'
import { rawJws, signerOf } from '../support/raw-jws.ts'
import { runCheck } from '../support/run-check.ts'
import { openScene, POD, type Scene } from '../support/scene.ts'

/** Clocks may differ by this much, and never prolong a proof that can come again. */
const SKEW = 60
const DAY = 86_400

/** Times of a token in seconds from now. */
interface Times {
  readonly exp?: number
  readonly iat?: number
  readonly nbf?: number
}

const REFUSED: readonly (readonly [string, Times, RefusalReason])[] = [
  ['JWT-25 refuses exp 61 s ago', { exp: -61, iat: -3_661, nbf: -3_661 }, 'proof_expired'],
  ['JWT-25 refuses exp 60 s ago', { exp: -60, iat: -3_660, nbf: -3_660 }, 'proof_expired'],
  ['JWT-25 refuses exp 1 s ago, as the proof could come again', { exp: -1, iat: -600, nbf: -600 }, 'proof_expired'],
  ['JWT-25 refuses exp now', { exp: 0, iat: -600, nbf: -600 }, 'proof_expired'],
  ['JWT-25 refuses nbf in 61 s', { exp: 600, iat: 0, nbf: SKEW + 1 }, 'proof_not_yet_valid'],
  ['JWT-25 refuses iat in 61 s', { exp: 600, iat: SKEW + 1, nbf: 0 }, 'proof_not_yet_valid'],
  ['JWT-25 refuses nbf and iat in an hour', { exp: 7_200, iat: 3_600, nbf: 3_600 }, 'proof_not_yet_valid'],
  ['JWT-25 refuses nbf after exp', { exp: 600, iat: 0, nbf: 601 }, 'proof_not_yet_valid'],
  ['JWT-26 refuses a life of a day and a second', { exp: DAY, iat: -1, nbf: -1 }, 'proof_lifetime_too_long'],
  ['JWT-26 refuses a life of a year', { exp: 365 * DAY, iat: 0, nbf: 0 }, 'proof_lifetime_too_long'],
  ['JWT-26 refuses a long life that begins soon', { exp: DAY + 61, iat: SKEW, nbf: 0 }, 'proof_lifetime_too_long'],
  ['JWT-26 refuses a long life whose nbf is late', { exp: DAY, iat: -DAY, nbf: 0 }, 'proof_lifetime_too_long'],
  ['JWT-26 refuses a long life that is almost over', { exp: 1, iat: -DAY, nbf: -DAY }, 'proof_lifetime_too_long'],
  ['JWT-26 refuses iat after exp', { exp: 30, iat: SKEW, nbf: 0 }, 'claims_inconsistent'],
  ['JWT-26 refuses iat a second after exp', { exp: 10, iat: 11, nbf: 0 }, 'claims_inconsistent'],
  ['JWT-26 refuses iat at exp', { exp: 10, iat: 10, nbf: 0 }, 'claims_inconsistent'],
]

const TAKEN: readonly (readonly [string, Times, number])[] = [
  ['JWT-25 takes exp in 1 s, for that second', { exp: 1, iat: -600, nbf: -600 }, 1],
  ['JWT-25 takes nbf and iat in 60 s', { exp: 600, iat: SKEW, nbf: SKEW }, 600],
  ['JWT-25 takes a token without nbf', { exp: 600, iat: 0 }, 600],
  ['JWT-26 takes a life of a day', { exp: DAY, iat: 0, nbf: 0 }, 900],
]

/** What stands for a time and is none. Each is tried for exp, for iat and for nbf. */
const NO_TIMES: readonly (readonly [string, string])[] = [
  ['text', '"1768479000"'],
  ['a date', '"2026-01-15T12:10:00Z"'],
  ['a fraction', '1768479000.5'],
  ['a number beyond all', '1e400'],
  ['a number beyond counting', '1e300'],
  ['the first number that cannot be counted to', '9007199254740992'],
  ['a negative number', '-1768479000'],
  ['a list', '[1768479000]'],
  ['an object', '{"seconds":1768479000}'],
  ['true', 'true'],
  ['null', 'null'],
]

let scene: Scene
beforeAll(async () => {
  scene = await openScene({ cluster: { algorithm: 'ES256' } })
})
afterAll(() => scene.close())

test.each(REFUSED)('%s', async (_, times, reason) => {
  expectProofRefused(scene.broker, await scene.broker.exchange(await forgeAt(times)), reason)
  expectUnverified(scene.broker)
})

test.each(TAKEN)('%s', async (_, times, expiresIn) => {
  const reply = await scene.broker.exchange(await forgeAt(times))

  const { record } = expectIssued(scene.broker, reply)
  expect(reply.json.expires_in).toBe(expiresIn)
  expect(record?.token_expires_at).toBe(new Date((scene.clock.now() + expiresIn) * 1_000).toISOString())
})

test('JWT-25 refuses a genuine token from the second in which it expires', async () => {
  const own = await openScene({ cluster: { algorithm: 'ES256' } })
  onTestFinished(() => own.close())
  const proof = await own.proof({ expirationSeconds: 600 })

  own.clock.advance(599)
  const before = await own.broker.exchange(proof)
  own.clock.advance(1)
  const after = await own.broker.exchange(proof)

  expectIssued(own.broker, before)
  expect(before.json.expires_in).toBe(1)
  expectProofRefused(own.broker, after, 'proof_expired')
  expectUnverified(own.broker)
})

test('JWT-25 refuses the token of a cluster whose clock is more than a minute ahead', async () => {
  const clock = createTestClock()
  const own = await openScene({
    cluster: { algorithm: 'ES256', now: () => clock.now() + SKEW + 1 },
    broker: { clock },
  })
  onTestFinished(() => own.close())
  const proof = await own.proof()

  const early = await own.broker.exchange(proof)
  clock.advance(1)
  const later = await own.broker.exchange(proof)

  expectProofRefused(own.broker, early, 'proof_not_yet_valid')
  expectIssued(own.broker, later)
})

test.each(NO_TIMES)('JWT-25 JWT-26 refuses %s for any of the times', async (_, value) => {
  for (const name of ['exp', 'iat', 'nbf']) {
    expectProofRefused(scene.broker, await scene.broker.exchange(forgeText(name, value)), 'claim_invalid')
  }
})

test('JWT-26 refuses a token without exp, and one without iat', async () => {
  const endless = await scene.forge({ exp: undefined })
  const unborn = await scene.forge({ iat: undefined })

  expectProofRefused(scene.broker, await scene.broker.exchange(endless), 'claim_missing')
  expectProofRefused(scene.broker, await scene.broker.exchange(unborn), 'claim_missing')
})

test('JWT-26 refuses a token that was issued at the beginning of time', async () => {
  const proof = await scene.forge({ iat: 0, nbf: 0 })

  expectProofRefused(scene.broker, await scene.broker.exchange(proof), 'proof_lifetime_too_long')
})

describe('a skew in the configuration', () => {
  const NAMES = ['clock_skew_seconds', 'clock_skew', 'clockSkew', 'skew', 'leeway', 'clock_tolerance']
  const VALUES = [301, -1, 0, 60, '301', null]

  test.each(NAMES)('JWT-27 refuses a document with %s, whatever its value', async (name) => {
    for (const value of VALUES) {
      const inIssuer = await runCheck(documentWith({ [name]: value }))
      const inDocument = await runCheck({ ...documentWith({}), [name]: value })

      expect(inIssuer.code).toBe(1)
      expect(inIssuer.findings).toMatchObject([
        { severity: 'error', path: `/trusted_issuers/cluster/${name}`, code: 'member_unknown' },
      ])
      expect(inDocument.code).toBe(1)
      expect(inDocument.findings).toMatchObject([{ severity: 'error', path: `/${name}`, code: 'member_unknown' }])
    }
  })

  test('JWT-27 keeps the last good document, and the skew of a minute, where a reload brings one', async () => {
    const own = await openScene({ cluster: { algorithm: 'ES256' } })
    onTestFinished(() => own.close())
    const cluster = { provider: 'kubernetes', issuers: [own.cluster.issuer], clock_skew_seconds: 3_600 }

    await own.broker.replaceDocument(documentFor(own.cluster.issuer, { trusted_issuers: { cluster } }))

    const now = own.clock.now()
    const late = await own.forge({ iat: now + SKEW + 1, nbf: now + SKEW + 1 })
    expectProofRefused(own.broker, await own.broker.exchange(late), 'proof_not_yet_valid')
    expectIssued(own.broker, await own.broker.exchange(await own.proof()))
    expect(own.broker.logs()).toContainEqual(expect.objectContaining({ msg: 'document refused' }))
  })

  test('JWT-27 does not start with such a document', async () => {
    await expect(start(documentWith({ clock_skew_seconds: 301 }))).rejects.toMatchObject({
      findings: [{ path: '/trusted_issuers/cluster/clock_skew_seconds', code: 'member_unknown' }],
    })
  })

  test('JWT-27 knows no flag for one', async () => {
    for (const flag of ['--clock-skew', '--skew', '--leeway']) {
      const told: string[] = []
      const terminal = { out: () => undefined, err: (text: string) => void told.push(text) }

      const code = await runProgram(['serve', '--issuer', BROKER, '--federation', 'x.json', flag, '301'], terminal)

      expect(code).toBe(2)
      expect(told.join('')).toContain(`unknown option '${flag}'`)
    }
  })

  function documentWith(settings: object): object {
    const cluster = { provider: 'kubernetes', issuers: ['https://oidc.cluster.example/id/1'], ...settings }
    return documentFor('', { trusted_issuers: { cluster } })
  }

  function start(document: object): Promise<TestBroker> {
    return startTestBroker({ clock: createTestClock(), document })
  }
})

/** Asserts that the last refusal was the verifier's: policy, which looks at what is left of a life, never saw the proof. */
function expectUnverified(broker: TestBroker): void {
  expect(broker.records().at(-1)).toMatchObject({ decision: 'refused', subject: null, attributes: null, binding: null })
}

/** The pod's token with other times; one that is left out is absent. */
function forgeAt({ exp, iat, nbf }: Times): Promise<string> {
  const at = (seconds: number | undefined) => (seconds === undefined ? undefined : scene.clock.now() + seconds)
  return scene.forge({ aud: BROKER, exp: at(exp), iat: at(iat), nbf: at(nbf) })
}

/** The pod's token with any text for one of its numbers. */
function forgeText(name: string, value: string): string {
  const { key } = scene.cluster
  const claims = JSON.stringify({ ...scene.cluster.claimsFor(POD), [name]: 'HERE' }).replace('"HERE"', value)
  return rawJws({ alg: key.algorithm, kid: key.keyId }, claims, signerOf(key))
}
