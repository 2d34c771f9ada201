/** A service whose every object inherits what a token lacks: OPS-09. */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)

const CHILD = fileURLToPath(new URL('../support/verify-polluted.ts', import.meta.url))

test('OPS-09 what a token lacks is not taken from a prototype', async () => {
  const { stdout } = await run(process.execPath, [CHILD])

  expect(JSON.parse(stdout)).toEqual({
    whole: 'accepted',
    'no alg': 'token_malformed',
    'alg none': 'algorithm_not_allowed',
    'no kid': 'token_malformed',
    'no typ': 'token_malformed',
    'no iss': 'issuer_mismatch',
    'no aud': 'audience_mismatch',
    'no exp': 'claim_missing',
    'no iat': 'claim_missing',
    'no sub': 'claim_missing',
    'no client_id': 'claim_missing',
    'no jti': 'claim_missing',
    'no proof': 'claim_missing',
    'no scope': 'scope_missing',
  })
})
