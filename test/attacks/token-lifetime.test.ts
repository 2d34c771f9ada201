/** How long a token lives: never longer than anything that stands behind it. */

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectIssued, expectProofRefused } from '../support/answers.ts'
import type { Parameters, Reply } from '../support/broker.ts'
import { bindingFor, documentFor } from '../support/document.ts'
import { openScene, type Scene } from '../support/scene.ts'

/** A workload whose identity and audience have lifetimes, or the default, and what its token gets of a proof's. */
interface Case {
  readonly account: string
  readonly identity?: number
  readonly audience?: number
  readonly proof: number
  readonly expected: number
}

const CASES: readonly Case[] = [
  { account: 'default', proof: 3_600, expected: 900 },
  { account: 'identity-shorter', identity: 600, proof: 3_600, expected: 600 },
  { account: 'audience-shorter', audience: 700, proof: 3_600, expected: 700 },
  { account: 'audience-shorter-than-identity', identity: 1_800, audience: 700, proof: 3_600, expected: 700 },
  { account: 'identity-shorter-than-audience', identity: 700, audience: 1_800, proof: 3_600, expected: 700 },
  { account: 'longest', identity: 3_600, audience: 3_600, proof: 86_400, expected: 3_600 },
  { account: 'longest-identity', identity: 3_600, proof: 86_400, expected: 3_600 },
  { account: 'proof-shorter', identity: 3_600, audience: 1_800, proof: 1_200, expected: 1_200 },
  { account: 'shortest-identity', identity: 1, audience: 3_600, proof: 3_600, expected: 1 },
  { account: 'shortest-audience', identity: 3_600, audience: 1, proof: 3_600, expected: 1 },
]

let scene: Scene
beforeAll(async () => {
  scene = await openScene({ document: ({ issuer }) => documentFor(issuer, partsOf(CASES)) })
  for (const { account } of CASES) scene.cluster.createServiceAccount('payments', account)
})
afterAll(() => scene.close())

function partsOf(cases: readonly Case[]) {
  const lifetime = (name: string, seconds: number | undefined) => (seconds === undefined ? {} : { [name]: seconds })
  return {
    audiences: Object.fromEntries(
      cases.map(({ account, audience }) => [account, lifetime('max_lifetime_seconds', audience)]),
    ),
    identities: Object.fromEntries(
      cases.map(({ account, identity }) => [
        account,
        { grants: { [account]: [] }, ...lifetime('lifetime_seconds', identity) },
      ]),
    ),
    bindings: Object.fromEntries(cases.map(({ account }) => [account, bindingFor('payments', account, account)])),
  }
}

const WISHES: readonly Parameters[] = [
  {},
  { expires_in: '3600' },
  { lifetime: '3600s' },
  { options: '{"lifetime":"43200s","userProject":"1"}' },
  { requested_expires_in: '86400', exp: '9999999999', ttl: '1h', max_age: '0', not_after: '2099-01-01' },
]

async function proofFor(account: string, seconds: number): Promise<string> {
  return await scene.proof({ serviceAccount: account, pod: undefined, expirationSeconds: seconds })
}

/** Asserts that answer, token and record agree. */
function expectLifetime(reply: Reply, seconds: number): void {
  const { token, record } = expectIssued(scene.broker, reply)
  const now = scene.clock.now()
  expect({ ...decodeJwt(token), seconds: reply.json.expires_in, recorded: record?.token_expires_at }).toMatchObject({
    iat: now,
    exp: now + seconds,
    seconds,
    recorded: new Date((now + seconds) * 1_000).toISOString(),
  })
}

test.each(CASES)('OAU-21 of what stands behind a token the shortest decides: $account', async (row) => {
  const proof = await proofFor(row.account, row.proof)

  for (const wish of WISHES) {
    expectLifetime(await scene.broker.exchange(proof, { audience: row.account, ...wish }), row.expected)
  }
})

test('OAU-21 a proof with 90 seconds left gives a token of 90, whatever is wished for', async () => {
  const proof = await proofFor('default', 600)
  scene.clock.advance(510)

  for (const wish of WISHES) {
    expectLifetime(await scene.broker.exchange(proof, { audience: 'default', ...wish }), 90)
  }
})

test('OAU-21 a token dies with its proof to the second, and a dead proof gives none', async () => {
  const proof = await proofFor('longest', 600)

  scene.clock.advance(599)
  expectLifetime(await scene.broker.exchange(proof, { audience: 'longest' }), 1)

  scene.clock.advance(1)
  expectProofRefused(scene.broker, await scene.broker.exchange(proof, { audience: 'longest' }), 'proof_expired')
})
