/** Requests whose head means different things to different readers. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { expectErrorShape, expectIssued } from '../support/answers.ts'
import { formOf, type Reply } from '../support/broker.ts'
import { type HeadParts, headOf, lengthField, sendSegments } from '../support/raw-segments.ts'
import { openScene, type Scene } from '../support/scene.ts'

const EVIL = 'evil.example'

let scene: Scene
let body: string
beforeAll(async () => {
  scene = await openScene({ cluster: { algorithm: 'ES256' } })
  body = formOf(await scene.proof()).toString()
})
afterAll(() => scene.close())
/** Nothing that was sent has gained anything, or has hurt anybody else. */
afterEach(async () => {
  expectIssued(scene.broker, await scene.broker.exchange(await scene.proof()))
  await expect(send({})).resolves.toMatchObject([{ status: 200, json: { token_type: 'Bearer' } }])
})

/** Sends a genuine exchange under another head. */
function send(head: HeadParts): Promise<readonly Reply[]> {
  return sendSegments({ origin: scene.broker.origin }, [
    headOf({ ...head, fields: lengthField(body) + (head.fields ?? '') }) + body,
  ])
}

/** Asserts one answer, an error of this status, and that the exchange never took place. */
async function expectMalformed(head: HeadParts, status = 400): Promise<void> {
  const recordsBefore = scene.broker.records().length
  const replies = await send(head)

  expect(replies.map((reply) => reply.status)).toEqual([status])
  for (const reply of replies) expectErrorShape(reply)
  expect(scene.broker.records().length).toBe(recordsBefore)
}

const HOSTS: Readonly<Record<string, string>> = {
  'no Host': '',
  'an empty Host': 'Host:\r\n',
  'a Host of white space': 'Host: \t \r\n',
  'a slash for a Host': 'Host: /\r\n',
  'a Host of 4 KiB': `Host: ${'a'.repeat(4_096)}\r\n`,
  'two Hosts': `Host: broker.example\r\nHost: ${EVIL}\r\n`,
  'the same Host twice': 'Host: broker.example\r\nhOST: broker.example\r\n',
  'a list of Hosts': `Host: broker.example, ${EVIL}\r\n`,
  'Hosts divided by a space': `Host: broker.example ${EVIL}\r\n`,
  'a Host with credentials': `Host: broker.example@${EVIL}\r\n`,
  'a Host with a path': `Host: ${EVIL}/broker.example\r\n`,
  'a Host with a query': `Host: ${EVIL}?broker.example\r\n`,
  'a Host with a fragment': `Host: ${EVIL}#broker.example\r\n`,
  'a Host with a backslash': `Host: ${EVIL}\\broker.example\r\n`,
  'a URL for a Host': 'Host: http://broker.example\r\n',
  'a Host without a port after its colon': 'Host: broker.example:\r\n',
  'a Host with two ports': 'Host: broker.example:80:80\r\n',
  'a Host with a port that is no number': 'Host: broker.example:http\r\n',
  'a Host with a port of six digits': 'Host: broker.example:100000\r\n',
  'a Host in percent encoding': 'Host: %62roker.example\r\n',
  'a Host outside of ASCII': 'Host: br\xf6ker.example\r\n',
  'a Host with a NUL': 'Host: broker.example\0\r\n',
  'a Host with a tab in it': 'Host: broker\t.example\r\n',
  'an open bracket for a Host': 'Host: [::1\r\n',
  'a bracketed name for a Host': 'Host: [broker.example]\r\n',
  'a bracketed address of version 4 for a Host': 'Host: [192.0.2.1]\r\n',
  'a Host with a port that there is not': 'Host: broker.example:65536\r\n',
  'a Host with three colons': 'Host: [:::]\r\n',
}

test.each(Object.entries(HOSTS))('NET-10 refuses %s', async (_, host) => {
  await expectMalformed({ host })
})

test.each([
  ...['broker.example', 'broker.example:8443', '127.0.0.1:8080', '[::1]:8080', 'BROKER.example', EVIL],
  // Spellings that a URL parser would write otherwise, or not at all.
  ...['127.1:80', '0x7f000001:80', '[::ffff:192.0.2.1]:443', '[2001:db8:0:0:0:0:0:1]:443', '192.0.2.300'],
])('NET-10 takes the Host %s, whoever that is, as no answer depends on it', async (host) => {
  const [reply, ...others] = await send({ host: `Host: ${host}\r\n` })

  expect({ status: reply?.status, others }).toEqual({ status: 200, others: [] })
})

test.each([
  `http://${EVIL}/token`,
  'http://broker.example/token',
  'https://broker.example/token',
  'HTTP://broker.example/token',
  `broker.example@${EVIL}/token`,
  'broker.example:443',
  'token',
  '*',
  '?/token',
  '/token#',
  '/token#/jwks.json',
  '/\\token',
  '\\token',
  `/\\${EVIL}/token`,
  '/token\\',
  `/token?${'a'.repeat(4_096)}`,
  `/${'a'.repeat(4_096)}`,
  '/tok\xe9n',
  '/token\x01',
  '/token\x7f',
])('NET-10 refuses the target %j', async (target) => {
  await expectMalformed({ line: `POST ${target} HTTP/1.1` })
})

test.each([
  ...['//token', `//${EVIL}/token`, '///token', '/token/', '/TOKEN', '/token;x=y', '/token%2f', '/token%00', '/token.'],
  ...['/./token', '/a/../token', '/../token', '/%2e/token', '/a/%2e%2e/token', '/.well-known/../token'],
  ...['/%74oken', '/%54OKEN', '/tok%65n', '/token%3f', '/.well-known/..%2ftoken', '/.well-known\\..\\token'],
])('NET-10 serves the token endpoint under its one spelling, not as %s', async (path) => {
  const recordsBefore = scene.broker.records().length
  const replies = await send({ line: `POST ${path} HTTP/1.1` })

  expect(replies.map(({ status }) => [400, 404].includes(status))).toEqual([true])
  for (const reply of replies) expectErrorShape(reply)
  expect(scene.broker.records().length).toBe(recordsBefore)
})

test('NET-10 opens no tunnel', async () => {
  expect(await send({ line: `CONNECT ${EVIL}:443 HTTP/1.1` })).toEqual([])
  await expectMalformed({ line: 'OPTIONS * HTTP/1.1' })
})

test.each(['HTTP/1.2', 'HTTP/0.9', 'HTTP/1.1x', 'HTTP/1', 'http/1.1', 'HTP/1.1', 'HTTP/11', 'HTTP/1.1 HTTP/1.1'])(
  'NET-10 refuses %j for a version',
  async (version) => {
    await expectMalformed({ line: `POST /token ${version}` })
  },
)

test('NET-10 refuses an expectation that it does not know', async () => {
  await expectMalformed({ fields: 'Expect: 200-ok\r\n' })
})

/** What open redirectors take, each naming a place of the attacker's. */
function redirectsTo(target: string): Record<string, string> {
  const names = ['redirect', 'return_to', 'redirect_uri', 'redirect_url', 'next', 'url', 'continue', 'RelayState', 'to']
  return Object.fromEntries(names.map((name) => [name, target]))
}

const ENDPOINTS: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/.well-known/jwks.json'],
  ['GET', '/.well-known/openid-configuration'],
  ['GET', '/.well-known/oauth-authorization-server'],
  ['GET', '/healthz'],
  ['GET', '/readyz'],
  ['GET', '/token'],
  ['GET', '/'],
  ['GET', '/nothing'],
  ['GET', '/healthz/'],
  ['POST', '/healthz'],
  ['POST', '/token'],
]

test.each(ENDPOINTS)('NET-04 redirects nobody from %s %s', async (method, path) => {
  const ask = (query: string, form: Record<string, string>, headers: Record<string, string>): Promise<Reply> => {
    const body = method === 'POST' ? { body: new URLSearchParams(form) } : {}
    return scene.broker.send(path + query, { method, headers, ...body })
  }
  const plain = await ask('', {}, {})
  for (const target of [`https://${EVIL}/`, `//${EVIL}/`, `/\\${EVIL}`, 'javascript:alert(1)']) {
    const redirects = redirectsTo(target)
    const headers = { referer: target, origin: `https://${EVIL}`, 'x-original-url': target, 'x-forwarded-host': EVIL }
    const reply = await ask(`?${new URLSearchParams(redirects).toString()}`, redirects, headers)

    expect({ status: reply.status, text: reply.text }).toEqual({ status: plain.status, text: plain.text })
    expectNoPointer(reply)
  }
})

test('NET-04 redirects nobody who exchanges a proof', async () => {
  const parameters = redirectsTo(`https://${EVIL}/`)
  const query = new URLSearchParams(parameters).toString()
  const proof = await scene.proof()
  const reply = await scene.broker.send(`/token?${query}`, { method: 'POST', body: formOf(proof, parameters) })

  const { token } = expectIssued(scene.broker, reply)
  expectNoPointer(reply)
  expect(Object.keys(reply.json)).toEqual(['access_token', 'issued_token_type', 'token_type', 'expires_in', 'scope'])
  expect(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).not.toContain(EVIL)
})

function expectNoPointer(reply: Reply): void {
  expect(Math.floor(reply.status / 100)).not.toBe(3)
  expect(['location', 'refresh', 'link', 'content-location'].filter((name) => reply.headers.has(name))).toEqual([])
  expect(`${reply.text} ${JSON.stringify([...reply.headers])}`).not.toContain(EVIL)
}
