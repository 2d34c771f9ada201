/** The service's half does the same under every runtime that services have. */

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)

const PROGRAM = fileURLToPath(new URL('../support/verify-process.ts', import.meta.url))
const BUN = fileURLToPath(
  new URL(
    `../../node_modules/@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}/bin/bun`,
    import.meta.url,
  ),
)

const RUNTIMES: readonly (readonly [string, string])[] = [
  ['Node', process.execPath],
  ['Bun', BUN],
]

const MALFORMED = '{"error":"invalid_request","error_description":"the Authorization header must hold one token, once"}'
const ANSWERS = ['200 payments/api', '401 ', `400 ${MALFORMED}`]

test.for(RUNTIMES)('under %s', async ([, runtime], { skip }) => {
  skip(!existsSync(runtime), 'this runtime is not installed')
  const { stdout } = await run(runtime, [PROGRAM])

  expect(JSON.parse(stdout)).toEqual({
    es256: 'accepted',
    rs256: 'accepted',
    forged: 'signature_invalid',
    none: 'algorithm_not_allowed',
    padded: 'token_malformed',
    twice: 'token_malformed',
    expired: 'token_expired',
    unknown: 'key_unknown',
    fetches: 2,
    redirected: 'redirected',
    tooLarge: 'too_large',
    hono: ANSWERS,
    'hono, header twice': '400',
    express: ANSWERS,
    'express, header twice': '400',
    fastify: ANSWERS,
    'fastify, header twice': '400',
  })
})
