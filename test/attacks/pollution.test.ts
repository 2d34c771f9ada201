/** A process whose every object inherits what an attacker would like it to: OPS-09. */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { BROKER } from '../support/document.ts'
import type { Outcome } from '../support/polluted-process.ts'

const run = promisify(execFile)

const CHILD = fileURLToPath(new URL('../support/polluted-process.ts', import.meta.url))

type Outcomes = Readonly<Record<string, Outcome>>

/** Brings every proof to a broker in a process that was spoiled like this. */
async function spoil(members: object, how: 'hidden' | 'enumerable'): Promise<Outcomes> {
  // prom-client, too, loops over members when it is told of a garbage collection: let there be room enough for none.
  const { stdout } = await run(process.execPath, ['--min-semi-space-size=128', CHILD, JSON.stringify(members), how])
  return JSON.parse(stdout) as Outcomes
}

/** What a proof or a request lacks, inherited. */
const LACKING = {
  alg: 'none',
  kid: 'KEY_ID',
  iss: 'ISSUER',
  aud: BROKER,
  sub: 'system:serviceaccount:payments:api',
  iat: 1,
  exp: 9_999_999_999,
  typ: 'at+jwt',
  'kubernetes.io': { namespace: 'payments', serviceaccount: { name: 'api', uid: 'x' } },
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  subject_token: 'x.y.z',
  scope: 'entries:write',
  'https://orders.example': [],
}

/** What would change how a proof, a key or an upstream's answer is read. */
const TURNING = {
  crit: ['x'],
  b64: false,
  jwk: {},
  jku: 'https://evil.example',
  x5c: [],
  zip: 'DEF',
  nonce: 'x',
  cnf: {},
  scp: 'x',
  warnafter: 1,
  secret: {},
  kty: 'oct',
  use: 'enc',
  key_ops: ['sign'],
  d: 'x',
  p: 'x',
  q: 'x',
  k: 'x',
  keys: [],
  issuer: 'https://evil.example',
  jwks_uri: 'https://evil.example',
  authenticated: true,
}

/** The reason of each refusal in a process that nobody spoiled. */
const REASONS = {
  'no alg': 'proof_malformed',
  'alg none': 'algorithm_not_allowed',
  'alg none, no signature': 'proof_malformed',
  'no kid': 'key_id_missing',
  'wrong signature': 'signature_invalid',
  'no kubernetes.io': 'claim_missing',
  'other audience': 'audience_mismatch',
  unmapped: 'binding_missing',
  'no grant_type': 'parameter_missing',
  'no subject_token_type': 'parameter_missing',
  'no subject_token': 'parameter_missing',
  'other target': 'target_refused',
  'other scope': 'scope_refused',
  'no iss': 'issuer_not_trusted',
  'no aud': 'audience_mismatch',
  'no exp': 'claim_missing',
  'no iat': 'claim_missing',
  'no sub': 'claim_missing',
}

describe.each([
  ['nothing', {}],
  ['what is lacking', LACKING],
  ['what turns a proof into something else', TURNING],
])('a process in which every object inherits %s', (_, members) => {
  let outcomes: Outcomes
  beforeAll(async () => {
    outcomes = await spoil(members, 'hidden')
  })

  test('OPS-09 refuses what it refuses otherwise, for the same reason', () => {
    const { good: _good, ...refused } = outcomes

    expect(Object.fromEntries(Object.entries(refused).map(([name, { reason }]) => [name, reason]))).toEqual(REASONS)
    for (const { status, claims } of Object.values(refused))
      expect({ status, claims }).toEqual({ status: 400, claims: null })
  })

  test('OPS-09 gives a good proof its token, and that says what it says otherwise', () => {
    const { status, claims } = outcomes.good ?? {}

    expect(status).toBe(200)
    expect(claims).toMatchObject({
      iss: BROKER,
      sub: 'spiffe://corp.example/payments/api',
      aud: 'ledger',
      client_id: 'payments/api',
      scope: 'entries:read',
      proof: { subject: 'system:serviceaccount:payments:api', single_use: false, live: false },
    })
    expect(Number(claims?.exp) - Number(claims?.iat)).toBe(900)
    expect(Object.keys(claims ?? {})).toHaveLength(9)
  })
})

test('OPS-09 where loops over members find them too, no bad proof gets a token', async () => {
  for (const members of [{ alg: 'none' }, LACKING]) {
    const { good: _good, ...refused } = await spoil(members, 'enumerable')

    expect(Object.keys(refused).sort()).toEqual(Object.keys(REASONS).sort())
    for (const [name, { status, claims }] of Object.entries(refused)) {
      expect({ name, isRefused: status >= 400, claims }).toEqual({ name, isRefused: true, claims: null })
    }
  }
})
