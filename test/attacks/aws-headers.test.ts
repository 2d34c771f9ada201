/** Attacks through the list of headers: AWS-18 to AWS-21 of the catalogue. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SignedRequest } from '../../providers/aws/stand-in/signed-request.ts'
import type { Header } from '../../providers/aws/stand-in/sigv4.ts'
import { expectRefusedUnasked, expectTaken } from '../support/aws-answers.ts'
import { type AwsScene, LONG_AUDIENCE, openAwsScene } from '../support/aws-scene.ts'
import { BROKER } from '../support/document.ts'

const GOOGLES = { audience: LONG_AUDIENCE }

let scene: AwsScene

/** A broker for each group of tests, as a broker records no more than a hundred refusals of a second one by one. */
function openBeforeAll(): void {
  beforeAll(async () => {
    scene = await openAwsScene()
  })
  afterAll(() => scene.close())
}

/** A genuine request with more in its list, which no signature covers. */
function withMore(...more: readonly object[]): object {
  const request = scene.sign()
  return { ...request, headers: [...request.headers, ...more] }
}

const header = (key: string, value: string): Header => ({ key, value })

function headerOf({ headers }: SignedRequest, name: string): string {
  return headers.find(({ key }) => key.toLowerCase() === name)?.value ?? ''
}

const STRANGERS: readonly Header[] = [
  header('X-Forwarded-Host', 'evil.example'),
  header('X-Forwarded-For', '127.0.0.1'),
  header('Forwarded', 'host=evil.example'),
  header('X-Host', 'evil.example'),
  header('X-Original-URL', '/admin'),
  header('X-Rewrite-URL', '/admin'),
  header('X-Amz-Target', 'AWSSecurityTokenServiceV20110615.AssumeRole'),
  header('X-Amz-Date-Override', '20250115T120000Z'),
  header('X-Amz-User-Agent', 'aws-sdk-js/3'),
  header('amz-sdk-invocation-id', 'x'),
  header('amz-sdk-request', 'attempt=1'),
  header('Cookie', 'session=1'),
  header('Expect', '100-continue'),
  header('Proxy-Authorization', 'Basic eDp5'),
  header('Accept-Encoding', 'gzip, deflate, br'),
  header('Accept-Language', 'xml'),
  header('User-Agent', 'evil'),
  header('Referer', 'https://evil.example'),
  header('Origin', 'https://evil.example'),
  header('Content-Encoding', 'gzip'),
  header('Content-MD5', 'x'),
  header('Range', 'bytes=0-1'),
  header('Via', '1.1 evil'),
  header('Max-Forwards', '0'),
  header('Upgrade-Insecure-Requests', '1'),
  header('X-Vault-AWS-IAM-Server-ID', 'vault.example'),
  header('x-goog-user-project', 'evil'),
]

/** Every header that STS may get, and no more. */
const SENT = [
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'host',
  'user-agent',
  'x-amz-date',
  'x-amz-security-token',
  'x-chancery-audience',
]

describe('a header that is not ours', () => {
  openBeforeAll()

  test.each(STRANGERS)('AWS-18 $key does not reach STS', async (stranger) => {
    await expectTaken(scene, withMore(stranger))

    const sent = scene.aws.requests.at(-1)?.headers ?? {}
    expect(Object.keys(sent).toSorted()).toEqual(SENT)
    expect(Object.values(sent)).not.toContain(stranger.value)
  })

  test.each(STRANGERS)('AWS-18 refuses a signature over $key', async ({ key, value }) => {
    await expectRefusedUnasked(scene, scene.sign({ headers: { [key]: value } }), 'proof_malformed')
  })

  test('AWS-18 drops all of them together, as long as there are no more than 32 in all', async () => {
    const { headers } = scene.sign()

    await expectTaken(scene, withMore(...STRANGERS.slice(0, 32 - headers.length)))
    await expectRefusedUnasked(scene, withMore(...STRANGERS), 'proof_malformed')
  })
})

describe('a header twice', () => {
  openBeforeAll()

  const NAMES = ['host', 'x-amz-date', 'x-amz-security-token', 'x-chancery-audience', 'authorization', 'content-type']

  test.each(NAMES)('AWS-19 refuses %s twice, in whatever case, place and with whatever value', async (name) => {
    const request = scene.sign()
    const value = headerOf(request, name)
    const twins = [header(name, value), header(name.toUpperCase(), value), header(name, 'another')]
    for (const twin of twins) {
      await expectRefusedUnasked(scene, { ...request, headers: [...request.headers, twin] }, 'proof_malformed')
      await expectRefusedUnasked(scene, { ...request, headers: [twin, ...request.headers] }, 'proof_malformed')
    }
    await expectTaken(scene, request)
  })

  test('AWS-19 refuses one twice that would be dropped', async () => {
    await expectRefusedUnasked(scene, withMore(header('x-a', '1'), header('X-A', '1')), 'proof_malformed')
  })

  test('AWS-19 takes one exact repetition of Google’s audience header, and nothing else of the kind', async () => {
    const request = scene.sign({ shape: 'google' })
    const googles = header('x-goog-cloud-target-resource', LONG_AUDIENCE)
    const withTwins = (...twins: readonly Header[]) => ({ ...request, headers: [...request.headers, ...twins] })

    const refused = [
      withTwins({ ...googles, value: 'https://evil.example' }),
      withTwins({ ...googles, value: `${LONG_AUDIENCE},${LONG_AUDIENCE}` }),
      withTwins({ ...googles, value: LONG_AUDIENCE.toUpperCase() }),
      withTwins(googles, googles),
      withTwins(googles, { ...googles, value: 'https://evil.example' }),
    ]
    for (const envelope of refused) await expectRefusedUnasked(scene, envelope, 'proof_malformed', GOOGLES)
    await expectTaken(scene, withTwins({ ...googles, key: 'X-Goog-Cloud-Target-Resource' }), GOOGLES)
    expect(scene.aws.requests.at(-1)?.headers['x-goog-cloud-target-resource']).toBe(LONG_AUDIENCE)
  })
})

const FRAMING: readonly Header[] = [
  header(':authority', 'evil.example'),
  header(':path', '/?Action=AssumeRole'),
  header(':method', 'GET'),
  header(':scheme', 'http'),
  header('Connection', 'x-amz-date'),
  header('Connection', 'close'),
  header('Keep-Alive', 'timeout=5'),
  header('Proxy-Connection', 'keep-alive'),
  header('Transfer-Encoding', 'chunked'),
  header('TRANSFER-ENCODING', 'identity'),
  header('TE', 'trailers'),
  header('Trailer', 'authorization'),
  header('Upgrade', 'h2c'),
  header('Content-Length', '5'),
  header('Content-Length', '0'),
  header('Content-Length', '+43'),
  header('Content-Length', '043'),
  header('Content-Length', '43, 43'),
  header('Host ', 'evil.example'),
  header(' host', 'evil.example'),
  header('host\r\nx', 'evil.example'),
  header('host:', 'evil.example'),
  header('hoſt', 'evil.example'),
  header('x-chancery-audience\u0000', BROKER),
  header('', 'x'),
  header('x'.repeat(65), 'x'),
]

describe('a header that changes how the request is read', () => {
  openBeforeAll()

  test.each(FRAMING)('AWS-21 refuses %j, signed or not', async (framing) => {
    const { key, value } = framing

    await expectRefusedUnasked(scene, withMore(framing), 'proof_malformed')
    await expectRefusedUnasked(scene, scene.sign({ headers: { [key]: value } }), 'proof_malformed')
  })

  test.each([
    ['accept', 'application/xml'],
    ['accept', 'text/xml, application/json'],
    ['content-type', 'application/json'],
    ['content-type', 'application/x-www-form-urlencoded; charset=utf-7'],
    ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
    ['x-amz-content-sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ])('AWS-21 refuses another %s than the one that is sent: %s', async (name, value) => {
    await expectRefusedUnasked(scene, scene.sign({ headers: { [name]: value } }), 'proof_malformed')
    await expectRefusedUnasked(scene, scene.sign({ headers: { [name]: value }, unsigned: [name] }), 'proof_malformed')
  })

  test('AWS-21 takes those of the closed set with the one value that they have', async () => {
    const headers = {
      accept: 'application/json',
      'content-length': '43',
      'x-amz-content-sha256': 'ab821ae955788b0e33ebd34c208442ccfc2d406e2edc5e7a39bd6458fbb4f843',
    }

    await expectTaken(scene, scene.sign({ headers }))
    await expectTaken(scene, scene.sign({ headers, unsigned: Object.keys(headers) }))
  })

  test.each([{ without: ['content-type'] }, { unsigned: ['content-type'] }])(
    'AWS-21 says of the body what it is, signed or not: %j',
    async (wish) => {
      await expectTaken(scene, scene.sign(wish))

      const { headers } = scene.aws.requests.at(-1) ?? {}
      expect(headers?.['content-type']).toBe('application/x-www-form-urlencoded; charset=utf-8')
    },
  )

  test.each(['x-amz-security-to\u212aen', 'x-amz-ſecurity-token', 'x-amz-security_token', 'x-amz-security-token '])(
    'AWS-21 takes %j for no other name',
    async (name) => {
      const request = scene.sign()
      const headers = request.headers.map(({ key, value }) => ({
        key: key === 'x-amz-security-token' ? name : key,
        value,
      }))

      await expectRefusedUnasked(scene, { ...request, headers }, 'proof_malformed')
    },
  )

  test.each([null, 'host: x', 1, [], ['x', 'y'], {}, { key: 'x' }, { value: 'x' }, { key: 'x', value: 'y', more: 1 }])(
    'AWS-21 refuses %j among the headers',
    async (entry) => {
      const { headers, ...rest } = scene.sign()

      await expectRefusedUnasked(scene, { ...rest, headers: [...headers, entry] }, 'proof_malformed')
    },
  )

  test.each([null, {}, 'host: x', { host: 'x' }])('AWS-21 refuses the headers %j', async (headers) => {
    await expectRefusedUnasked(scene, { ...scene.sign(), headers }, 'proof_malformed')
  })
})
