/** The way to STS and back: redirects, connections that end, certificates, and answers that are made to be costly. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { redirectAnswer, wrongAnswer } from '../../providers/aws/stand-in/sts-answers.ts'
import { type Failure, startStandInServer } from '../../providers/kit/stand-in-server.ts'
import type { RefusalReason } from '../../src/audit/reasons.ts'
import { expectIssued, expectRefusal } from '../support/answers.ts'
import { ACCOUNT, type AwsScene, awsDocumentFor, openAwsScene } from '../support/aws-scene.ts'
import { type Certificate, createAuthority } from '../support/certificates.ts'
import { type RawUpstream, startRawUpstream } from '../support/raw-upstream.ts'
import {
  askOnce,
  CALLER,
  expectNoIdentity,
  failWith,
  identify,
  identityOf,
  JSON_TYPE,
  succeedWith,
} from '../support/sts-answers.ts'

const HOST = 'sts.us-east-1.amazonaws.com'
const CLAIMED = { account: CALLER.Account, arn: CALLER.Arn, userId: CALLER.UserId }
const RIGHT = JSON.stringify(identityOf())

let scene: AwsScene

/** A broker for each group of tests, as one that refuses often does not record every refusal. */
function openBeforeAll(): void {
  beforeAll(async () => {
    scene = await openAwsScene()
  })
  afterAll(() => scene.close())
}

describe('a redirect', () => {
  openBeforeAll()

  test.each([301, 302, 303, 307, 308] as const)('STS-11 is not followed: %i', async (status) => {
    const thief = await startStandInServer({ route: () => identify() })
    onTestFinished(() => thief.close())
    const places = [
      `${thief.origin}/`,
      `//${thief.host}/`,
      `http://${HOST}@${thief.host}/`,
      `${scene.aws.origin}/`,
      '/',
      '',
      '?Action=GetCallerIdentity&Version=2011-06-15',
      'https://sts.amazonaws.com/',
      'https://sts.us-west-2.amazonaws.com/',
      'http://169.254.169.254/latest/meta-data/iam/security-credentials/',
      'file:///etc/passwd',
      'not a URL:',
    ]

    for (const place of places) await expectNoIdentity(scene, redirectAnswer(status, place), 'upstream_redirected')

    expect(thief.requests).toEqual([])
  })

  test.each([300, 304, 305, 306])('STS-11 is none, and nothing else either: %i', async (status) => {
    await expectNoIdentity(scene, { status }, 'upstream_redirected')
  })

  test('STS-11 is not taken for the identity in its body', async () => {
    const redirect = { ...identify(), status: 302, headers: { ...JSON_TYPE, location: '/' } }

    await expectNoIdentity(scene, redirect, 'upstream_redirected')
  })

  test('STS-11 is not followed either where it is one of HTML’s or of a header’s own', async () => {
    const thief = await startStandInServer({ route: () => identify() })
    onTestFinished(() => thief.close())
    const page = `<meta http-equiv="refresh" content="0;url=${thief.origin}/">`

    await expectNoIdentity(scene, { status: 200, headers: { 'content-type': 'text/html' }, body: page })
    const headers = {
      ...JSON_TYPE,
      location: `${thief.origin}/`,
      refresh: `0;url=${thief.origin}/`,
      link: `<${thief.origin}/>`,
    }
    await expectNoIdentity(scene, { status: 201, headers, body: RIGHT }, 'upstream_status')
    expectIssued(scene.broker, await askOnce(scene, { status: 200, headers, body: RIGHT }))
    expect(thief.requests).toEqual([])
  })
})

/** Answers that cost a careless reader much: what a test is called by, the answer, and why it is none. */
const COSTLY: readonly (readonly [string, Failure, RefusalReason])[] = [
  ['a DOCTYPE', wrongAnswer('DOCTYPE', CLAIMED), 'upstream_malformed'],
  ['an external entity', wrongAnswer('external entity', CLAIMED), 'upstream_malformed'],
  ['a billion laughs', wrongAnswer('billion laughs', CLAIMED), 'upstream_malformed'],
  ['a flood of numeric entities', wrongAnswer('flood of numeric entities', CLAIMED), 'upstream_too_large'],
  ['a deep list', succeedWith('['.repeat(16_384)), 'upstream_malformed'],
  ['a deep list that is closed', succeedWith('['.repeat(8_192) + ']'.repeat(8_192)), 'upstream_malformed'],
  ['deep objects', succeedWith('{"a":'.repeat(3_276)), 'upstream_malformed'],
  [
    'many members',
    succeedWith(`{${Array.from({ length: 1_500 }, (_, n) => `"${n}":0`).join()}}`),
    'upstream_malformed',
  ],
  ['a name of escapes', succeedWith(`{"${'\\u0041'.repeat(2_700)}":0}`), 'upstream_malformed'],
  ['a text without an end', succeedWith(`{"${'\\\\'.repeat(8_000)}`), 'upstream_malformed'],
  ['quotes and nothing else', succeedWith('"'.repeat(16_384)), 'upstream_malformed'],
  ['a long number', succeedWith(`{"a":${'9'.repeat(16_000)}}`), 'upstream_malformed'],
  ['a long account', succeedWith(identityOf({ Account: '1'.repeat(16_000) })), 'upstream_malformed'],
  ['a long user id', succeedWith(identityOf({ UserId: `AROA${'A'.repeat(15_000)}:x` })), 'upstream_malformed'],
  ['space and nothing else', succeedWith(' '.repeat(16_384)), 'upstream_malformed'],
  ['an error of space', failWith(403, '', 'xml', ' '.repeat(15_000)), 'upstream_status'],
  ['an error that is XML to the end', { status: 403, body: `<?xml ${' '.repeat(16_000)}` }, 'upstream_status'],
  ['an error in a long name', failWith(403, 'A'.repeat(16_000)), 'upstream_status'],
  ['an error in a deep list', { ...failWith(403, ''), body: '['.repeat(16_384) }, 'upstream_status'],
  ['one byte too many', succeedWith(RIGHT.padEnd(16_385)), 'upstream_too_large'],
  ['an error with one byte too many', { status: 403, body: 'x'.repeat(16_385) }, 'upstream_too_large'],
  ['a body without an end', 'huge', 'upstream_too_large'],
  [
    'a body that is said to be huge',
    { status: 200, headers: { 'content-length': '1000000000' }, body: '{' },
    'upstream_too_large',
  ],
  ['an encoded body', 'encoded', 'upstream_encoded'],
]

/** What the catalogue allows for. */
const MAX_MS = 50
const MAX_BYTES = 16 * 1_048_576

describe('an answer that is made to be costly', () => {
  openBeforeAll()

  test.each(COSTLY)('STS-05 costs next to nothing: %s', async (_, answer, reason) => {
    const before = process.resourceUsage().maxRSS
    const times: number[] = []
    for (let turn = 0; turn < 2; turn++) {
      const request = scene.sign()
      const start = performance.now()
      const reply = await askOnce(scene, answer, request)
      times.push(performance.now() - start)
      expectRefusal(scene.broker, reply, 'TU', reason)
    }
    await expectNoIdentity(scene, answer, reason)

    // The quickest, as the machine has other things to do; what costs much, always does.
    expect(Math.min(...times)).toBeLessThan(MAX_MS)
    expect((process.resourceUsage().maxRSS - before) * 1_024).toBeLessThan(MAX_BYTES)
  })

  test('STS-05 a long answer that is right is an identity, up to the last byte', async () => {
    expectIssued(scene.broker, await askOnce(scene, succeedWith(RIGHT.padEnd(16_384))))
  })
})

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
const LENGTH = `Content-Length: ${RIGHT.length}\r\n`

/** What arrives of an answer before the connection ends, or of one that is no HTTP. */
const BROKEN: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['half a status line', 'HTTP/1.1 20'],
  ['a head without an end', HEAD],
  ['a head alone', `${HEAD}${LENGTH}\r\n`],
  ['a body that is shorter than declared', `${HEAD}Content-Length: ${RIGHT.length + 1}\r\n\r\n${RIGHT}`],
  ['a chunk that is shorter than declared', `${HEAD}Transfer-Encoding: chunked\r\n\r\nfff\r\n${RIGHT}`],
  [
    'chunks without the last one',
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n${RIGHT.length.toString(16)}\r\n${RIGHT}\r\n`,
  ],
  ['two lengths', `${HEAD}${LENGTH}Content-Length: 5\r\n\r\n${RIGHT}`],
  ['a length beside chunks', `${HEAD}${LENGTH}Transfer-Encoding: chunked\r\n\r\n${RIGHT}`],
  ['a space before a colon', `${HEAD}Content-Length : ${RIGHT.length}\r\n\r\n${RIGHT}`],
  ['bare line feeds', `${HEAD}${LENGTH}X: a\rb\r\n\r\n${RIGHT}`],
  ['a body without a head', RIGHT],
  ['TLS', '\u0015\u0003\u0001\u0000\u0002\u0002\u0028'],
  ['another protocol', `SSH-2.0-OpenSSH_9.9\r\n${LENGTH}\r\n${RIGHT}`],
  ['another version', `HTTP/9.9 200 OK\r\n${LENGTH}\r\n${RIGHT}`],
]

describe('a connection', () => {
  let upstream: RawUpstream
  let raw: AwsScene
  beforeAll(async () => {
    upstream = await startRawUpstream()
    const settings = { sts_endpoint: upstream.origin, accounts: { [ACCOUNT]: {} } }
    const broker = { insecureHosts: [upstream.host] }
    raw = await openAwsScene({ document: (aws) => awsDocumentFor(aws, settings), broker })
  })
  afterAll(async () => {
    await raw.close()
    await upstream.close()
  })

  test.each(BROKEN)('STS-15 that ends or breaks gives no identity: %s', async (_, text) => {
    upstream.answerWith((socket) => void socket.end(text))
    const request = raw.sign()

    expectRefusal(raw.broker, await raw.exchange(request), 'TU', 'upstream_unreachable')

    upstream.answerWith(`${HEAD}${LENGTH}\r\n${RIGHT}`)
    expectIssued(raw.broker, await raw.exchange(request))
  })

  test.each([
    ['HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', 'upstream_malformed'],
    ['HTTP/1.1 101 X\r\n\r\n', 'upstream_status'],
  ] as const)('STS-15 that becomes another protocol gives no identity: %j', async (head, reason) => {
    upstream.answerWith(`${head}${HEAD}${LENGTH}\r\n${RIGHT}`)

    expectRefusal(raw.broker, await raw.exchange(raw.sign()), 'TU', reason)
  })

  test('STS-15 that is reset gives no identity, and is not tried again', async () => {
    let attempts = 0
    upstream.answerWith((socket) => {
      attempts++
      socket.resetAndDestroy()
    })

    expectRefusal(raw.broker, await raw.exchange(raw.sign()), 'TU', 'upstream_unreachable')
    expect(attempts).toBe(1)
  })

  test('STS-15 that says nothing gives no identity', async () => {
    upstream.answerWith(() => undefined)

    expectRefusal(raw.broker, await raw.exchange(raw.sign()), 'TU', 'upstream_timeout')
  })
})

describe('TLS', () => {
  const authority = createAuthority('aws')

  /** STS behind a certificate. The broker asks a loopback address, by the name of STS all the same. */
  async function openTls(certificate: Certificate, secret = authority.cert, hostname = HOST): Promise<AwsScene> {
    const tls = await openAwsScene({
      aws: { tls: certificate, hostname },
      document: (aws) => awsDocumentFor(aws, { accounts: { [ACCOUNT]: {} }, ca_file: 'aws.pem' }),
      broker: { secrets: { 'aws.pem': secret }, resolve: async () => [{ address: '127.0.0.1', family: 4 }] },
    })
    onTestFinished(() => tls.close())
    return tls
  }

  test.each([
    ['another region', ['sts.us-west-2.amazonaws.com']],
    ['the global STS', ['sts.amazonaws.com']],
    ['another service', ['ec2.us-east-1.amazonaws.com']],
    ['a name that begins like it', [`${HOST}.evil.example`]],
    ['a name that ends like it', [`evil-${HOST}`]],
    ['every name but that many labels', ['*.amazonaws.com']],
    ['the address', ['127.0.0.1', 'localhost']],
    ['nobody', []],
  ])('STS-15 gives no identity to a certificate of %s', async (_, hostnames) => {
    const tls = await openTls(authority.issue({ hostnames }))

    expectRefusal(tls.broker, await tls.exchange(tls.sign()), 'TU', 'upstream_unreachable')
    expect(tls.aws.requests).toEqual([])
  })

  test('STS-15 gives none to one that has run out, or that somebody else signed', async () => {
    const late = await openTls(authority.issue({ hostnames: [HOST], validDays: [-3, -2] }))
    expectRefusal(late.broker, await late.exchange(late.sign()), 'TU', 'upstream_unreachable')

    const strange = await openTls(createAuthority('aws').issue({ hostnames: [HOST] }))
    expectRefusal(strange.broker, await strange.exchange(strange.sign()), 'TU', 'upstream_unreachable')
    expect([...late.aws.requests, ...strange.aws.requests]).toEqual([])
  })

  test('STS-15 gives one to STS’s own, whatever the address that is asked is called', async () => {
    for (const hostname of [HOST, '127.0.0.1']) {
      const tls = await openTls(authority.issue({ hostnames: [HOST] }), authority.cert, hostname)
      expectIssued(tls.broker, await tls.exchange(tls.sign()))
    }
  })
})
