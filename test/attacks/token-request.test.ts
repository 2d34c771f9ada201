/** Parameters that make a request no token exchange. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { expectRefusal } from '../support/answers.ts'
import { ACCESS_TOKEN_TYPE, formOf, JWT_TYPE, type Parameters, TOKEN_EXCHANGE } from '../support/broker.ts'
import { openScene, type Scene } from '../support/scene.ts'

const FORM = 'application/x-www-form-urlencoded'

let scene: Scene
let proof: string
beforeAll(async () => {
  scene = await openScene()
  proof = await scene.proof()
  scene.broker.watch(proof)
})
afterAll(() => scene.close())
/** Every proof here is genuine and the broker has no keys yet: whatever got as far as the proof would have fetched them. */
afterEach(() => expect(scene.cluster.requests).toEqual([]))

function post(body: string | Uint8Array, headers: Record<string, string> = { 'content-type': FORM }, query = '') {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  return scene.broker.send(`/token${query}`, { method: 'POST', body: bytes, headers })
}

function validBody(parameters: Parameters = {}): string {
  return formOf(proof, parameters).toString()
}

/** A second value, as good as the first where there is one. */
const REPEATED: readonly (readonly [string, readonly string[]])[] = [
  ['grant_type', [TOKEN_EXCHANGE, TOKEN_EXCHANGE]],
  ['grant_type', [TOKEN_EXCHANGE, 'client_credentials']],
  ['subject_token_type', [JWT_TYPE, JWT_TYPE]],
  ['subject_token_type', [JWT_TYPE, ACCESS_TOKEN_TYPE]],
  ['requested_token_type', [JWT_TYPE, JWT_TYPE]],
  ['requested_token_type', ['', JWT_TYPE]],
  ['scope', ['entries:read', 'entries:read']],
  ['scope', ['', 'entries:read']],
  ['client_id', ['one', 'one']],
  ['client_secret', ['one', 'two']],
  ['actor_token', ['', '']],
  ['actor_token_type', ['', '']],
  ['options', ['{}', '{}']],
  ['anything', ['1', '2']],
]

test.each(REPEATED)('OAU-01 refuses %s twice in the body: %j', async (name, values) => {
  expectRefusal(scene.broker, await scene.broker.exchange(proof, { [name]: values }), 'IR', 'parameter_repeated')
})

test('OAU-01 refuses a second subject token, whichever of the two is good', async () => {
  for (const values of [
    [proof, proof],
    [proof, 'garbage'],
    ['garbage', proof],
    ['', proof],
  ]) {
    const reply = await scene.broker.exchange(proof, { subject_token: values })

    expectRefusal(scene.broker, reply, 'IR', 'parameter_repeated')
  }
})

test('OAU-01 refuses a repetition that is spelled in another way', async () => {
  for (const alias of ['subject%5Ftoken=x', 'gra%6et_type=x', '&&scope=a&scope=b', 'sc%6fpe=a&scope=a']) {
    expectRefusal(scene.broker, await post(`${validBody()}&${alias}`), 'IR', 'parameter_repeated')
  }
})

test('OAU-01 refuses a parameter of the exchange in the query, beside the body’s or instead of it', async () => {
  const names = ['grant_type', 'subject_token', 'subject_token_type', 'requested_token_type', 'scope', 'audience']
  const others = ['resource', 'actor_token', 'actor_token_type', 'client_id', 'client_secret', 'client_assertion']
  const spelled = ['subject%5ftoken', 'scope&x', 'x=1&scope', '&audience', 'client_assertion_type', '?audience=x&scope']
  for (const name of [...names, ...others, ...spelled]) {
    const reply = await post(validBody(), { 'content-type': FORM }, `?${name}=ledger`)

    expectRefusal(scene.broker, reply, 'IR', 'parameter_in_query')
  }
})

test('OAU-02 refuses an exchange whose parameters are all in the query', async () => {
  const query = `?${validBody()}`
  const withEmptyBody = await post('', { 'content-type': FORM }, query)
  const withOtherBody = await post('x=1', { 'content-type': FORM }, query)

  expectRefusal(scene.broker, withEmptyBody, 'IR', 'parameter_in_query')
  expectRefusal(scene.broker, withOtherBody, 'IR', 'parameter_in_query')
})

test('OAU-05 refuses a request without a grant type', async () => {
  for (const value of [undefined, '']) {
    const reply = await scene.broker.exchange(proof, { grant_type: value })

    expectRefusal(scene.broker, reply, 'IR', 'parameter_missing')
  }
})

const OTHER_GRANTS = [
  'client_credentials',
  'authorization_code',
  'password',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'token-exchange',
  'URN:IETF:PARAMS:OAUTH:GRANT-TYPE:TOKEN-EXCHANGE',
  'urn:ietf:params:oauth:grant-type:Token-Exchange',
  `${TOKEN_EXCHANGE} `,
  ` ${TOKEN_EXCHANGE}`,
  `${TOKEN_EXCHANGE}\n`,
  `${TOKEN_EXCHANGE}#`,
  '__proto__',
]

test.each(OTHER_GRANTS)('OAU-05 refuses the grant type %j', async (grantType) => {
  const reply = await scene.broker.exchange(proof, { grant_type: grantType })

  expectRefusal(scene.broker, reply, 'UG', 'grant_type_unsupported')
})

test('OAU-06 refuses a request without a subject token or its type', async () => {
  const incomplete: readonly Parameters[] = [
    { subject_token: undefined },
    { subject_token: '' },
    { subject_token: ' \r\n\t' },
    { subject_token_type: undefined },
    { subject_token_type: '' },
    { subject_token: undefined, subject_token_type: undefined },
  ]
  for (const parameters of incomplete) {
    expectRefusal(scene.broker, await scene.broker.exchange(proof, parameters), 'IR', 'parameter_missing')
  }
})

test('OAU-06 refuses an actor token without its type, and a type without its token', async () => {
  for (const parameters of [{ actor_token: proof }, { actor_token_type: JWT_TYPE }]) {
    expectRefusal(scene.broker, await scene.broker.exchange(proof, parameters), 'IR', 'actor_unsupported')
  }
})
