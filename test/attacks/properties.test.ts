/** Whatever is sent, the broker answers with one of its answers: never a 500, and never a token. */

import {
  array,
  assert,
  asyncProperty,
  base64String,
  constantFrom,
  dictionary,
  json,
  oneof,
  record,
  string,
  tuple,
} from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DESCRIPTIONS } from '../../src/oauth/errors.ts'
import { formOf, JWT_TYPE, type Reply, TOKEN_EXCHANGE } from '../support/broker.ts'
import { openScene, type Scene } from '../support/scene.ts'

const RUNS = { numRuns: 300 }

let scene: Scene
let genuine: string
beforeAll(async () => {
  scene = await openScene()
  genuine = await scene.proof()
})
afterAll(() => scene.close())

function expectRefused({ status, json: body, text }: Reply): void {
  expect([400, 413, 415]).toContain(status)
  expect(Object.values(DESCRIPTIONS)).toContain(body.error_description)
  expect(text).not.toContain('access_token')
}

const parameter = constantFrom(
  'grant_type',
  'subject_token',
  'subject_token_type',
  'audience',
  'resource',
  'scope',
  'requested_token_type',
  'actor_token',
  'actor_token_type',
  'client_id',
  'options',
)
const value = oneof(
  string({ unit: 'binary', maxLength: 40 }),
  constantFrom(TOKEN_EXCHANGE, JWT_TYPE, 'ledger', '', ' ', '\n', '__proto__', 'a'.repeat(20_000)),
)

test('any form that holds no genuine proof is refused', async () => {
  const forms = array(tuple(oneof(parameter, string({ maxLength: 12 })), value), { maxLength: 12 })
  const property = asyncProperty(forms, async (pairs) => {
    expectRefused(await scene.broker.send('/token', { method: 'POST', body: new URLSearchParams(pairs) }))
  })

  await assert(property, RUNS)
})

test('any bytes under any media type are refused', async () => {
  const types = constantFrom(
    'application/x-www-form-urlencoded',
    'application/json',
    'multipart/form-data',
    'text/plain',
    'x',
  )
  const property = asyncProperty(types, string({ unit: 'binary', maxLength: 200 }), async (type, body) => {
    expectRefused(await scene.broker.send('/token', { method: 'POST', headers: { 'content-type': type }, body }))
  })

  await assert(property, RUNS)
})

test('any text for a proof is refused', async () => {
  const part = base64String({ maxLength: 60 }).map((text) => text.replaceAll('=', ''))
  const proof = oneof(
    string({ unit: 'binary', maxLength: 80 }),
    tuple(part, part, part).map((parts) => parts.join('.')),
    json(),
  )
  const property = asyncProperty(proof, async (text) => {
    expectRefused(await scene.broker.exchange(text))
  })

  await assert(property, RUNS)
})

test('a genuine proof with a character changed, added or removed is refused', async () => {
  const bend = record({
    at: constantFrom(...genuine.split('').keys()),
    how: constantFrom('change', 'add', 'remove'),
    by: string({ minLength: 1, maxLength: 1 }),
  })
  const property = asyncProperty(bend, async ({ at, how, by }) => {
    const [before, after] = [genuine.slice(0, at), genuine.slice(how === 'add' ? at : at + 1)]
    const bent = before + (how === 'remove' ? '' : by) + after
    if (bent.trim() === genuine) return
    expectRefused(await scene.broker.exchange(bent))
  })

  await assert(property, RUNS)
})

test('a proof under the cluster’s own signature with any claims and header beside the right ones is refused or unharmed', async () => {
  const claims = dictionary(
    oneof(constantFrom('iss', 'aud', 'sub', 'exp', 'iat', 'nbf', 'kubernetes.io'), string()),
    json().map((text): unknown => JSON.parse(text)),
    { minKeys: 1, maxKeys: 4 },
  )
  const property = asyncProperty(claims, async (bent) => {
    const reply = await scene.broker.exchange(await scene.forge(bent))
    if (Object.keys(bent).some((name) => ['iss', 'aud', 'sub', 'exp', 'iat', 'kubernetes.io'].includes(name)))
      expectRefused(reply)
    else expect([200, 400]).toContain(reply.status)
  })

  await assert(property, RUNS)
})

test('a genuine proof with any other parameters beside it is answered, and for no target but its own', async () => {
  const beside = dictionary(
    oneof(constantFrom('scope', 'resource', 'options', 'role', 'identity'), string({ maxLength: 10 })),
    value,
    { maxKeys: 4 },
  )
  const property = asyncProperty(beside, async (more) => {
    const { status, json: body } = await scene.broker.send('/token', {
      method: 'POST',
      body: formOf(genuine, { ...more, audience: 'ledger' }),
    })
    expect([200, 400, 413]).toContain(status)
    if (status === 200) expect(body.scope).toBe('entries:read')
  })

  await assert(property, RUNS)
})
