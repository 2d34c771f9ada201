/** What real clients send beside the standard, none of which may change the answer. */

import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectIssued, expectRefusal } from '../support/answers.ts'
import { ACCESS_TOKEN_TYPE, formOf, JWT_TYPE, type Parameters, TOKEN_EXCHANGE } from '../support/broker.ts'
import { BROKER, documentFor } from '../support/document.ts'
import { sendRaw } from '../support/raw-http.ts'
import { openScene, type Scene } from '../support/scene.ts'

const FORM = 'application/x-www-form-urlencoded'
const GOOGLE = 'https://www.googleapis.com/auth'

let scene: Scene
let proof: string
beforeAll(async () => {
  scene = await openScene({
    document: ({ issuer }) =>
      documentFor(issuer, {
        identities: {
          'payments/api': { grants: { ledger: ['entries:read', 'entries:write'], 'https://orders.example': [] } },
        },
      }),
  })
  proof = await scene.proof()
})
afterAll(() => scene.close())

/** The clock stands still, so that two answers to one request differ in the token's id alone. */
async function claimsOf(parameters: Parameters, init: RequestInit = {}): Promise<object> {
  scene.broker.watch(proof)
  const reply = await scene.broker.send('/token', { method: 'POST', body: formOf(proof, parameters), ...init })
  const { jti: _, ...claims } = decodeJwt(expectIssued(scene.broker, reply).token)
  return claims
}

test('white space around a subject token is left out', async () => {
  const plain = await claimsOf({})
  for (const token of [`${proof}\n`, `${proof}\r\n`, ` ${proof}`, `\n\t${proof} \n\n`, proof + '\n'.repeat(9_000)]) {
    expect(await claimsOf({ subject_token: token })).toEqual(plain)
  }
})

test('white space of other kinds, or inside, is not', async () => {
  const [header = '', payload = '', signature = ''] = proof.split('.')
  for (const token of [`${proof}\u00a0`, `\ufeff${proof}`, `${header}.\n${payload}.${signature}`, `${proof}\u0000`]) {
    const reply = await scene.broker.exchange(token)

    expect(reply.json.error_description).toBe('subject token refused')
  }
})

test('much white space costs no time', async () => {
  const started = performance.now()
  const reply = await scene.broker.exchange(`x${' '.repeat(20_000)}x`)

  expectRefusal(scene.broker, reply, 'IR', 'proof_too_large')
  expect(performance.now() - started).toBeLessThan(1_000)
})

test('empty parameters count as absent', async () => {
  const plain = await claimsOf({})
  for (const name of ['scope', 'requested_token_type', 'resource', 'actor_token', 'actor_token_type', 'client_id']) {
    expect(await claimsOf({ [name]: '' })).toEqual(plain)
  }
  expect(await claimsOf({ audience: ['', 'ledger', ''], resource: ['', ''] })).toEqual(plain)
})

test('Google’s scopes are ignored, and ours beside them are not', async () => {
  const all = await claimsOf({})
  expect(await claimsOf({ scope: `${GOOGLE}/cloud-platform` })).toEqual(all)
  expect(await claimsOf({ scope: `${GOOGLE}/iam ${GOOGLE}/cloud-platform` })).toEqual(all)

  const read = await claimsOf({ scope: 'entries:read' })
  expect(read).toEqual({ ...all, scope: 'entries:read' })
  expect(await claimsOf({ scope: `${GOOGLE}/cloud-platform entries:read` })).toEqual(read)
})

test('a scope that only resembles Google’s is one that nobody has', async () => {
  const others = [
    'http://www.googleapis.com/auth/iam',
    'https://www.googleapis.com.evil/x',
    'HTTPS://www.googleapis.com/x',
  ]
  for (const scope of [...others, 'https://www.googleapis.com', `entries:read ${others[0]}`]) {
    expectRefusal(scene.broker, await scene.broker.exchange(proof, { scope }), 'IS', 'scope_refused')
  }
})

test('client credentials, options and parameters of others change nothing', async () => {
  const plain = await claimsOf({})
  const strange: readonly Parameters[] = [
    { client_id: 'anybody' },
    { client_id: 'anybody', client_secret: 'a-secret-of-somebody-else-entirely' },
    { client_assertion: 'x', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' },
    { options: '{"userProject":"1","lifetime":"43200s"}' },
    { x: '1', 'a[b]': '2', 'subject_token[]': 'x', Grant_Type: 'x', constructor: 'x', '': 'x' },
  ]
  for (const parameters of strange) expect(await claimsOf(parameters)).toEqual(plain)
})

test('sixty-four parameters are taken, and one more is not', async () => {
  const more = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, '1']))

  expectIssued(scene.broker, await scene.broker.exchange(proof, more(60)))
  expectRefusal(scene.broker, await scene.broker.exchange(proof, more(61)), 'IR', 'body_unreadable')
})

test('a well-formed Basic authorization is ignored, whoever it names', async () => {
  const plain = await claimsOf({})
  for (const pair of ['client:secret', 'someone:', ':', 'a:b:c', 'clié:nt']) {
    for (const scheme of ['Basic', 'basic', 'BASIC']) {
      const authorization = `${scheme} ${Buffer.from(pair).toString('base64')}`
      expect(await claimsOf({}, { headers: { authorization } })).toEqual(plain)
    }
  }
})

const OTHER_AUTHORIZATIONS = [
  'Bearer x',
  'Digest username="x"',
  'Negotiate YTpi',
  'Basic',
  'Basic %%%',
  'Basic YWI=',
  'Basic YTpi YTpi',
  'Basic YTpi, Bearer x',
  'YTpi',
  'Basic A',
  'Basic YTpiY',
  'Basic YTpiYT=',
  'Basic YTpi==',
  'Basic =',
]

test.each(OTHER_AUTHORIZATIONS)('any other authorization is refused: %s', async (authorization) => {
  const init = { method: 'POST', body: formOf(proof), headers: { authorization } }

  expectRefusal(scene.broker, await scene.broker.send('/token', init), 'IR', 'authorization_unsupported')
})

test('two authorizations are refused, whichever comes first', async () => {
  const body = formOf(proof).toString()
  for (const [first, second] of [
    ['Basic YTpi', 'Bearer x'],
    ['Bearer x', 'Basic YTpi'],
    ['Basic YTpi', 'Basic YTpi'],
  ]) {
    const fields = `Host: b\r\nContent-Type: ${FORM}\r\nAuthorization: ${first}\r\nAuthorization: ${second}\r\n`
    const [reply] = await sendRaw(
      scene.broker.origin,
      `POST /token HTTP/1.1\r\n${fields}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    )

    if (reply === undefined) throw new Error('no answer came')
    expectRefusal(scene.broker, reply, 'IR', 'authorization_unsupported')
  }
})

test('a target that is named several times in one spelling or another is one target', async () => {
  const plain = await claimsOf({})
  const long = `${BROKER}/audiences/ledger`
  const named: readonly Parameters[] = [
    { audience: ['ledger', 'ledger', 'ledger'] },
    { audience: 'ledger', resource: 'ledger' },
    { audience: undefined, resource: ['ledger', 'ledger'] },
    { audience: long },
    { audience: undefined, resource: long },
    { audience: [long, 'ledger'], resource: [long, 'ledger'] },
    { audience: `${BROKER}/audiences/%6cedger` },
  ]
  for (const parameters of named) expect(await claimsOf(parameters)).toEqual(plain)
})

test('the long form of an audience that is a URL is percent-encoded', async () => {
  const short = await claimsOf({ audience: 'https://orders.example' })

  expect(await claimsOf({ audience: `${BROKER}/audiences/https%3A%2F%2Forders.example` })).toEqual(short)
  expect(short).toMatchObject({ aud: 'https://orders.example' })
})

test('the media type may have parameters and any case', async () => {
  const plain = await claimsOf({})
  const body = formOf(proof).toString()
  for (const type of [`${FORM};charset=UTF-8`, `${FORM} ; charset=utf-8`, FORM.toUpperCase(), `${FORM};`]) {
    expect(await claimsOf({}, { body, headers: { 'content-type': type } })).toEqual(plain)
  }
})

test('the request of Google’s Node library is answered', async () => {
  const file = {
    grant_type: TOKEN_EXCHANGE,
    audience: 'ledger',
    scope: `${GOOGLE}/cloud-platform`,
    requested_token_type: ACCESS_TOKEN_TYPE,
    subject_token: `${proof}\n`,
    subject_token_type: JWT_TYPE,
  }
  const headers = {
    'content-type': `${FORM};charset=UTF-8`,
    'x-goog-api-client': 'gl-node/24.21.0 auth/11.3.4 google-byoid-sdk source/file sa-impersonation/false',
  }

  const reply = await scene.broker.send('/token', { method: 'POST', body: String(new URLSearchParams(file)), headers })

  expectIssued(scene.broker, reply)
  expect(reply.json).toMatchObject({ token_type: 'Bearer', issued_token_type: ACCESS_TOKEN_TYPE, expires_in: 900 })
})
