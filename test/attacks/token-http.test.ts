/** Media types and methods that the token endpoint does not take. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { expectErrorShape } from '../support/answers.ts'
import { formOf, type Parameters, type Reply } from '../support/broker.ts'
import { BROKER } from '../support/document.ts'
import { sendRaw } from '../support/raw-http.ts'
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

function post(body: string | Uint8Array, headers: Record<string, string> = { 'content-type': FORM }) {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  return scene.broker.send('/token', { method: 'POST', body: bytes, headers })
}

function validBody(parameters: Parameters = {}): string {
  return formOf(proof, parameters).toString()
}

test('OAU-03 refuses every media type but the form’s', async () => {
  const json = JSON.stringify(Object.fromEntries(formOf(proof)))
  const types = [
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=x',
    `${FORM}-evil`,
    `x${FORM}`,
    `application/json, ${FORM}`,
    `${FORM}, application/json`,
    `text/plain; ${FORM}`,
    'application/*',
    '*/*',
    ';',
  ]
  for (const type of types) {
    for (const body of [validBody(), json]) {
      expectUnsupported(await post(body, { 'content-type': type }))
    }
  }
})

test('OAU-03 refuses a body without a media type, and a real multipart form', async () => {
  const multipart = new FormData()
  for (const [name, value] of formOf(proof)) multipart.append(name, value)

  expectUnsupported(await post(validBody(), {}))
  expectUnsupported(await post(validBody(), { 'content-type': '' }))
  expectUnsupported(await scene.broker.send('/token', { method: 'POST', body: multipart }))
})

test('OAU-03 refuses two content types, whichever comes first', async () => {
  const body = validBody()
  for (const [first, second] of [
    [FORM, 'application/json'],
    ['application/json', FORM],
    [FORM, FORM],
  ]) {
    const head = `POST /token HTTP/1.1\r\nHost: b\r\nContent-Type: ${first}\r\nContent-Type: ${second}\r\n`
    const [reply, ...others] = await sendRaw(
      scene.broker.origin,
      `${head}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    )

    expect(others).toEqual([])
    expectUnsupported(reply)
  }
})

function expectUnsupported(reply: Reply | undefined): void {
  expect({ status: reply?.status, error: reply?.json.error }).toEqual({ status: 415, error: 'invalid_request' })
  if (reply === undefined) return
  expectErrorShape(reply)
  expectOneRecord(reply, 'media_type_unsupported')
}

function expectOneRecord(reply: Reply, reason: string): void {
  const records = scene.broker.records().filter((record) => record.request_id === reply.requestId)
  expect(records.map((record) => [record.decision, record.reason])).toEqual([['refused', reason]])
}

test.each(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY', 'PROPFIND'])(
  'OAU-23 refuses %s, however good the request',
  async (method) => {
    const init = method === 'GET' ? { method } : { method, body: formOf(proof) }
    const reply = await scene.broker.send(method === 'GET' ? `/token?${validBody()}` : '/token', init)

    expectMethodRefused(reply)
    expectErrorShape(reply)
  },
)

test('OAU-23 answers HEAD with no body, and TRACE without an echo', async () => {
  const head = await scene.broker.send('/token', { method: 'HEAD' })
  const [trace] = await sendRaw(
    scene.broker.origin,
    'TRACE /token HTTP/1.1\r\nHost: b\r\nX-Secret: echo-me\r\nConnection: close\r\n\r\n',
  )

  expect(head).toMatchObject({ status: 405, text: '' })
  expect(head.headers.get('cache-control')).toBe('no-store')
  expectOneRecord(head, 'method_not_allowed')
  expect(trace?.status).toBe(405)
  expect(trace?.text).not.toContain('echo-me')
})

test('OAU-23 answers no preflight, and no cross-origin request with a permission', async () => {
  const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
  const preflight = await scene.broker.send('/token', { method: 'OPTIONS', headers })
  const request = await post(validBody({ grant_type: 'x' }), { 'content-type': FORM, origin: BROKER })

  expectMethodRefused(preflight)
  for (const reply of [preflight, request]) {
    expect([...reply.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  }
})

function expectMethodRefused(reply: Reply): void {
  expect({ status: reply.status, allow: reply.headers.get('allow') }).toEqual({ status: 405, allow: 'POST' })
  expectOneRecord(reply, 'method_not_allowed')
}
